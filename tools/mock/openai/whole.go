package openai

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// completion is a whole answer; members in the order in which the API writes
// them.
type completion struct {
	ID          string   `json:"id"`
	Object      string   `json:"object"`
	Created     int64    `json:"created"`
	Model       string   `json:"model"`
	Choices     []choice `json:"choices"`
	Usage       *usage   `json:"usage,omitempty"`
	ServiceTier string   `json:"service_tier"`
	Fingerprint *string  `json:"system_fingerprint"`
	Unknown     string   `json:"x_mock_unknown,omitempty"`
}

type choice struct {
	Index    int              `json:"index"`
	Message  message          `json:"message"`
	Logprobs *json.RawMessage `json:"logprobs,omitempty"`
	Finish   string           `json:"finish_reason"`
}

type message struct {
	Role         string     `json:"role"`
	Content      *string    `json:"content"`
	ToolCalls    []toolCall `json:"tool_calls,omitempty"`
	FunctionCall *function  `json:"function_call,omitempty"`
	Refusal      *string    `json:"refusal"`
	Annotations  []struct{} `json:"annotations"`
}

type toolCall struct {
	Index    *int      `json:"index,omitempty"` // in streams
	ID       string    `json:"id,omitempty"`
	Type     string    `json:"type,omitempty"`
	Function *function `json:"function,omitempty"`
	Custom   *custom   `json:"custom,omitempty"`
}

type function struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type custom struct {
	Name  string `json:"name,omitempty"`
	Input string `json:"input"`
}

type usage struct {
	Prompt     int           `json:"prompt_tokens"`
	Completion int           `json:"completion_tokens"`
	Total      int           `json:"total_tokens"`
	PromptIn   promptDetails `json:"prompt_tokens_details"`
	Output     outputDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	Cached int `json:"cached_tokens"`
	Audio  int `json:"audio_tokens"`
}

type outputDetails struct {
	Reasoning int `json:"reasoning_tokens"`
	Audio     int `json:"audio_tokens"`
	Accepted  int `json:"accepted_prediction_tokens"`
	Rejected  int `json:"rejected_prediction_tokens"`
}

func usageOf(u core.Usage) *usage {
	return &usage{
		Prompt: u.Input, Completion: u.Output, Total: u.Input + u.Output,
		PromptIn: promptDetails{Cached: u.CacheRead, Audio: u.AudioInput},
		Output:   outputDetails{Reasoning: u.Reasoning},
	}
}

// Whole implements core.Turn.
func (t *turn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	out := completion{
		ID: newID(x), Object: "chat.completion", Created: x.World.Now().Unix(),
		Model: t.prompt.Model.Snapshot, Choices: []choice{},
		ServiceTier: t.tier, Fingerprint: t.fingerprint(x),
	}
	if !x.Scenario.NoUsage {
		out.Usage = usageOf(a.Usage)
	}
	if x.Scenario.Unknown {
		out.Unknown = "a member that no client knows"
	}
	for i := range a.Choices {
		out.Choices = append(out.Choices, t.choice(x, &a.Choices[i], i))
	}
	return core.Reply{
		Status: 200, Header: header(x, jsonType), Body: indented(out),
		Reports: !x.Scenario.NoUsage,
	}
}

func (t *turn) choice(x *core.Exchange, c *core.Choice, i int) choice {
	out := choice{Index: i, Finish: t.finish(c), Logprobs: t.logprobsOf(x, c.Text)}
	out.Message = message{Role: "assistant", Annotations: []struct{}{}}
	said := strings.Join(c.Text, "")
	switch {
	case c.Finish == core.FinishRefused:
		out.Message.Refusal = &said
	case len(c.Calls) == 0:
		out.Message.Content = &said
	case t.functions:
		out.Message.FunctionCall = &function{c.Calls[0].Name, c.Calls[0].Args}
	default:
		for _, call := range c.Calls {
			out.Message.ToolCalls = append(out.Message.ToolCalls, newCall(x, call))
		}
	}
	return out
}

func newCall(x *core.Exchange, call core.Call) toolCall {
	out := toolCall{ID: x.World.NextID("call_", core.Base62, 24), Type: "function"}
	if call.Custom {
		out.Type, out.Custom = "custom", &custom{call.Name, call.Args}
		return out
	}
	out.Function = &function{call.Name, call.Args}
	return out
}

func (t *turn) finish(c *core.Choice) string {
	switch c.Finish {
	case core.FinishLength:
		return "length"
	case core.FinishFiltered:
		return "content_filter"
	case core.FinishCalls:
		if t.functions {
			return "function_call"
		}
		if t.prompt.Choice.Mode == core.ToolsNamed {
			return "stop" // a call that was demanded by name ends like a text
		}
		return "tool_calls"
	}
	return "stop"
}

func newID(x *core.Exchange) string { return x.World.NextID("chatcmpl-", core.Base62, 29) }

// fingerprint is null for reasoning models, as the API has it.
func (t *turn) fingerprint(x *core.Exchange) *string {
	if t.prompt.Model.Reasons {
		return nil
	}
	fp := "fp_" + x.World.Rand("fingerprint", t.prompt.Model.ID).String(core.Hex, 10)
	return &fp
}

type logprob struct {
	Token string     `json:"token"`
	Log   float64    `json:"logprob"`
	Bytes []int      `json:"bytes"`
	Top   *[]logprob `json:"top_logprobs,omitempty"`
}

var null = json.RawMessage("null")

// logprobsOf renders log probabilities; the member is null when they were not
// asked for and absent for reasoning models.
func (t *turn) logprobsOf(x *core.Exchange, pieces []string) *json.RawMessage {
	if t.prompt.Model.Reasons {
		return nil
	}
	if !t.logprobs || len(pieces) == 0 {
		return &null
	}
	list := logprobList(x, t.prompt.Text, pieces, t.topLogprobs)
	raw := json.RawMessage(encode(map[string]any{"content": list, "refusal": nil}))
	return &raw
}

// logprobList invents log probabilities of the pieces, and of top others each.
func logprobList(x *core.Exchange, prompt string, pieces []string, top int) []logprob {
	r := x.World.Rand("logprobs", prompt)
	list := []logprob{}
	for _, p := range pieces {
		lp := newLogprob(p, -r.Float()/4)
		others := []logprob{}
		for i := range top {
			alt := newLogprob(p, lp.Log)
			if i > 0 {
				alt = newLogprob(" "+r.String(core.Base62[:26], 3), lp.Log-float64(i)-r.Float())
			}
			others = append(others, alt)
		}
		lp.Top = &others
		list = append(list, lp)
	}
	return list
}

func newLogprob(token string, log float64) logprob {
	lp := logprob{Token: token, Log: log, Bytes: []int{}}
	for _, b := range []byte(token) {
		lp.Bytes = append(lp.Bytes, int(b))
	}
	return lp
}

// encode cannot fail: what it is given is made of strings and numbers.
func encode(v any) []byte {
	out, err := strict.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return out
}

// indented writes a body as the API does: two spaces, a line feed at the end.
func indented(v any) []byte {
	var buf bytes.Buffer
	if err := json.Indent(&buf, encode(v), "", "  "); err != nil {
		return encode(v)
	}
	buf.WriteByte('\n')
	return buf.Bytes()
}
