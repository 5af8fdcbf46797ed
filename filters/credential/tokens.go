package credential

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// Times of the life of a token.
const (
	// maxAhead is how long before its end a token is renewed, at most: metadata
	// servers hand the old one out until some five minutes before.
	maxAhead   = 4 * time.Minute
	aheadShare = 5 // at most this part of the lifetime
	firstPause = time.Second
	maxPause   = time.Minute
	grace      = time.Second // beyond the time-out, in which the host reports it
	trusted    = time.Minute // how long a new token is not doubted
)

// grant is what an endpoint gave: a token or key, or keys for AWS.
type grant struct {
	secret  Secret
	id      string // of AWS keys
	session Secret
	expires time.Time
}

// tokens holds one credential that expires, and renews it: one exchange at a
// time for the whole VM, whatever number of requests wait.
//
//	absent -> fetching -> valid -> renewing (still valid) -> valid
//	fetching, renewing -> failed -> (after a pause) fetching
//
// Requests wait while the first exchange runs, or one that is late. While
// exchanges fail they do not: they are told at once, and one of them, or the
// tick, begins the next exchange when the pause is over.
type tokens struct {
	out     Outside
	name    string // for operators
	timeout time.Duration
	ask     func(now time.Time) (*Exchange, error)
	read    func(body []byte, now time.Time) (g grant, problem string)

	held     grant
	obtained time.Time
	renew    time.Time // when the next exchange should begin
	began    time.Time // of the exchange that runs; zero: none
	turn     uint32    // its number: the answers of others come too late
	failures int       // in a row
	again    time.Time // not before
	cause    string
	waiting  []func()
}

func (t *tokens) valid(now time.Time) bool { return now.Before(t.held.expires) }

func (t *tokens) running() bool { return !t.began.IsZero() }

// due reports whether an exchange should begin.
func (t *tokens) due(now time.Time) bool {
	return !t.running() && !now.Before(t.again) && !now.Before(t.renew)
}

// missing is the error of a request that finds no token.
func (t *tokens) missing(now time.Time) *llm.Error {
	return &llm.Error{Class: llm.ProviderError, Source: llm.FromPostern, Status: 503, Code: "credential_unavailable",
		Message: "the gateway has no valid credential for the provider now", Cause: t.name + ": " + t.cause,
		After: max(t.again.Sub(now), firstPause)}
}

// wait puts a request in the queue; false when there is nothing to wait for.
func (t *tokens) wait(now time.Time, done func()) bool {
	if t.due(now) {
		failing := t.failures > 0
		t.begin(now)
		if failing {
			return false
		}
	}
	if !t.running() || t.failures > 0 || t.valid(now) {
		return false
	}
	t.waiting = append(t.waiting, done)
	return true
}

// tick renews ahead of time, and ends an exchange that the host has forgotten:
// one that began under a configuration that is gone.
func (t *tokens) tick(now time.Time, serving bool) {
	if t.running() && now.Sub(t.began) > t.timeout+grace {
		t.fail(now, "no answer came")
	}
	if !t.running() {
		t.wake() // whom a panic of another left here
	}
	if serving && t.due(now) {
		t.begin(now)
	}
}

// begin starts an exchange.
func (t *tokens) begin(now time.Time) {
	t.turn++
	t.began = now
	x, err := t.ask(now)
	if err != nil {
		t.fail(now, err.Error())
		return
	}
	turn := t.turn
	err = t.out.Call(x, func(status int, body []byte) {
		if turn == t.turn && t.running() {
			t.answered(status, body)
		}
	})
	if err != nil {
		t.fail(now, err.Error())
	}
}

// answered takes the end of the exchange that runs.
func (t *tokens) answered(status int, body []byte) {
	now := t.out.Now()
	switch {
	case status == 0:
		t.fail(now, "no answer came")
	case status != 200:
		t.fail(now, "the endpoint answered "+strconv.Itoa(status)+reason(body))
	default:
		t.take(body, now)
	}
}

func (t *tokens) take(body []byte, now time.Time) {
	g, problem := t.read(body, now)
	if problem != "" {
		t.fail(now, "the endpoint's answer "+problem)
		return
	}
	if t.failures > 0 {
		t.out.Tell(t.name + ": there is a credential again")
	}
	lives := g.expires.Sub(now)
	t.held, t.obtained, t.renew = g, now, g.expires.Add(-min(maxAhead, lives/aheadShare))
	t.began, t.failures, t.again, t.cause = time.Time{}, 0, time.Time{}, ""
	t.wake()
}

func (t *tokens) fail(now time.Time, cause string) {
	pause := min(firstPause<<min(t.failures, 10), maxPause)
	t.failures++
	t.began, t.again, t.cause = time.Time{}, now.Add(pause), cause
	t.out.Tell(t.name + ": " + cause + "; next try in " + strconv.Itoa(int(pause/time.Second)) + " s")
	t.wake()
}

// wake lets those go on who wait. Each is taken off first: it may wait again.
func (t *tokens) wake() {
	for n := len(t.waiting); n > 0 && len(t.waiting) > 0; n-- {
		next := t.waiting[0]
		t.waiting[0] = nil
		t.waiting = t.waiting[1:]
		next()
	}
}

// doubt has a token renewed that a provider refused, unless it is new.
func (t *tokens) doubt(now time.Time) {
	if now.Sub(t.obtained) > trusted {
		t.renew = now
	}
}
