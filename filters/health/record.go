package health

import (
	"time"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/sliding"
)

// State is where a target's circuit stands.
type State uint8

// The states.
const (
	Closed   State = iota // it gets its traffic
	Open                  // it gets none, until a time
	HalfOpen              // it gets a few requests as probes
	Ramp                  // it gets a share of its traffic, which grows
	states
)

// String is the state's stable name.
func (s State) String() string {
	return [...]string{"closed", "open", "half_open", "ramp"}[s%states]
}

// record is what the VMs of a host know of a target together, and the state
// machine of its circuit. It is comparable; the zero record is a target of which
// nothing is known. Times are in Unix ms.
type record struct {
	state  State
	class  llm.Class // of the error that shut it out last
	trips  uint8     // how often it failed again since it was well
	probes uint8     // that are running
	// gen is the number of the period between two changes: what began in an
	// earlier one says nothing of this one.
	gen    uint32
	run    uint32 // failures in a row
	pause  uint32 // how long it was shut out, in ms
	asked  bool   // Open because it asked to wait
	early  int64  // when Open was last tried before its time
	since  int64  // when the period, or the last probe, began
	until  int64  // when Open or Ramp ends, or the last probe is given up
	window sliding.Window
	first  average
	each   average
}

// average is an exponentially weighted moving average of times.
type average struct {
	micros uint32
	at     int64 // of the last sample
}

// backwards is by how much clocks may differ without any having been set back.
const backwards = 1000

// settle makes the changes that time brings.
func (r *record) settle(u *rule, now int64) {
	if r.ahead(now) { // what is left counts
		r.until -= r.since - now
		r.since = now
	}
	if now < r.until || r.state == Closed {
		return
	}
	switch r.state {
	case Open:
		r.pause = uint32(min(r.until-r.since, maxShut.Milliseconds()))
		r.turn(HalfOpen, now, now)
	case HalfOpen:
		if r.probes > 0 {
			r.turn(HalfOpen, now, now)
		}
	case Ramp:
		r.state, r.trips = Closed, 0 // of the same period: all traffic is only more of it
	}
}

// ahead reports whether the clock was set back since the period began.
func (r *record) ahead(now int64) bool { return r.state != Closed && r.since > now+backwards }

// turn begins a period.
func (r *record) turn(s State, since, until int64) {
	r.state, r.since, r.until = s, since, until
	r.gen++
	r.probes, r.asked, r.early = 0, false, 0
}

// shut opens the circuit until a time; it never shortens what is left. asked: the
// target says so itself.
func (r *record) shut(c llm.Class, now, until int64, asked bool) {
	until = min(until, now+maxShut.Milliseconds())
	switch {
	case until <= now:
	case r.state != Open:
		r.turn(Open, now, until)
		r.class, r.asked = c, asked
	case until > r.until:
		r.since, r.until, r.class, r.asked = now, until, c, asked
	}
}

// mute reports whether nothing is to be had of a target that is shut out, even by
// requests whose other targets failed: it asked to wait, or lets them wait.
func (r *record) mute() bool { return r.asked || r.class == llm.TimeoutError }

// hasten takes the right to try a target that failures shut out before its time.
func (r *record) hasten(now int64) bool {
	if r.state != Open || r.asked || now < max(r.since, r.early)+EarlyEvery.Milliseconds() {
		return false
	}
	r.early = now
	return true
}

// trip opens the circuit because of failures, each time for longer.
func (r *record) trip(u *rule, c llm.Class, now int64) {
	d := u.open
	for range r.trips {
		if d >= u.limit {
			break
		}
		d *= 2
	}
	if r.trips < 255 {
		r.trips++
	}
	r.shut(c, now, now+min(d, u.limit), false)
}

// recover closes the circuit, gently. What failed before is forgotten.
func (r *record) recover(u *rule, now int64) {
	r.turn(Ramp, now, now+min(u.ramp, int64(r.pause)))
	r.run, r.window = 0, sliding.Window{}
	r.settle(u, now)
}

// probe takes the right to try a target that was shut out.
func (r *record) probe(u *rule, now int64) bool {
	if r.state != HalfOpen || r.probes >= u.probes {
		return false
	}
	r.probes++
	r.since, r.until = now, now+u.lease
	return true
}

// share is how much of its traffic the target may get, 0 to 1.
func (r *record) share(u *rule, now int64) float64 {
	switch r.state {
	case Closed:
		return 1
	case Ramp:
		grown := float64(max(0, now-r.since)) / float64(max(1, r.until-r.since))
		return min(1, u.from+(1-u.from)*grown)
	}
	return 0
}

// failing is the share of attempts that failed within the window.
func (r *record) failing(u *rule, now int64) (ratio float64, attempts uint32) {
	p := r.window.Sum(now, u.window)
	if attempts = p.A + p.B; attempts == 0 {
		return 0, 0
	}
	return float64(p.B) / float64(attempts), attempts
}

