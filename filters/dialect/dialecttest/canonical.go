package dialecttest

import (
	"errors"
	"fmt"

	"github.com/posterngw/postern/filters/llm"
)

// CheckEvents checks what every decoder promises of its events: Start first (but
// for pings and failures) and once; blocks numbered without gaps in a choice;
// deltas only of blocks that were begun, tool calls with arguments; one finish
// per choice, nothing of the choice after it; End or Failure once and last.
func CheckEvents(events []llm.Event) error {
	s := stream{choices: map[int]*choice{}}
	for i := range events {
		if err := s.event(&events[i]); err != nil {
			return fmt.Errorf("event %d (%s): %w", i, line(&events[i]), err)
		}
	}
	if !s.ended {
		return errors.New("neither end nor failure")
	}
	return nil
}

type stream struct {
	started, ended bool
	choices        map[int]*choice
}

type choice struct {
	blocks   []block
	finished bool
}

type block struct {
	kind    llm.PartKind
	stopped bool
	pieces  int
}

func (s *stream) event(e *llm.Event) error {
	var p problems
	p.must(!s.ended, "something follows the end")
	switch e.Kind {
	case llm.Ping:
	case llm.Start:
		p.must(!s.started, "a second start")
		s.started = true
	case llm.UsageEvent:
		p.must(e.Usage != nil && e.Usage.Known, "usage without counts")
	case llm.Failure:
		p.must(e.Err != nil && e.Err.Class != llm.NoError && e.Err.Status >= 400 && e.Err.Code != "" && e.Err.Message != "", "a failure without words")
		s.ended = true
	case llm.End:
		s.ended = true
	default:
		p.must(s.started, "no start before")
		s.content(&p, e)
	}
	return p.err
}

func (s *stream) content(p *problems, e *llm.Event) {
	c := s.choices[e.Choice]
	if c == nil {
		c = &choice{}
		s.choices[e.Choice] = c
	}
	p.must(!c.finished, "something follows the finish")
	switch e.Kind {
	case llm.FinishEvent:
		p.must(e.Finish != llm.NotFinished, "no finish reason")
		c.finished = true
	case llm.BlockStart:
		p.must(e.Block == len(c.blocks), "a gap in the blocks")
		c.blocks = append(c.blocks, block{kind: e.Part})
	case llm.Delta, llm.BlockStop:
		p.must(e.Block >= 0 && e.Block < len(c.blocks), "a block that was not begun")
		if p.err == nil {
			c.blocks[e.Block].event(p, e)
		}
	}
}

func (b *block) event(p *problems, e *llm.Event) {
	p.must(b.kind == e.Part, "a block of another kind")
	if e.Kind == llm.Delta {
		p.must(!b.stopped || b.kind == llm.ToolCallPart, "a delta of a block that was stopped")
		p.must(len(e.Text)+len(e.Sign) > 0 || e.Cite != nil, "an empty delta")
		b.pieces++
		return
	}
	p.must(!b.stopped, "a block stopped twice")
	p.must(b.kind != llm.ToolCallPart || b.pieces > 0, "a tool call without arguments")
	b.stopped = true
}

// problems keeps the first failed condition of an event.
type problems struct{ err error }

func (p *problems) must(ok bool, what string) {
	if !ok && p.err == nil {
		p.err = errors.New(what)
	}
}
