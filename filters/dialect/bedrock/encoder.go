package bedrock

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/eventstream"
)

// streamEncoder writes the messages of ConverseStream. Blocks do not overlap: a
// block that begins ends the one before, and what comes late for that is left out,
// as is every answer but the first. A block of text or of reasoning begins with
// its first piece. The stop reason and the usage wait for the end.
type streamEncoder struct {
	usage  llm.Usage
	finish llm.Finish
	stop   bool // a stop sequence matched

	blocks   int  // blocks begun
	open     bool // the last of them is
	source   int  // its number in the events
	kind     llm.PartKind
	redacted bool
	called   bool // there was a tool call

	started, finished, ended bool
}

// NewEncoder writes a streamed answer. Nothing in it names the model.
func (*client) NewEncoder(*llm.Facts, string) dialect.Encoder { return &streamEncoder{source: -1} }

// Append writes what an event becomes; events that have no place are left out.
func (s *streamEncoder) Append(dst []byte, ev *llm.Event) []byte {
	if s.ended {
		return dst
	}
	switch ev.Kind {
	case llm.Start:
		dst = s.start(dst)
	case llm.BlockStart, llm.Delta, llm.BlockStop, llm.FinishEvent:
		if ev.Choice == 0 && !s.finished {
			dst = s.content(s.start(dst), ev)
		}
	case llm.UsageEvent:
		s.usage = *ev.Usage
	case llm.End:
		dst = s.end(dst)
	case llm.Failure:
		s.ended = true
	}
	return dst
}

// message begins a message, whose payload is an object that the caller goes on with.
type message struct {
	frame eventstream.Writer
	w     dialect.Writer
}

//go:noinline
func (m *message) begin(dst []byte, name string) {
	m.frame.B = dst
	m.frame.Begin()
	m.frame.Text(":event-type", name)
	m.frame.Text(":content-type", "application/json")
	m.frame.Text(":message-type", "event")
	m.frame.Body()
	m.w.B = m.frame.B
	m.w.Begin('{')
}

//go:noinline
func (m *message) end() []byte {
	m.w.Close('}')
	m.frame.B = m.w.B
	m.frame.End()
	return m.frame.B
}

func (s *streamEncoder) start(dst []byte) []byte {
	if s.started {
		return dst
	}
	s.started = true
	var m message
	m.begin(dst, "messageStart")
	m.w.Word("role", "assistant")
	return m.end()
}

func (s *streamEncoder) content(dst []byte, ev *llm.Event) []byte {
	switch ev.Kind {
	case llm.FinishEvent:
		s.finish, s.finished, s.stop = ev.Finish, true, len(ev.Stop) > 0
		return s.close(dst)
	case llm.BlockStop:
		if ev.Block == s.source {
			return s.close(dst)
		}
	case llm.Delta:
		return s.delta(dst, ev)
	case llm.BlockStart:
		if ev.Part == llm.ToolCallPart {
			return s.begin(dst, ev)
		}
	}
	return dst
}

// begin ends the open block and begins another; only a tool call has a start that
// is written.
func (s *streamEncoder) begin(dst []byte, ev *llm.Event) []byte {
	dst = s.close(dst)
	s.open, s.kind, s.source, s.redacted = true, ev.Part, ev.Block, ev.Redacted
	s.blocks++
	if ev.Part != llm.ToolCallPart {
		return dst
	}
	s.called = true
	var m message
	m.begin(dst, "contentBlockStart")
	s.index(&m.w)
	m.w.Object("start")
	m.w.Object("toolUse")
	writeID(&m.w, ev.ID, s.blocks-1)
	m.w.Text("name", ev.Name)
	m.w.Close('}')
	m.w.Close('}')
	return m.end()
}

func (s *streamEncoder) index(w *dialect.Writer) { w.Int("contentBlockIndex", int64(s.blocks-1)) }

// delta writes contentBlockDelta, beginning a block for what came without.
func (s *streamEncoder) delta(dst []byte, ev *llm.Event) []byte {
	switch {
	case !says(ev):
		return dst
	case s.open && s.source == ev.Block && s.kind == ev.Part && s.redacted == ev.Redacted:
	case ev.Part == llm.TextPart, ev.Part == llm.RefusalPart, ev.Part == llm.ReasoningPart:
		dst = s.begin(dst, ev)
	default:
		return dst
	}
	if ev.Part == llm.ReasoningPart {
		return s.reasoning(dst, ev)
	}
	var m message
	if len(ev.Text) > 0 {
		m.begin(dst, "contentBlockDelta")
		s.index(&m.w)
		m.w.Object("delta")
		if ev.Part == llm.ToolCallPart {
			m.w.Object("toolUse")
			m.w.Text("input", ev.Text)
			m.w.Close('}')
		} else {
			m.w.Text("text", ev.Text)
		}
		m.w.Close('}')
		dst = m.end()
	}
	if ev.Cite == nil || ev.Part == llm.ToolCallPart {
		return dst
	}
	m.begin(dst, "contentBlockDelta")
	s.index(&m.w)
	m.w.Object("delta")
	m.w.Object("citation")
	writeCitation(&m.w, ev.Cite)
	m.w.Close('}')
	m.w.Close('}')
	return m.end()
}

// says reports whether a delta has something that can be written.
func says(ev *llm.Event) bool {
	switch {
	case ev.Part != llm.ReasoningPart:
		return len(ev.Text) > 0 || ev.Cite != nil && ev.Part != llm.ToolCallPart
	case ev.Redacted:
		return len(ev.Sign) > 0
	}
	return len(ev.Text) > 0 || len(ev.Sign) > 0
}

func (s *streamEncoder) reasoning(dst []byte, ev *llm.Event) []byte {
	if !ev.Redacted && len(ev.Text) > 0 {
		dst = s.thought(dst, "text", ev.Text)
	}
	switch {
	case len(ev.Sign) == 0:
		return dst
	case ev.Redacted:
		return s.thought(dst, "redactedContent", appendBlob(nil, claudeOrigin, ev.Origin, ev.Sign))
	}
	return s.thought(dst, "signature", dialect.AppendSeal(nil, claudeOrigin, ev.Origin, ev.Sign))
}

func (s *streamEncoder) thought(dst []byte, member string, text llm.Escaped) []byte {
	var m message
	m.begin(dst, "contentBlockDelta")
	s.index(&m.w)
	m.w.Object("delta")
	m.w.Object("reasoningContent")
	m.w.Text(member, text)
	m.w.Close('}')
	m.w.Close('}')
	return m.end()
}

// close writes contentBlockStop if a block is open.
func (s *streamEncoder) close(dst []byte) []byte {
	if !s.open {
		return dst
	}
	s.open = false
	var m message
	m.begin(dst, "contentBlockStop")
	s.index(&m.w)
	return m.end()
}

// end writes messageStop and metadata.
func (s *streamEncoder) end(dst []byte) []byte {
	dst = s.close(s.start(dst))
	s.ended = true
	var m message
	m.begin(dst, "messageStop")
	m.w.Word("stopReason", stopWord(s.finish, s.stop, s.called))
	dst = m.end()
	m.begin(dst, "metadata")
	writeUsage(&m.w, &s.usage)
	writeMetrics(&m.w)
	return m.end()
}
