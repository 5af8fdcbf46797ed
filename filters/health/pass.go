package health

import (
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// Pass is the right of one request to try one target, once. The zero Pass is
// nobody's; its methods do nothing.
type Pass struct {
	t       *target
	gen     uint32
	probe   bool // and not yet judged
	spare   bool // it is no probe, but shows as much as one; not yet judged
	begun   bool
	content bool // was seen
	slow    bool // it came too late
}

// Begin notes that the attempt begins.
func (h *Health) Begin(p *Pass) {
	if p.t != nil && !p.begun {
		p.begun = true
		p.t.outstanding++
	}
}

// Content notes the first content of an answer, and after how long it came. A
// probe succeeds by it: a stream may still run for minutes.
func (h *Health) Content(p *Pass, first time.Duration, now time.Time) {
	if p.t == nil || p.content {
		return
	}
	p.content = true
	d := p.delta(millis(now))
	d.first.add(first)
	o := Outcome{FirstToken: first}
	if p.slow = p.t.rule.slow(&o); !p.slow {
		p.judge(&d, good)
	}
	h.note(p.t, &d)
	if d.judges() {
		p.gen = p.t.view.gen // how the stream ends speaks of the time after it
	}
}

// End notes how the attempt ended. Only the first call counts.
func (h *Health) End(p *Pass, o *Outcome, now time.Time) {
	t := p.t
	if t == nil {
		return
	}
	d := p.delta(millis(now))
	if !p.content {
		d.first.add(o.FirstToken)
	}
	d.each.add(o.PerToken)
	p.weigh(&d, o)
	if p.begun {
		t.outstanding--
	}
	p.t = nil
	h.note(t, &d)
}

// Release gives back a pass that was not used.
func (h *Health) Release(p *Pass, now time.Time) {
	h.End(p, &Outcome{Abandoned: true}, now)
}

func (p *Pass) delta(now int64) delta { return delta{at: now, gen: p.gen, probeGen: p.gen} }

// judge ends a probe. A spare that was tried after all says the same, though it
// took nobody's place.
func (p *Pass) judge(d *delta, v verdict) {
	switch {
	case p.probe:
		d.ended, d.verdict = 1, v
	case p.spare:
		d.verdict = v
	}
	p.probe, p.spare = false, false
}

// weigh says what an outcome means for the target.
func (p *Pass) weigh(d *delta, o *Outcome) {
	u := p.t.rule
	switch failed := u.fails(o.Class); {
	case o.Abandoned:
		if p.content && !p.slow {
			d.ok = 1
		}
		p.judge(d, nothing)
	case failed && (o.After > 0 || o.Class == llm.QuotaExhausted):
		wait := o.After
		if wait <= 0 {
			wait = u.quota
		}
		d.class, d.until = o.Class, d.at+max(1, min(wait, maxShut).Milliseconds())
		p.judge(d, nothing)
	case failed || p.slow || o.Class == llm.NoError && u.slow(o):
		d.class, d.failed, d.run = o.Class, 1, 1
		if !failed {
			d.class = llm.TimeoutError
		}
		p.judge(d, bad)
	default:
		d.ok = 1
		p.judge(d, good)
	}
}

// note takes in what was seen, and tells the other VMs what they must know.
func (h *Health) note(t *target, d *delta) {
	resets := d.ok > 0 && t.view.run > 0
	t.view.apply(d, t.rule, d.at)
	t.pending.join(d)
	if resets || d.urgent() {
		h.sync(t, d.at, none)
	}
}
