package health

import (
	"time"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/shared"
)

// Target is what the health of a target is kept under: targets of one name are
// one, also those of several models.
type Target struct {
	Name     string
	Provider string
}

// Outcome is how an attempt ended.
type Outcome struct {
	Class      llm.Class     // llm.NoError: well
	FirstToken time.Duration // until the first content; 0: there was none, or the answer came whole
	PerToken   time.Duration // between output tokens; 0: unknown
	Took       time.Duration // until its end
	After      time.Duration // how long the provider asks to wait: llm.Error.After
	// Abandoned: the client left before the target could show how it is.
	Abandoned bool
}

// Snapshot is what choosing reads of a target.
type Snapshot struct {
	State       State
	Until       time.Time     // when Open or Ramp ends; else the zero time
	Cause       llm.Class     // what shut it out last, unless Closed
	Share       float64       // of its traffic that it may get now: 1 Closed, 0 Open and HalfOpen
	Outstanding int           // attempts that run, of this VM
	FirstToken  time.Duration // moving average; 0: unknown
	PerToken    time.Duration // moving average; 0: unknown
	ErrorRatio  float64       // of the attempts within the window
}

// Verdict says whether a target may be in a plan.
type Verdict uint8

// The verdicts.
const (
	Refused  Verdict = iota // it is shut out
	Shut                    // the same, but behind others, if there are any, it may stand
	Spare                   // behind all that are not shut out, if there are any: others probe it
	Last                    // behind all that are admitted: it has had its share
	Admitted                // at its place
)

const (
	// LookEvery is how often a VM looks whether another one has shut a target
	// out, at most.
	LookEvery = 100 * time.Millisecond
	// FlushEvery is how often Tick tells the other VMs what went well.
	FlushEvery = time.Second
	// EarlyEvery is how often a target that failures shut out is tried before its
	// time, at most, by requests that have no other.
	EarlyEvery = time.Second
	// maxFlush bounds the targets that one Tick tells of.
	maxFlush = 64
	// aloneFor is how long a host that takes no shared data is not asked again.
	aloneFor = 1000

	// prefix has the version of values: a module with another one, on the same
	// host while one replaces the other, has keys of its own and overwrites nothing.
	prefix = "postern.health.2."
	// openings is a key whose version changes whenever a target is shut out, or
	// comes back before its time.
	openings = "postern.health.2"
)

// Health is the health of all targets of one configuration as one VM sees it.
type Health struct {
	data    shared.Data
	entries []entry
	used    []*target // those of which something is known
	hand    int
	looked  int64  // when openings was read last, Unix ms
	version uint32 // of openings then
	alone   int64  // the host takes nothing; not asked before, Unix ms
	scratch record
	buf     []byte
}

// entry is a target of the configuration: its name, and what is known of it, if
// anything is.
type entry struct {
	key   string
	first int // the entry of the same name
	rule  *rule
	known *target
}

// target is what a VM knows of a target.
type target struct {
	key         string
	rule        *rule
	view        record // the host's, and what this VM saw since
	pending     delta  // what the host's does not know yet
	version     uint32 // of openings when the view was taken
	taken       bool
	retry       int64 // too contended: not before, Unix ms
	outstanding int
}

// New returns the health of the configured targets, which are spoken of by
// their index. All VMs of a host give the same shared data; with nil each VM
// keeps its own.
func New(c *Config, targets []Target, d shared.Data) *Health {
	h := &Health{data: d, entries: make([]entry, len(targets))}
	first := make(map[string]int, len(targets))
	base := newRule(&c.Settings)
	for i := range targets {
		e := &h.entries[i]
		e.key, e.rule, e.first = prefix+targets[i].Name, base, i
		if j, ok := first[targets[i].Name]; ok {
			e.first = j
			continue
		}
		first[targets[i].Name] = i
		if len(c.Providers)+len(c.Targets) > 0 {
			s := c.settings(&targets[i])
			e.rule = newRule(&s)
		}
	}
	return h
}

// Look is the snapshot of a target. With shared data it costs a host call per
// LookEvery, and two more when a target was shut out by another VM since.
func (h *Health) Look(i int, now time.Time) Snapshot {
	t, ms := h.fresh(i, now)
	r := &t.view
	s := Snapshot{State: r.state, Share: r.share(t.rule, ms), Outstanding: t.outstanding,
		FirstToken: r.first.read(ms), PerToken: r.each.read(ms)}
	s.ErrorRatio, _ = r.failing(t.rule, ms)
	if r.state != Closed {
		s.Cause = r.class
	}
	if r.state == Open || r.state == Ramp {
		s.Until = time.UnixMilli(r.until)
	}
	return s
}

// Admit asks whether a target may be in the plan of a request. Only the first of a
// plan probes a target that was shut out: one that stands behind others may
// never be tried, and would keep the probe from those that try it. chance is a
// random number that decides by the target's share. A pass that is not Refused
// must come to End or Release, whatever happens: it may be the right to probe.
func (h *Health) Admit(i int, first bool, chance uint64, now time.Time) (Pass, Verdict) {
	t, ms := h.fresh(i, now)
	if t.view.state == HalfOpen && first && h.sync(t, ms, probe) {
		return Pass{t: t, gen: t.view.gen, probe: true}, Admitted
	}
	p := Pass{t: t, gen: t.view.gen}
	switch t.view.state {
	case Open:
		if t.view.mute() {
			return Pass{}, Refused
		}
		p.spare = true
		return p, Shut
	case HalfOpen:
		p.spare = true
		return p, Spare
	case Ramp:
		if float64(chance>>11)/(1<<53) >= t.view.share(t.rule, ms) {
			return p, Last
		}
	}
	return p, Admitted
}