// apply takes in what was seen.
func (r *record) apply(d *delta, u *rule, now int64) {
	r.settle(u, now)
	r.first.mix(&d.first, now)
	r.each.mix(&d.each, now)
	if d.gen == r.gen {
		r.count(d, u, now)
	}
	if d.probeGen == r.gen {
		r.judge(d, u, now)
	}
	r.shut(d.class, now, d.until, true)
}

// count takes in what ended well and what failed of this period.
func (r *record) count(d *delta, u *rule, now int64) {
	if d.ok|d.failed == 0 || r.state != Closed && r.state != Ramp {
		return
	}
	if d.ok > 0 {
		r.run = 0
	}
	r.run = min(r.run+d.run, 1<<31)
	r.window.Add(now, u.window, d.ok, d.failed)
	if d.failed > 0 && r.ill(u, now) {
		r.trip(u, d.class, now)
	}
}

func (r *record) ill(u *rule, now int64) bool {
	if u.consecutive > 0 && r.run >= u.consecutive {
		return true
	}
	ratio, attempts := r.failing(u, now)
	return u.ratio > 0 && attempts >= u.least && ratio >= u.ratio
}

// judge takes in how probes ended, and what others found. Before a target's time that
// can only help.
func (r *record) judge(d *delta, u *rule, now int64) {
	if r.state == Open && d.verdict == good && !r.asked {
		r.pause = uint32(min(now-r.since, maxShut.Milliseconds()))
		r.recover(u, now)
	}
	if r.state != HalfOpen {
		return
	}
	r.probes -= min(r.probes, d.ended)
	switch d.verdict {
	case bad:
		r.trip(u, d.class, now)
	case good:
		r.recover(u, now)
	}
}

const (
	// memory is how long an average is worth something: a target that nobody
	// chose because it was slow must be tried again one day.
	memory = 5 * 60 * 1000
	// heavy is the number of samples beyond which the earlier ones do not count.
	heavy = 32
)

// mix takes samples in: each weighs an eighth of what is known by then.
func (a *average) mix(s *sample, now int64) {
	if s.n == 0 {
		return
	}
	mean := int64(s.micros / uint64(s.n))
	if a.at == 0 || now-a.at > memory {
		a.micros = uint32(mean)
	} else {
		gap := int64(a.micros) - mean
		for range min(s.n, heavy) {
			gap -= gap / 8
		}
		a.micros = uint32(mean + gap)
	}
	a.at = max(1, now)
}

// read is the average, or 0 when nothing is known.
func (a *average) read(now int64) time.Duration {
	if a.at == 0 || now-a.at > memory {
		return 0
	}
	return time.Duration(a.micros) * time.Microsecond
}

// delta is what a VM saw of a target that the record may not know yet.
type delta struct {
	at       int64  // when the first of it was seen
	gen      uint32 // of the attempts that are counted here
	ok       uint32
	failed   uint32
	run      uint32 // failures after the last success
	probeGen uint32
	ended    uint8 // probes that are over
	verdict  verdict
	class    llm.Class // of the last failure
	until    int64     // shut until; 0: not
	first    sample
	each     sample
}

// verdict is what probes said; the graver one speaks.
type verdict uint8

const (
	nothing verdict = iota
	good
	bad
)

// sample is a sum of times.
type sample struct {
	micros uint64
	n      uint32
}

// maxSample bounds a time that an average takes in: it fits into 32 bits.
const maxSample = time.Hour

func (s *sample) add(d time.Duration) {
	if d > 0 && s.n < heavy*heavy {
		s.micros += uint64(max(1, min(d, maxSample).Microseconds()))
		s.n++
	}
}

func (s *sample) join(o *sample) {
	if s.n < heavy*heavy {
		s.micros, s.n = s.micros+o.micros, s.n+o.n
	}
}

// empty reports whether there is nothing to tell.
func (d *delta) empty() bool {
	return d.ok|d.failed|d.first.n|d.each.n == 0 && !d.urgent()
}

// urgent reports whether other VMs should know at once.
func (d *delta) urgent() bool { return d.failed > 0 || d.judges() || d.until > 0 }

// judges reports whether something was seen of a target that is probed.
func (d *delta) judges() bool { return d.ended > 0 || d.verdict != nothing }

// join adds what was seen later.
func (d *delta) join(o *delta) {
	if d.empty() {
		*d = *o
		return
	}
	if o.ok|o.failed > 0 {
		d.tally(o)
	}
	if o.judges() {
		if d.probeGen != o.probeGen {
			d.probeGen, d.ended, d.verdict = o.probeGen, 0, nothing
		}
		d.ended += min(o.ended, 255-d.ended)
		d.verdict = max(d.verdict, o.verdict)
	}
	if o.urgent() && o.class != llm.NoError {
		d.class = o.class
	}
	d.until = max(d.until, o.until)
	d.first.join(&o.first)
	d.each.join(&o.each)
}

func (d *delta) tally(o *delta) {
	if d.gen != o.gen {
		d.gen, d.ok, d.failed, d.run = o.gen, 0, 0, 0
	}
	if o.ok > 0 {
		d.run = 0
	}
	d.ok, d.failed, d.run = d.ok+o.ok, d.failed+o.failed, d.run+o.run
}
