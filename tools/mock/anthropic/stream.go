package anthropic

import (
	"bytes"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
)

type startEvent struct {
	Type    string  `json:"type"`
	Message message `json:"message"`
}

type blockEvent struct {
	Type  string        `json:"type"`
	Index int           `json:"index"`
	Block *contentBlock `json:"content_block,omitempty"`
	Delta *delta        `json:"delta,omitempty"`
}

type delta struct {
	Type      string  `json:"type"`
	Text      *string `json:"text,omitempty"`
	Thinking  *string `json:"thinking,omitempty"`
	Signature string  `json:"signature,omitempty"`
	Partial   *string `json:"partial_json,omitempty"`
}

type deltaEvent struct {
	Type  string `json:"type"`
	Delta struct {
		StopReason   *string `json:"stop_reason"`
		StopSequence *string `json:"stop_sequence"`
	} `json:"delta"`
	Usage *usage `json:"usage,omitempty"`
}

// streamer writes the events of one answer.
type streamer struct {
	x      *core.Exchange
	t      *turn
	r      *core.Rand
	index  int
	frames []core.Frame
}

// Stream implements core.Turn.
func (t *turn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	s := &streamer{x: x, t: t}
	start := startEvent{"message_start", t.message(x)}
	s.r = x.World.Rand("stream", start.Message.ID)
	if !x.Scenario.NoUsage {
		start.Message.Usage = usageOf(a.Usage)
		start.Message.Usage.Output, start.Message.Usage.Details = min(a.Usage.Output, 1+s.r.Intn(8)), nil
	}
	s.event(core.Opening, "message_start", start)
	for range x.Scenario.Pings {
		s.ping()
	}
	if x.Scenario.Unknown {
		s.event(core.Opening, "x_mock_unknown", map[string]string{"type": "x_mock_unknown"})
	}
	end := deltaEvent{Type: "message_delta"}
	if len(a.Choices) > 0 {
		c := &a.Choices[0]
		s.content(c)
		end.Delta.StopReason = stopReason(c)
		if c.Finish == core.FinishSequence {
			end.Delta.StopSequence = &c.StopText
		}
	}
	s.finish(end, a.Usage)
	return core.Reply{Status: 200, Header: header(x, eventType), Frames: s.frames}
}

func (s *streamer) finish(end deltaEvent, u core.Usage) {
	if !s.x.Scenario.NoUsage {
		end.Usage = usageOf(u)
		end.Usage.CacheCreation, end.Usage.ServiceTier, end.Usage.InferenceGeo = nil, "", ""
	}
	s.event(core.Closing, "message_delta", end)
	s.frames[len(s.frames)-1].Reports = !s.x.Scenario.NoUsage
	s.event(core.Closing, "message_stop", map[string]string{"type": "message_stop"})
}

func (s *streamer) content(c *core.Choice) {
	if len(c.Thinking) > 0 {
		s.thinking(c)
	}
	if len(c.Text) > 0 {
		s.text(c.Text)
	}
	for _, call := range c.Calls {
		s.call(call)
	}
}

func (s *streamer) thinking(c *core.Choice) {
	empty := ""
	s.open(core.Opening, contentBlock{Type: "thinking", Thinking: &empty, Signature: &empty})
	if !s.t.omitted {
		for _, part := range core.Ragged(c.Thinking, s.r, 6) {
			s.delta(delta{Type: "thinking_delta", Thinking: &part})
		}
	}
	s.delta(delta{Type: "signature_delta", Signature: sign(s.x.World, s.t.thought(c))})
	s.close()
}

func (s *streamer) text(pieces []string) {
	empty := ""
	s.open(core.Opening, contentBlock{Type: "text", Text: &empty})
	parts := core.Ragged(pieces, s.r, 6)
	if n := s.x.World.ChunksOf(&s.x.Scenario); n > 0 {
		parts = core.Even(pieces, n)
	}
	for _, part := range parts {
		s.delta(delta{Type: "text_delta", Text: &part})
	}
	s.close()
}

// argumentChunk is about how many bytes of arguments come in one event.
const argumentChunk = 12

func (s *streamer) call(call core.Call) {
	s.open(core.Content, toolUse(s.x, call))
	for _, part := range append([]string{""}, core.Bytewise(call.Args, argumentChunk)...) {
		s.delta(delta{Type: "input_json_delta", Partial: &part})
	}
	s.close()
}

// open begins a block. The first one is followed by a ping, as the API has it.
func (s *streamer) open(kind core.FrameKind, b contentBlock) {
	s.event(kind, "content_block_start", blockEvent{Type: "content_block_start", Index: s.index, Block: &b})
	if s.index == 0 {
		s.ping()
	}
}

func (s *streamer) delta(d delta) {
	s.event(core.Content, "content_block_delta", blockEvent{Type: "content_block_delta", Index: s.index, Delta: &d})
}

func (s *streamer) close() {
	s.event(core.Content, "content_block_stop", blockEvent{Type: "content_block_stop", Index: s.index})
	s.index++
}

func (s *streamer) ping() {
	s.frames = append(s.frames, core.Frame{Kind: core.Opening, Data: sse("ping", []byte(`{"type": "ping"}`))})
}

// event adds an event; the API pads the data with spaces.
func (s *streamer) event(kind core.FrameKind, name string, v any) {
	data := append(encode(v), bytes.Repeat([]byte(" "), s.r.Intn(16))...)
	s.frames = append(s.frames, core.Frame{Kind: kind, Data: sse(name, data)})
}

func sse(name string, data []byte) []byte {
	return []byte("event: " + name + "\ndata: " + strings.TrimSuffix(string(data), "\n") + "\n\n")
}
