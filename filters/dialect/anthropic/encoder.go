package anthropic

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/sse"
)

// streamEncoder writes the events of a streamed message. Blocks do not overlap:
// a block that begins ends the one before, and what comes late for that is left
// out, as is every answer but the first. The stop reason waits for the usage,
// which goes with it, and both for the end.
type streamEncoder struct {
	model  string
	usage  llm.Usage
	finish llm.Finish
	stop   []byte

	blocks int  // blocks begun
	open   bool // the last of them is
	source int  // its number in the events
	kind   llm.PartKind
	opaque bool // it is redacted: its data came with its start
	called bool // there was a tool call

	started, finished, ended bool
}

// StreamType is that of server-sent events.
func (*client) StreamType(*llm.Facts) string { return sse.MediaType }

// NewEncoder writes a streamed answer under the given model name.
func (*client) NewEncoder(_ *llm.Facts, model string) dialect.Encoder {
	return &streamEncoder{model: model, source: -1}
}

// Append writes what an event becomes; events that have no place are left out.
func (s *streamEncoder) Append(dst []byte, ev *llm.Event) []byte {
	if s.ended {
		return dst
	}
	switch ev.Kind {
	case llm.Ping:
		if s.started {
			dst = append(dst, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
		}
	case llm.Start:
		dst = s.start(dst, ev.ID)
	case llm.BlockStart, llm.Delta, llm.BlockStop, llm.FinishEvent:
		if ev.Choice == 0 && !s.finished {
			dst = s.content(s.start(dst, nil), ev)
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

// start writes message_start, once. The usage at that time is not known of most
// providers; message_delta has it all.
func (s *streamEncoder) start(dst []byte, id llm.Escaped) []byte {
	if s.started {
		return dst
	}
	s.started = true
	w := dialect.Writer{B: append(dst, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{"...)}
	writeHead(&w, id, s.model)
	w.Literal("content", "[]")
	w.Literal("stop_reason", "null")
	w.Literal("stop_sequence", "null")
	writeUsage(&w, &s.usage)
	return append(w.B, "}}\n\n"...)
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
	case ev.Kind == llm.Delta:
		return s.delta(dst, ev)
	case ev.Redacted: // its data is still to come, and stands in its start
		s.source = -1
		return s.close(dst)
	}
	return s.begin(dst, ev)
}

// shown reports whether a kind of block has a place in a stream.
func shown(k llm.PartKind) bool {
	switch k {
	case llm.TextPart, llm.RefusalPart, llm.ReasoningPart, llm.ToolCallPart:
		return true
	}
	return false
}

// begin ends the open block and writes content_block_start.
func (s *streamEncoder) begin(dst []byte, ev *llm.Event) []byte {
	dst = s.close(dst)
	if ev.Part == llm.ToolCallPart && len(ev.Sign) > 0 {
		dst = s.close(s.begin(dst, &llm.Event{Part: llm.ReasoningPart, Redacted: true, Sign: ev.Sign, Origin: ev.Origin}))
	}
	s.open, s.kind, s.source, s.opaque = true, ev.Part, ev.Block, ev.Redacted
	dst = append(dst, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(s.blocks), 10)
	s.blocks++
	w := dialect.Writer{B: append(dst, `,"content_block":{`...)}
	switch {
	case ev.Redacted:
		w.Word("type", "redacted_thinking")
		writeSeal(&w, "data", ev.Origin, ev.Sign)
	case ev.Part == llm.ReasoningPart:
		w.Word("type", "thinking")
		w.Word("thinking", "")
		w.Word("signature", "")
	case ev.Part == llm.ToolCallPart:
		s.called = true
		w.Word("type", "tool_use")
		writeID(&w, ev.ID, s.blocks-1)
		w.Text("name", ev.Name)
		w.Literal("input", "{}")
	default:
		w.Word("type", "text")
		w.Word("text", "")
	}
	return append(w.B, "}}\n\n"...)
}

// delta writes content_block_delta, beginning a block for what came without.
func (s *streamEncoder) delta(dst []byte, ev *llm.Event) []byte {
	if len(ev.Text) == 0 && len(ev.Sign) == 0 && ev.Cite == nil {
		return dst
	}
	fits := s.open && s.source == ev.Block && s.kind == ev.Part && !s.opaque && !ev.Redacted
	if !fits {
		if ev.Part == llm.ToolCallPart {
			return dst
		}
		dst = s.begin(dst, ev)
		if ev.Redacted {
			return dst
		}
	}
	switch {
	case ev.Part == llm.ToolCallPart:
		return s.piece(dst, `"type":"input_json_delta","partial_json":"`, ev.Text)
	case ev.Cite != nil && ev.Part == llm.TextPart:
		return s.cite(dst, ev.Cite)
	case ev.Part != llm.ReasoningPart:
		return s.piece(dst, `"type":"text_delta","text":"`, ev.Text)
	}
	dst = s.piece(dst, `"type":"thinking_delta","thinking":"`, ev.Text)
	if len(ev.Sign) == 0 {
		return dst
	}
	return s.piece(dst, `"type":"signature_delta","signature":"`, dialect.AppendSeal(nil, dialectName, ev.Origin, ev.Sign))
}

// cite writes a citations_delta.
func (s *streamEncoder) cite(dst []byte, c *llm.Citation) []byte {
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(s.blocks-1), 10)
	w := dialect.Writer{B: append(dst, `,"delta":{"type":"citations_delta","citation":{`...)}
	writeCitation(&w, c)
	return append(w.B, "}}}\n\n"...)
}

func (s *streamEncoder) piece(dst []byte, head string, text llm.Escaped) []byte {
	if len(text) == 0 {
		return dst
	}
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(s.blocks-1), 10)
	dst = append(dst, `,"delta":{`...)
	dst = append(dst, head...)
	dst = append(dst, text...)
	return append(dst, "\"}}\n\n"...)
}

// close writes content_block_stop if a block is open.
func (s *streamEncoder) close(dst []byte) []byte {
	if !s.open {
		return dst
	}
	s.open = false
	dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(s.blocks-1), 10)
	return append(dst, "}\n\n"...)
}

// end writes message_delta with the stop reason and the usage, and message_stop.
func (s *streamEncoder) end(dst []byte) []byte {
	dst = s.close(s.start(dst, nil))
	s.ended = true
	if !s.finished {
		s.finish = llm.FinishStop
	}
	w := dialect.Writer{B: append(dst, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"...)}
	writeStop(&w, s.finish, s.stop, s.called)
	w.Close('}')
	writeUsage(&w, &s.usage)
	return append(w.B, "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}
