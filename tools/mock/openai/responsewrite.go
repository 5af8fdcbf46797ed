package openai

import (
	"encoding/json"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// response is a response; members in the order in which the API writes them.
type response struct {
	ID           string          `json:"id"`
	Object       string          `json:"object"`
	Created      int64           `json:"created_at"`
	Status       string          `json:"status"`
	Background   bool            `json:"background"`
	Error        *struct{}       `json:"error"`
	Incomplete   *incomplete     `json:"incomplete_details"`
	Instructions json.RawMessage `json:"instructions"`
	MaxOutput    json.RawMessage `json:"max_output_tokens"`
	MaxCalls     json.RawMessage `json:"max_tool_calls"`
	Model        string          `json:"model"`
	Output       []*item         `json:"output"`
	Parallel     bool            `json:"parallel_tool_calls"`
	Previous     json.RawMessage `json:"previous_response_id"`
	CacheKey     json.RawMessage `json:"prompt_cache_key"`
	Reasoning    json.RawMessage `json:"reasoning"`
	SafetyID     json.RawMessage `json:"safety_identifier"`
	Tier         string          `json:"service_tier"`
	Store        bool            `json:"store"`
	Temperature  json.RawMessage `json:"temperature"`
	Text         json.RawMessage `json:"text"`
	ToolChoice   json.RawMessage `json:"tool_choice"`
	Tools        json.RawMessage `json:"tools"`
	TopLogprobs  json.RawMessage `json:"top_logprobs"`
	TopP         json.RawMessage `json:"top_p"`
	Truncation   json.RawMessage `json:"truncation"`
	Usage        *responseUsage  `json:"usage"`
	User         json.RawMessage `json:"user"`
	Metadata     json.RawMessage `json:"metadata"`
	Unknown      string          `json:"x_mock_unknown,omitempty"`
}

type incomplete struct {
	Reason string `json:"reason"`
}

type responseUsage struct {
	Input   int `json:"input_tokens"`
	InputIn struct {
		Cached int `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	Output   int `json:"output_tokens"`
	OutputIn struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	Total int `json:"total_tokens"`
}

// item is one item of the output.
type item struct {
	ID        string         `json:"id"`
	Type      string         `json:"type"`
	Status    string         `json:"status,omitempty"`
	Encrypted string         `json:"encrypted_content,omitempty"`
	Summary   *[]contentPart `json:"summary,omitempty"`
	Content   *[]contentPart `json:"content,omitempty"`
	Arguments *string        `json:"arguments,omitempty"`
	Input     *string        `json:"input,omitempty"`
	CallID    string         `json:"call_id,omitempty"`
	Name      string         `json:"name,omitempty"`
	Role      string         `json:"role,omitempty"`

	pieces []string // how its text is streamed
}

// contentPart is a part of a message or of a summary.
type contentPart struct {
	Type        string      `json:"type"`
	Annotations *[]struct{} `json:"annotations,omitempty"`
	Logprobs    *[]logprob  `json:"logprobs,omitempty"`
	Text        *string     `json:"text,omitempty"`
	Refusal     *string     `json:"refusal,omitempty"`
}

// echo is a member of the request as the response repeats it.
func (t *responseTurn) echo(name, otherwise string) json.RawMessage {
	if v := t.body.Get(name); v != nil && v.Kind != strict.Null {
		return json.RawMessage(text(v))
	}
	return json.RawMessage(otherwise)
}

// begun is the response before it says anything.
func (t *responseTurn) begun(x *core.Exchange) *response {
	r := &response{
		ID: x.World.NextID("resp_", core.Hex, 50), Object: "response", Created: x.World.Now().Unix(), Status: "in_progress",
		Instructions: t.echo("instructions", "null"), MaxOutput: t.echo("max_output_tokens", "null"), MaxCalls: t.echo("max_tool_calls", "null"),
		Model: t.prompt.Model.Snapshot, Output: []*item{}, Parallel: !t.body.Get("parallel_tool_calls").False(),
		Previous: t.echo("previous_response_id", "null"), CacheKey: t.echo("prompt_cache_key", "null"),
		Reasoning: t.reasoning(), SafetyID: t.echo("safety_identifier", "null"), Tier: tierOf(t.body.Get("service_tier").Str()), Store: t.store,
		Temperature: t.echo("temperature", "1.0"), Text: t.textOptions(), ToolChoice: t.echo("tool_choice", `"auto"`), Tools: t.echo("tools", "[]"),
		TopLogprobs: t.echo("top_logprobs", "0"), TopP: t.echo("top_p", "1.0"), Truncation: t.echo("truncation", `"disabled"`),
		User: t.echo("user", "null"), Metadata: t.echo("metadata", "{}"),
	}
	if x.Scenario.Unknown {
		r.Unknown = "a member that no client knows"
	}
	return r
}

func (t *responseTurn) reasoning() json.RawMessage {
	asked := t.body.Get("reasoning")
	out := map[string]*string{"effort": orNull(asked.Get("effort").Str()), "summary": orNull(asked.Get("summary").Str())}
	if t.prompt.Model.Reasons && out["effort"] == nil {
		medium := "medium"
		out["effort"] = &medium
	}
	return encode(out)
}

func (t *responseTurn) textOptions() json.RawMessage {
	asked := t.body.Get("text")
	format, verbosity := json.RawMessage(`{"type":"text"}`), json.RawMessage(`"medium"`)
	if v := asked.Get("format"); v != nil {
		format = json.RawMessage(text(v))
	}
	if v := asked.Get("verbosity"); v.Str() != "" {
		verbosity = json.RawMessage(text(v))
	}
	return encode(map[string]json.RawMessage{"format": format, "verbosity": verbosity})
}

// finish gives the response its items and its end, and stores it.
func (t *responseTurn) finish(x *core.Exchange, r *response, a *core.Answer) {
	r.Status = "completed"
	if len(a.Choices) > 0 {
		r.Output = t.outputs(x, &a.Choices[0], a.Usage.Reasoning)
		switch a.Choices[0].Finish {
		case core.FinishLength:
			r.Status, r.Incomplete = "incomplete", &incomplete{"max_output_tokens"}
		case core.FinishFiltered:
			r.Status, r.Incomplete = "incomplete", &incomplete{"content_filter"}
		}
	}
	if r.Incomplete != nil && len(r.Output) > 0 && r.Output[len(r.Output)-1].Status != "" {
		r.Output[len(r.Output)-1].Status = "incomplete"
	}
	if !x.Scenario.NoUsage {
		r.Usage = newResponseUsage(a.Usage)
	}
	if t.store {
		t.keep(x, r)
	}
}

func newResponseUsage(u core.Usage) *responseUsage {
	out := &responseUsage{Input: u.Input, Output: u.Output, Total: u.Input + u.Output}
	out.InputIn.Cached, out.OutputIn.Reasoning = u.CacheRead, u.Reasoning
	return out
}

// outputs are the items of an answer: reasoning, what was said, calls.
func (t *responseTurn) outputs(x *core.Exchange, c *core.Choice, reasoning int) []*item {
	out := []*item{}
	if t.prompt.Model.Reasons && reasoning > 0 {
		out = append(out, t.thought(x, c))
	}
	if len(c.Text) > 0 || len(c.Calls) == 0 && c.Finish != core.FinishLength {
		out = append(out, t.said(x, c))
	}
	for _, call := range c.Calls {
		args := call.Args
		it := &item{
			ID: x.World.NextID("fc_", core.Hex, 50), Type: "function_call", Status: "completed", Arguments: &args,
			CallID: x.World.NextID("call_", core.Base62, 24), Name: call.Name, pieces: core.Bytewise(args, argumentChunk),
		}
		if call.Custom {
			it.ID = "ctc_" + strings.TrimPrefix(it.ID, "fc_")
			it.Type, it.Input, it.Arguments = "custom_tool_call", &args, nil
		}
		out = append(out, it)
	}
	return out
}

func (t *responseTurn) thought(x *core.Exchange, c *core.Choice) *item {
	it := &item{ID: x.World.NextID("rs_", core.Hex, 50), Type: "reasoning", Summary: &[]contentPart{}, pieces: c.Thinking}
	if len(c.Thinking) > 0 {
		text := strings.Join(c.Thinking, "")
		it.Summary = &[]contentPart{{Type: "summary_text", Text: &text}}
	}
	if t.encrypted {
		it.Encrypted = seal(x, it.ID)
	}
	return it
}

func (t *responseTurn) said(x *core.Exchange, c *core.Choice) *item {
	text := strings.Join(c.Text, "")
	part := contentPart{Type: "output_text", Annotations: &[]struct{}{}, Logprobs: t.probabilities(x, c.Text), Text: &text}
	if c.Finish == core.FinishRefused {
		part = contentPart{Type: "refusal", Refusal: &text}
	}
	return &item{
		ID: x.World.NextID("msg_", core.Hex, 50), Type: "message", Status: "completed", Content: &[]contentPart{part}, Role: "assistant",
		pieces: core.Even(c.Text, x.World.ChunksOf(&x.Scenario)),
	}
}

// probabilities are empty where they were not asked for.
func (t *responseTurn) probabilities(x *core.Exchange, pieces []string) *[]logprob {
	list := []logprob{}
	if t.logprobs && !t.prompt.Model.Reasons {
		list = logprobList(x, t.prompt.Text, pieces, t.body.Get("top_logprobs").Int(0))
	}
	return &list
}

// keep stores the response and its items, so that others can refer to them.
func (t *responseTurn) keep(x *core.Exchange, r *response) {
	items := t.items[:len(t.items):len(t.items)]
	for _, it := range r.Output {
		v, err := strict.Parse(encode(it))
		if err != nil {
			continue
		}
		x.World.Keep(it.ID, v)
		items = append(items, v)
	}
	x.World.Keep(r.ID, &keptResponse{body: indented(r), items: items})
}

// Whole implements core.Turn.
func (t *responseTurn) Whole(x *core.Exchange, a *core.Answer) core.Reply {
	r := t.begun(x)
	t.finish(x, r, a)
	return core.Reply{Status: 200, Header: header(x, jsonType), Body: indented(r), Reports: r.Usage != nil}
}
