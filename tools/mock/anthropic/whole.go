package anthropic

import (
	"encoding/json"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// message is an answer; members in the order in which the API writes them.
type message struct {
	Model        string         `json:"model"`
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	Role         string         `json:"role"`
	Content      []contentBlock `json:"content"`
	StopReason   *string        `json:"stop_reason"`
	StopSequence *string        `json:"stop_sequence"`
	Usage        *usage         `json:"usage,omitempty"`
	Unknown      string         `json:"x_mock_unknown,omitempty"`
}

type contentBlock struct {
	Type      string           `json:"type"`
	Text      *string          `json:"text,omitempty"`
	Thinking  *string          `json:"thinking,omitempty"`
	Signature *string          `json:"signature,omitempty"`
	ID        string           `json:"id,omitempty"`
	Name      string           `json:"name,omitempty"`
	Input     *json.RawMessage `json:"input,omitempty"`
	Caller    *caller          `json:"caller,omitempty"`
}

type caller struct {
	Type string `json:"type"`
}

type usage struct {
	Input         int            `json:"input_tokens"`
	CacheWrite    int            `json:"cache_creation_input_tokens"`
	CacheRead     int            `json:"cache_read_input_tokens"`
	CacheCreation *cacheCreation `json:"cache_creation,omitempty"`
	Output        int            `json:"output_tokens"`
	Details       *outputDetails `json:"output_tokens_details,omitempty"`
	ServiceTier   string         `json:"service_tier,omitempty"`
	InferenceGeo  string         `json:"inference_geo,omitempty"`
}

type cacheCreation struct {
	Minutes5 int `json:"ephemeral_5m_input_tokens"`
	Hour1    int `json:"ephemeral_1h_input_tokens"`
}

type outputDetails struct {
	Thinking int `json:"thinking_tokens"`
}

// usageOf renders usage; the API counts cached input apart from the rest.
func usageOf(u core.Usage) *usage {
	out := &usage{
		Input:      u.Input - u.CacheRead - u.CacheWrite,
		CacheWrite: u.CacheWrite, CacheRead: u.CacheRead,
		CacheCreation: &cacheCreation{Minutes5: u.CacheWrite},
		Output:        u.Output, ServiceTier: "standard", InferenceGeo: "not_available",
	}
	if u.Reasoning > 0 {
		out.Details = &outputDetails{u.Reasoning}
	}
	return out
}

// Whole implements core.Turn.
func (t *turn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	out := t.message(x)
	if len(a.Choices) > 0 {
		c := &a.Choices[0]
		out.Content = t.content(x, c)
		out.StopReason = stopReason(c)
		if c.Finish == core.FinishSequence {
			out.StopSequence = &c.StopText
		}
	}
	if !x.Scenario.NoUsage {
		out.Usage = usageOf(a.Usage)
	}
	return core.Reply{
		Status: 200, Header: header(x, jsonType), Body: encode(out),
		Reports: !x.Scenario.NoUsage,
	}
}

func (t *turn) message(x *core.Exchange) message {
	m := message{
		Model: t.prompt.Model.Snapshot, ID: x.World.NextID("msg_01", core.Base58, 22),
		Type: "message", Role: "assistant", Content: []contentBlock{},
	}
	if x.Scenario.Unknown {
		m.Unknown = "a member that no client knows"
	}
	return m
}

func (t *turn) content(x *core.Exchange, c *core.Choice) []contentBlock {
	out := []contentBlock{}
	if len(c.Thinking) > 0 {
		thought := t.thought(c)
		signature := sign(x.World, thought)
		out = append(out, contentBlock{Type: "thinking", Thinking: &thought, Signature: &signature})
	}
	if len(c.Text) > 0 {
		text := strings.Join(c.Text, "")
		out = append(out, contentBlock{Type: "text", Text: &text})
	}
	for _, call := range c.Calls {
		b := toolUse(x, call)
		input := json.RawMessage(call.Args)
		if !json.Valid(input) { // cut by max_tokens
			input = json.RawMessage("{}")
		}
		b.Input = &input
		out = append(out, b)
	}
	return out
}

// thought is the thinking that is shown.
func (t *turn) thought(c *core.Choice) string {
	if t.omitted {
		return ""
	}
	return strings.Join(c.Thinking, "")
}

func toolUse(x *core.Exchange, call core.Call) contentBlock {
	return contentBlock{
		Type: "tool_use", ID: x.World.NextID("toolu_01", core.Base58, 22), Name: call.Name,
		Input: &emptyObject, Caller: &caller{"direct"},
	}
}

var emptyObject = json.RawMessage("{}")

func stopReason(c *core.Choice) *string {
	reason := "end_turn"
	switch c.Finish {
	case core.FinishLength:
		reason = "max_tokens"
	case core.FinishSequence:
		reason = "stop_sequence"
	case core.FinishCalls:
		reason = "tool_use"
	case core.FinishFiltered, core.FinishRefused:
		reason = "refusal"
	}
	return &reason
}

// encode cannot fail: what it is given is made of strings and numbers.
func encode(v any) []byte {
	out, err := strict.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return out
}
