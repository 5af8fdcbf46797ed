package cohere

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// streamEncoder writes the events of a streamed chat. Contents do not overlap: one
// that begins ends the one before. Calls are told apart by their index, so late
// pieces of a call find it. The finish reason waits for the usage, which goes
// with it, and both for the end. Every answer but the first is left out.
type streamEncoder struct {
	usage  llm.Usage
	finish llm.Finish
	stop   []byte

	contents int // contents begun
	cites    int
	calls    []int // the events' blocks of the calls begun
	open     bool  // a content or a call is
	source   int   // its block
	kind     llm.PartKind

	started, finished, ended bool
}

// NewEncoder writes a streamed answer.
func (chatClient) NewEncoder(*llm.Facts, string) dialect.Encoder { return &streamEncoder{source: -1} }

// Append writes what an event becomes; events that have no place are left out.
func (s *streamEncoder) Append(dst []byte, ev *llm.Event) []byte {
	if s.ended {
		return dst
	}
	switch ev.Kind {
	case llm.Start:
		dst = s.start(dst, ev.ID)
	case llm.BlockStart, llm.Delta, llm.BlockStop, llm.FinishEvent:
		if ev.Choice == 0 && !s.finished {
			dst = s.content(s.start(dst, nil), ev)
		}
	case llm.UsageEvent:
		s.usage = *ev.Usage
	case llm.End:
		dst = s.end(s.start(dst, nil))
	case llm.Failure:
		s.ended = true
	}
	return dst
}

func (s *streamEncoder) start(dst []byte, id llm.Escaped) []byte {
	if s.started {
		return dst
	}
	s.started = true
	w := dialect.Writer{B: append(dst, "event: message-start\ndata: {"...)}
	writeID(&w, id)
	return append(w.B, `,"type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}`+"\n\n"...)
}

func (s *streamEncoder) content(dst []byte, ev *llm.Event) []byte {
	switch {
	case ev.Kind == llm.FinishEvent:
		s.finish, s.finished = ev.Finish, true
		s.stop = append(s.stop, ev.Stop...)
		return s.close(dst)
	case ev.Kind == llm.BlockStop && ev.Block == s.source:
		return s.close(dst)
	case ev.Kind == llm.BlockStop || !shown(ev.Part):
		return dst
	case ev.Part == llm.ToolCallPart:
		return s.call(dst, ev)
	}
	if !s.open || s.source != ev.Block || s.kind != ev.Part {
		dst = s.begin(dst, ev)
	}
	return s.pieces(dst, ev)
}

// shown reports whether a kind of block has a place in a stream.
func shown(k llm.PartKind) bool {
	return k == llm.TextPart || k == llm.RefusalPart || k == llm.ReasoningPart || k == llm.ToolCallPart
}

// head begins an event of the n-th content, citation or call; the caller ends it.
func head(dst []byte, name string, n int) []byte {
	dst = append(append(append(dst, "event: "...), name...), "\ndata: {\"type\":\""...)
	dst = append(append(dst, name...), `","index":`...)
	return strconv.AppendInt(dst, int64(n), 10)
}

func (s *streamEncoder) begin(dst []byte, ev *llm.Event) []byte {
	dst = s.close(dst)
	s.open, s.source, s.kind = true, ev.Block, ev.Part
	dst = head(dst, "content-start", s.contents)
	s.contents++
	field := "text"
	if ev.Part == llm.ReasoningPart {
		field = "thinking"
	}
	w := dialect.Writer{B: append(dst, `,"delta":{"message":{"content":{`...)}
	w.Word("type", field)
	w.Word(field, "")
	return append(w.B, "}}}}\n\n"...)
}

// pieces writes what an event brings of text, signature and citation.
func (s *streamEncoder) pieces(dst []byte, ev *llm.Event) []byte {
	field := "text"
	if ev.Part == llm.ReasoningPart {
		field = "thinking"
	}
	if len(ev.Text) > 0 || len(ev.Sign) > 0 {
		w := dialect.Writer{B: append(head(dst, "content-delta", s.contents-1), `,"delta":{"message":{"content":{`...)}
		w.Text(field, ev.Text)
		writeSeal(&w, ev.Origin, ev.Sign, ev.Redacted)
		dst = append(w.B, "}}}}\n\n"...)
	}
	if ev.Cite != nil && ev.Kind == llm.Delta {
		w := dialect.Writer{B: append(head(dst, "citation-start", s.cites), `,"delta":{"message":{"citations":{`...)}
		writeCitation(&w, ev.Cite, s.contents-1)
		dst = append(head(append(w.B, "}}}}\n\n"...), "citation-end", s.cites), "}\n\n"...)
		s.cites++
	}
	return dst
}

// call writes the start of a call, or a piece of its arguments. Pieces of a call
// that was not begun, and calls beyond the bound, are left out.
func (s *streamEncoder) call(dst []byte, ev *llm.Event) []byte {
	n := len(s.calls) - 1
	for n >= 0 && s.calls[n] != ev.Block {
		n--
	}
	if ev.Kind == llm.BlockStart {
		if n >= 0 || len(s.calls) == maxCalls {
			return dst
		}
		return s.beginCall(dst, ev)
	}
	if n < 0 || len(ev.Text)+len(ev.Sign) == 0 {
		return dst
	}
	dst = append(head(dst, "tool-call-delta", n), `,"delta":{"message":{"tool_calls":{"function":{"arguments":"`...)
	w := dialect.Writer{B: append(append(dst, ev.Text...), `"}`...)}
	writeSeal(&w, ev.Origin, ev.Sign, false)
	return append(w.B, "}}}}\n\n"...)
}

func (s *streamEncoder) beginCall(dst []byte, ev *llm.Event) []byte {
	dst = s.close(dst)
	s.open, s.source, s.kind = true, ev.Block, ev.Part
	s.calls = append(s.calls, ev.Block)
	n := len(s.calls) - 1
	w := dialect.Writer{B: append(head(dst, "tool-call-start", n), `,"delta":{"message":{"tool_calls":{`...)}
	writeCallHead(&w, ev.ID, ev.Name, n)
	w.Word("arguments", "")
	return append(w.B, "}}}}}\n\n"...)
}

// close ends the open content or call.
func (s *streamEncoder) close(dst []byte) []byte {
	if !s.open {
		return dst
	}
	s.open = false
	if s.kind == llm.ToolCallPart {
		return append(head(dst, "tool-call-end", len(s.calls)-1), "}\n\n"...)
	}
	return append(head(dst, "content-end", s.contents-1), "}\n\n"...)
}

// end writes message-end with the finish reason and the usage, and the mark.
func (s *streamEncoder) end(dst []byte) []byte {
	dst = s.close(dst)
	s.ended = true
	if !s.finished {
		s.finish = llm.FinishStop
	}
	w := dialect.Writer{B: append(dst, "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{"...)}
	w.Word("finish_reason", finishWord(s.finish, s.stop))
	w.Object("usage")
	writeUsage(&w, &s.usage)
	return append(w.B, "}}}\n\ndata: [DONE]\n\n"...)
}
