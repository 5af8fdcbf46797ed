package openai

import (
	"encoding/json"

	"github.com/posterngw/postern/tools/mock/core"
)

// chunk is one event of a stream; members in the order in which the API writes
// them.
type chunk struct {
	ID          string           `json:"id"`
	Object      string           `json:"object"`
	Created     int64            `json:"created"`
	Model       string           `json:"model"`
	ServiceTier string           `json:"service_tier"`
	Fingerprint *string          `json:"system_fingerprint"`
	Choices     []chunkChoice    `json:"choices"`
	Usage       *json.RawMessage `json:"usage,omitempty"`
	Obfuscation *string          `json:"obfuscation,omitempty"`
	Unknown     string           `json:"x_mock_unknown,omitempty"`
}

type chunkChoice struct {
	Index    int              `json:"index"`
	Delta    delta            `json:"delta"`
	Logprobs *json.RawMessage `json:"logprobs,omitempty"`
	Finish   *string          `json:"finish_reason"`
}

type delta struct {
	Role         string           `json:"role,omitempty"`
	Content      *json.RawMessage `json:"content,omitempty"`
	ToolCalls    []toolCall       `json:"tool_calls,omitempty"`
	FunctionCall *function        `json:"function_call,omitempty"`
	Refusal      *json.RawMessage `json:"refusal,omitempty"`
}

// streamer writes the events of one answer.
type streamer struct {
	x      *core.Exchange
	t      *turn
	head   chunk
	pad    *core.Rand
	frames []core.Frame
}

// Stream implements core.Turn.
func (t *turn) Stream(x *core.Exchange, a *core.Answer) core.Reply {
	s := &streamer{x: x, t: t, head: chunk{
		ID: newID(x), Object: "chat.completion.chunk", Created: x.World.Now().Unix(),
		Model: t.prompt.Model.Snapshot, ServiceTier: t.tier, Fingerprint: t.fingerprint(x),
	}}
	s.pad = x.World.Rand("obfuscation", s.head.ID)
	s.pings()
	s.choices(a.Choices)
	if t.usage && !x.Scenario.NoUsage {
		s.usage(a.Usage)
	}
	s.frames = append(s.frames, core.Frame{Kind: core.Closing, Data: []byte("data: [DONE]\n\n")})
	return core.Reply{Status: 200, Header: streamHeader(x), Frames: s.frames}
}

// pings are comments: the API sends none, but proxies before it do.
func (s *streamer) pings() {
	for range s.x.Scenario.Pings {
		s.frames = append(s.frames, core.Frame{Kind: core.Opening, Data: []byte(": keep-alive\n\n")})
	}
}

// choices opens every choice, then takes turns between them, as the API does.
func (s *streamer) choices(list []core.Choice) {
	var queues [][]step
	for i := range list {
		queues = append(queues, s.steps(&list[i], i))
	}
	for left := true; left; {
		left = false
		for i := range queues {
			if len(queues[i]) == 0 {
				continue
			}
			left = true
			s.emit(queues[i][0])
			queues[i] = queues[i][1:]
		}
	}
}

// step is one event of one choice.
type step struct {
	kind   core.FrameKind
	choice chunkChoice
}

func (s *streamer) steps(c *core.Choice, i int) []step {
	var out []step
	switch {
	case len(c.Calls) > 0 && s.t.functions:
		out = s.functionSteps(c.Calls[0])
	case len(c.Calls) > 0:
		out = s.callSteps(c.Calls)
	default:
		out = s.textSteps(c)
	}
	finish := s.t.finish(c)
	out = append(out, step{core.Closing, chunkChoice{Finish: &finish}})
	for j := range out {
		out[j].choice.Index = i
		if out[j].choice.Logprobs == nil {
			out[j].choice.Logprobs = s.t.logprobsOf(s.x, nil)
		}
	}
	return out
}

func (s *streamer) textSteps(c *core.Choice) []step {
	refused := c.Finish == core.FinishRefused
	out := []step{{core.Opening, chunkChoice{Delta: delta{Role: "assistant", Content: quoted(""), Refusal: &null}}}}
	for _, said := range core.Even(c.Text, s.x.World.ChunksOf(&s.x.Scenario)) {
		d := delta{Content: quoted(said)}
		if refused {
			d = delta{Refusal: quoted(said)}
		}
		out = append(out, step{core.Content, chunkChoice{Delta: d, Logprobs: s.t.logprobsOf(s.x, []string{said})}})
	}
	return out
}

// argumentChunk is about how many bytes of arguments come in one event.
const argumentChunk = 5

// callSteps renders tool calls. A single call opens in the event that carries
// the role; several are each opened by an event of their own.
func (s *streamer) callSteps(calls []core.Call) []step {
	role := delta{Role: "assistant", Content: &null}
	var out []step
	if len(calls) > 1 {
		out = append(out, step{core.Opening, chunkChoice{Delta: role}})
		role = delta{}
	} else {
		role.Refusal = &null
	}
	for i, call := range calls {
		opening := newCall(s.x, call)
		opening.Index = &i
		clearArgs(&opening)
		role.ToolCalls = []toolCall{opening}
		out = append(out, step{core.Content, chunkChoice{Delta: role}})
		for _, part := range core.Bytewise(call.Args, argumentChunk) {
			more := toolCall{Index: &i, Function: &function{Arguments: part}}
			if call.Custom {
				more = toolCall{Index: &i, Custom: &custom{Input: part}}
			}
			out = append(out, step{core.Content, chunkChoice{Delta: delta{ToolCalls: []toolCall{more}}}})
		}
	}
	return out
}

func clearArgs(c *toolCall) {
	if c.Custom != nil {
		c.Custom.Input = ""
		return
	}
	c.Function.Arguments = ""
}

func (s *streamer) functionSteps(call core.Call) []step {
	opening := delta{Role: "assistant", Content: &null, Refusal: &null, FunctionCall: &function{Name: call.Name}}
	out := []step{{core.Content, chunkChoice{Delta: opening}}}
	for _, part := range core.Bytewise(call.Args, argumentChunk) {
		out = append(out, step{core.Content, chunkChoice{Delta: delta{FunctionCall: &function{Arguments: part}}}})
	}
	return out
}

func (s *streamer) emit(st step) {
	c := s.chunk()
	c.Choices = []chunkChoice{st.choice}
	if s.t.usage {
		c.Usage = &null
	}
	s.frames = append(s.frames, event(st.kind, c))
}

func (s *streamer) usage(u core.Usage) {
	c := s.chunk()
	raw := json.RawMessage(encode(usageOf(u)))
	c.Choices, c.Usage = []chunkChoice{}, &raw
	f := event(core.Closing, c)
	f.Reports = true
	s.frames = append(s.frames, f)
}

func (s *streamer) chunk() chunk {
	c := s.head
	if s.t.obfuscation {
		pad := s.pad.String(core.Base62, s.pad.Intn(16))
		c.Obfuscation = &pad
	}
	if s.x.Scenario.Unknown {
		c.Unknown = "a member that no client knows"
	}
	return c
}

func quoted(s string) *json.RawMessage {
	raw := json.RawMessage(encode(s))
	return &raw
}

func event(kind core.FrameKind, v any) core.Frame {
	data := append([]byte("data: "), encode(v)...)
	return core.Frame{Kind: kind, Data: append(data, '\n', '\n')}
}
