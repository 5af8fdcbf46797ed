package route

import (
	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/llm"
)

// The reasons for which a target is left out, besides those of the other parts
// (a policy's id, a budget's code, what a translation cannot carry).
const (
	Unhealthy     = "unhealthy"      // it is shut out, and got no pass
	PlanFull      = "plan_full"      // there are enough others before it
	NoName        = "no_name"        // its upstream model is a pattern, and the request matched none
	ContextWindow = "context_window" // question and answer do not fit
	OtherTask     = "other_task"     // it is for other tasks
	NotCanary     = "not_canary"     // it is a canary, and the request is not of its share
	NotPinned     = "not_pinned"     // the client wants another target
	SmallerWindow = "smaller_window" // it has no more room than the target that had too little
	NoFailover    = "no_failover"    // the client wants one attempt
)

// abilities are the needs that a target may lack, with the words for them and
// the reasons of targets that lack them.
var abilities = [...]struct {
	need         llm.Needs
	word, reason string
}{
	{llm.NeedTools, "tools", "cannot_tools"},
	{llm.NeedImages, "images", "cannot_images"},
	{llm.NeedAudio, "audio", "cannot_audio"},
	{llm.NeedVideo, "video", "cannot_video"},
	{llm.NeedDocuments, "documents", "cannot_documents"},
	{llm.NeedSchema, "schema", "cannot_schema"},
	{llm.NeedReasoning, "reasoning", "cannot_reasoning"},
}

// lacking is the reason for which a target cannot serve what a request needs.
func lacking(can, needs llm.Needs) string {
	if needs&^can == 0 {
		return ""
	}
	for i := range abilities {
		if a := &abilities[i]; needs&^can&a.need != 0 {
			return a.reason
		}
	}
	return ""
}

// Ask is what choosing needs to know of a request.
type Ask struct {
	Facts  *llm.Facts
	Star   string // see Table.Find
	Task   string // that the client named; empty: the model's rules say
	Pin    string // the one target that the client wants; empty: any
	Single bool   // the client wants one attempt
	Sticky uint64 // equal for requests that belong together; 0: it belongs to none
	Seed   uint64
}

// Sources is what the other parts say of a target.
type Sources interface {
	// Judge says why a target cannot serve the request; empty when it can.
	Judge(t *Target) (reason string)
	// Look is how a target is.
	Look(t *Target) health.Snapshot
	// Cost is what so many tokens cost at a target; false when it has no price.
	Cost(t *Target, input, output int64) (micros int64, known bool)
}

// Choose makes the plan of a request.
func (m *Model) Choose(ask *Ask, from Sources) Plan {
	c := choice{Ask: ask, from: from, m: m}
	c.plan.Task = c.task()
	c.draw()
	room := [...]candidate{{}, {}, {}, {}}
	list := room[:0]
	for _, t := range m.Targets {
		one := candidate{t: t.named(ask.Star)}
		if one.t == nil {
			c.plan.Exclude(t, NoName)
			continue
		}
		if reason := c.filter(&one); reason != "" {
			c.plan.Exclude(one.t, reason)
			continue
		}
		list = append(list, one)
	}
	if len(list) > 1 {
		c.score(list)
		sortCandidates(list)
	}
	c.take(list)
	return c.plan
}

// choice is the making of one plan.
type choice struct {
	*Ask
	from Sources
	m    *Model
	plan Plan
}

// candidate is a target that may get into the plan.
type candidate struct {
	t     *Target
	how   health.Snapshot
	score Score
}

// filter says why a target is left out; empty when it is not.
func (c *choice) filter(one *candidate) string {
	t := one.t
	switch {
	case c.Pin != "" && t.Name != c.Pin:
		return NotPinned
	case t.Canary > 0 && t.Name != c.plan.Canary && c.Pin == "":
		return NotCanary
	}
	if reason := c.from.Judge(t); reason != "" {
		return reason
	}
	if reason := lacking(t.Can, c.Facts.Needs); reason != "" {
		return reason
	}
	if !t.takes(c.plan.Task) {
		return OtherTask
	}
	if in, out := t.Estimate(c.Facts); t.Window > 0 && in+out > int64(t.Window) {
		return ContextWindow
	}
	if len(c.m.Targets) > 1 { // else there is nothing to order
		one.how = c.from.Look(t)
	}
	return ""
}

// take fills the plan.
func (c *choice) take(list []candidate) {
	n, full := min(len(list), MaxPlan), PlanFull
	if c.Single {
		n, full = min(n, 1), NoFailover
	}
	c.plan.Targets = make([]*Target, n)
	if len(list) > 1 {
		c.plan.Scores = make([]Scored, n)
	}
	for i := range list {
		switch {
		case i >= n:
			c.plan.Exclude(list[i].t, full)
			continue
		case len(list) > 1:
			c.plan.Scores[i] = Scored{list[i].t, list[i].score, list[i].shut()}
		}
		c.plan.Targets[i] = list[i].t
	}
}

// draw decides whether the request belongs to a canary's share.
func (c *choice) draw() {
	if !c.m.canaries {
		return
	}
	at := c.chance(saltCanary)
	for _, t := range c.m.Targets {
		if at -= t.Canary; at < 0 {
			c.plan.Canary = t.Name
			return
		}
	}
}

// imageTokens is what an image is taken for.
const imageTokens = 800

// Estimate guesses the tokens of a request at a target: what it reads, and what
// it may write at most, 0 when nothing bounds that.
func (t *Target) Estimate(f *llm.Facts) (input, output int64) {
	const bytesPerToken = 4
	out := f.MaxTokens
	if out == 0 {
		out = t.Codec.MaxTokens
	}
	return int64((f.TextBytes+bytesPerToken-1)/bytesPerToken + f.Images*imageTokens), int64(out) * int64(max(f.Choices, 1))
}
