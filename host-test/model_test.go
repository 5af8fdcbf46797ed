package hosttest

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAnyOrderOfEvents drives both stages with random decisions and random events and checks what
// must hold whatever happens: contexts live as promised, nothing leaks, and a module that only
// pauses and continues neither loses nor repeats nor reorders a byte.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		lossless := true
		decide := func(what string, end bool) Action {
			if end || rapid.Bool().Draw(r, what) {
				return Continue
			}
			return Pause
		}
		set := func(s *script) {
			maybeReply := func() bool {
				if rapid.IntRange(0, 19).Draw(r, "reply") > 0 {
					return false
				}
				lossless = false
				s.c.SendLocalResponse(418, "", []byte("teapot"), nil, -1)
				return true
			}
			s.requestHeaders = func(_, _ uint32, eos bool) Action {
				if maybeReply() {
					return Pause
				}
				return decide("request headers", eos)
			}
			s.responseHeaders = func(_, _ uint32, eos bool) Action { return decide("response headers", eos) }
			s.requestBody = func(_, _ uint32, eos bool) Action {
				if maybeReply() {
					return Pause
				}
				return decide("request body", eos)
			}
			s.responseBody = func(_, _ uint32, eos bool) Action { return decide("response body", eos) }
		}
		m := native(set)
		h, err := New(Config{
			Downstream: []Filter{{Name: "a", VMID: "v", Module: m, AllowHeadersStop: true}, {Name: "b", VMID: "v", Module: m, AllowHeadersStop: true}},
			Upstream:   []Filter{{Name: "c", VMID: "v", Module: m, AllowHeadersStop: true}},
			Route:      Route{Retry: &RetryPolicy{On: []string{"5xx"}, NumRetries: 2, PerTryTimeout: time.Second}},
		})
		if err != nil {
			r.Fatal(err)
		}
		d := &drive{r: r, h: h, s: h.NewStream()}
		r.Repeat(map[string]func(*rapid.T){
			"request": d.request, "response": d.response, "reset": d.reset, "abort": d.abort,
			"advance": d.advance, "": d.check,
		})
		d.finish(lossless)
		if err := h.Close(); err != nil {
			r.Fatal(err)
		}
	})
}

type drive struct {
	r        *rapid.T
	h        *Host
	s        *Stream
	began    bool
	asked    string // the request's body so far
	complete bool
	answers  map[*Attempt]string
	started  map[*Attempt]bool
	aborted  bool
}

func (d *drive) request(r *rapid.T) {
	eos := rapid.IntRange(0, 3).Draw(r, "eos") == 0
	if !d.began {
		d.began, d.complete = true, eos
		d.s.RequestHeaders(post, eos)
		return
	}
	if d.complete {
		r.Skip("request is complete")
	}
	chunk := rapid.StringMatching(`[a-z]{0,3}`).Draw(r, "chunk")
	d.asked += chunk
	d.complete = eos
	d.s.RequestBody([]byte(chunk), eos)
}

func (d *drive) response(r *rapid.T) {
	a := d.s.Attempt()
	if a == nil {
		r.Skip("no attempt")
	}
	if d.started == nil {
		d.started, d.answers = map[*Attempt]bool{}, map[*Attempt]string{}
	}
	eos := rapid.IntRange(0, 3).Draw(r, "eos") == 0
	if !d.started[a] {
		d.started[a] = true
		status := rapid.SampledFrom([]string{"200", "200", "503"}).Draw(r, "status")
		a.ResponseHeaders([][2]string{{":status", status}}, eos)
		return
	}
	chunk := rapid.StringMatching(`[A-Z]{0,3}`).Draw(r, "chunk")
	d.answers[a] += chunk
	a.ResponseBody([]byte(chunk), eos)
}

func (d *drive) reset(r *rapid.T) {
	if a := d.s.Attempt(); a != nil && rapid.IntRange(0, 4).Draw(r, "reset") == 0 {
		a.Reset(ConnectionClosed)
	}
}

func (d *drive) abort(r *rapid.T) {
	if rapid.IntRange(0, 9).Draw(r, "abort") == 0 {
		d.aborted = true
		d.s.Abort()
	}
}

func (d *drive) advance(r *rapid.T) {
	d.h.Advance(time.Duration(rapid.IntRange(1, 800).Draw(r, "ms")) * time.Millisecond)
}

// check runs after every event.
func (d *drive) check(r *rapid.T) {
	Lifecycles(r, d.h, d.s)
	Healthy(r, d.h)
	if d.s.Ended() {
		NoLeaks(r, d.h)
	}
	for _, a := range d.s.Attempts() {
		if !strings.HasPrefix(d.asked, a.Request().Body()) {
			r.Fatalf("attempt %d got %q of %q", a.Number, a.Request().Body(), d.asked)
		}
	}
}

// finish lets everything end and compares what came out.
func (d *drive) finish(lossless bool) {
	r := d.r
	a := d.s.Attempt()
	if d.began && !d.complete {
		d.s.RequestBody(nil, true)
	}
	if a != nil && !d.s.Ended() && lossless && a == d.s.Attempt() {
		if a.Request().Body() != d.asked || !a.Request().Complete {
			r.Fatalf("forwarded %s of %q", a.Request(), d.asked)
		}
		if !d.started[a] {
			a.ResponseHeaders(nil, false)
		}
		a.ResponseBody(nil, true)
		if m := d.s.Response(); d.s.Attempt() == nil && m.Status() == "200" && m.Body() != d.answers[a] {
			r.Fatalf("the client got %s of %q", m, d.answers[a])
		}
	}
	if d.began {
		d.s.Abort()
		d.check(r)
	}
}