// Early asks whether a request that has no other target may try one that failures
// shut out before its time: an outage should not last longer than it does. One
// that asked to wait is left alone. If it works the circuit closes; if not,
// nothing changes.
func (h *Health) Early(i int, now time.Time) (Pass, bool) {
	t, ms := h.fresh(i, now)
	if v := t.view; !v.hasten(ms) || !h.sync(t, ms, early) {
		return Pass{}, false
	}
	return Pass{t: t, gen: t.view.gen, spare: true}, true
}

// claim is a right that a VM may take on a target that is shut out.
type claim uint8

const (
	none  claim = iota
	probe       // to try it, its time being over
	early       // to try it before
)

func (r *record) claim(c claim, u *rule, now int64) bool {
	switch c {
	case probe:
		return r.probe(u, now)
	case early:
		return r.hasten(now)
	}
	return false
}

// fresh brings a target's view up to date, as far as it is worth a host call.
func (h *Health) fresh(i int, now time.Time) (*target, int64) {
	t, ms := h.target(i), millis(now)
	h.look(ms)
	if !t.taken || t.version != h.version || t.pending.urgent() || t.view.ahead(ms) {
		h.sync(t, ms, none)
	}
	t.view.settle(t.rule, ms)
	return t, ms
}

func (h *Health) target(i int) *target {
	e := &h.entries[i]
	if e.known == nil {
		if e.first != i {
			e.known = h.target(e.first)
		} else {
			e.known = &target{key: e.key, rule: e.rule}
			h.used = append(h.used, e.known)
		}
	}
	return e.known
}

// look reads whether any target was shut out.
func (h *Health) look(now int64) {
	if h.data == nil || now >= h.looked && now-h.looked < LookEvery.Milliseconds() {
		return
	}
	h.looked = now
	_, h.version, _ = h.data.Shared(openings)
}

// sync brings a target's view and the host's record together, and takes a right
// if it is asked to. A host that is too contended gives none.
func (h *Health) sync(t *target, now int64, c claim) (taken bool) {
	if h.data == nil || now < h.alone && h.alone <= now+aloneFor {
		return h.keep(t, now, c)
	}
	if now < t.retry && t.retry <= now+LookEvery.Milliseconds() {
		return false
	}
	t.pending.expire(t.rule, now)
	news := false // that others do not learn by the time alone
	switch shared.Update(h.data, t.key, func(old []byte) []byte {
		before := h.meet(t, old, now)
		taken = h.scratch.claim(c, t.rule, now)
		if h.scratch == (record{}) {
			return old // nothing to tell, and nothing known
		}
		news = h.scratch.state == Open && (before.state != Open || before.until != h.scratch.until) ||
			before.state == Open && before.until > now && (h.scratch.state == Ramp || h.scratch.state == Closed)
		h.buf = appendRecord(h.buf[:0], &h.scratch)
		return h.buf
	}) {
	case shared.Contended:
		t.retry = now + LookEvery.Milliseconds()
		return false
	case shared.Absent:
		h.alone = now + aloneFor
		return h.keep(t, now, c)
	}
	t.view, t.pending, t.version, t.taken = h.scratch, delta{}, h.version, true
	if news {
		h.data.SetShared(openings, []byte{1}, 0)
	}
	return taken
}

// meet makes the new record of a target, from the host's value and what this VM
// has to tell. Where the host has none, this VM's view is the first.
func (h *Health) meet(t *target, value []byte, now int64) (before record) {
	before, ok := readRecord(value)
	h.scratch = t.view
	if ok {
		h.scratch = before
		h.scratch.apply(&t.pending, t.rule, now)
	}
	h.scratch.settle(t.rule, now)
	return before
}

// keep goes on without shared data: the view is all there is. What shut the
// target out is told if the host takes something again.
func (h *Health) keep(t *target, now int64, c claim) bool {
	t.pending, t.version, t.taken = delta{}, h.version, true
	t.view.settle(t.rule, now)
	taken := t.view.claim(c, t.rule, now)
	if t.view.state == Open && h.data != nil {
		t.pending = delta{at: now, until: t.view.until, class: t.view.class}
	}
	return taken
}

// expire drops what ended well so long ago that it is not worth telling. Of a
// time to wait, what is left counts when the clock was set back.
func (d *delta) expire(u *rule, now int64) {
	if back := d.at - now; back > backwards && d.until > 0 {
		d.until, d.at = d.until-back, now
	}
	if now-d.at > u.window {
		d.ok, d.first, d.each = 0, sample{}, sample{}
	}
}

// Tick tells the other VMs what went well, of up to 64 targets. It is meant to
// run about once per FlushEvery; without it only failures are told, and with them
// what went well before.
func (h *Health) Tick(now time.Time) {
	ms, flushed := millis(now), 0
	for range h.used {
		if h.hand++; h.hand >= len(h.used) {
			h.hand = 0
		}
		t := h.used[h.hand]
		if age := ms - t.pending.at; t.pending.empty() || age >= 0 && age < FlushEvery.Milliseconds()/2 {
			continue
		}
		h.sync(t, ms, none)
		if flushed++; flushed == maxFlush {
			return
		}
	}
}

// millis is a time in Unix ms, within the bounds of a record.
func millis(t time.Time) int64 { return min(max(0, t.UnixMilli()), maxTime-2*maxShut.Milliseconds()) }

// Refusal is the error for a request all of whose targets are shut out; after is
// the time until the first of them may be tried.
func Refusal(after time.Duration) *llm.Error {
	return &llm.Error{Class: llm.Overloaded, Source: llm.FromPostern, Status: 503, Code: "no_healthy_target",
		Message: "all targets of the model are failing or have asked to wait", After: max(time.Second, after)}
}
