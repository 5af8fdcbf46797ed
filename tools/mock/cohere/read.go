package cohere

import (
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// chat implements core.Chat.
type chat struct{}

// Catalogue implements core.Chat.
func (chat) Catalogue() []core.Model { return catalogue() }

// Check implements core.Chat.
func (chat) Check(_ *core.Exchange, body *strict.Value, m *core.Model) *core.Fault {
	if f := check(body, chatSpec); f != nil {
		return f
	}
	tools := len(body.Get("tools").List()) > 0
	switch {
	case body.Has("tool_choice") && !tools:
		return invalid("tool_choice may only be specified when tools is also specified")
	case body.Get("strict_tools").True() && !tools:
		return invalid("strict_tools may only be specified when tools is also specified")
	case body.Has("frequency_penalty") && body.Has("presence_penalty"):
		return invalid("frequency_penalty and presence_penalty cannot be specified at once.")
	case body.Get("thinking").Get("type").Str() == "enabled" && m != nil && !m.Reasons:
		return invalid("thinking is not supported by the model '%s'", m.ID)
	case m != nil && m.Output > 0 && body.Get("max_tokens").Int(0) > m.Output:
		return &core.Fault{Status: 400, Message: "too many tokens: max tokens must be less than or equal to " + itoa(m.Output) + ", the maximum output for this model"}
	}
	return nil
}

// template is what the API adds to every prompt: tokens that are read and not
// billed.
const template = 66

// turn is one message to make, understood.
type turn struct {
	prompt   core.Prompt
	cites    bool
	sources  []source
	logprobs bool
}

// source is what a citation may lead to.
type source struct {
	words string
	show  object
}

// Prompt implements core.Turn.
func (t *turn) Prompt() *core.Prompt { return &t.prompt }

// Read implements core.Chat.
func (chat) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	mode := strings.ToUpper(body.Get("citation_options").Get("mode").Str())
	t := &turn{cites: mode != "OFF" && mode != "DISABLED", logprobs: body.Get("logprobs").True()}
	x.Stream = body.Get("stream").True()
	r := reader{t: t, p: &t.prompt, calls: map[string]bool{}}
	list := body.Get("messages").List()
	for i, msg := range list {
		if f := r.message(i, msg); f != nil {
			return nil, f
		}
	}
	if r.role == "assistant" || r.role == "system" {
		return nil, invalid("the last message must be from the user or a tool")
	}
	for _, d := range body.Get("documents").List() {
		r.document(d)
	}
	readOptions(&t.prompt, body, m)
	t.prompt.Input.Input += template + core.CountTokens(t.prompt.System)
	return t, nil
}

func readOptions(p *core.Prompt, body *strict.Value, m *core.Model) {
	p.Parallel, p.MaxTokens = true, body.Get("max_tokens").Int(0)
	if seed := body.Get("seed"); seed != nil {
		p.Vary = seed.Text
	}
	for _, s := range body.Get("stop_sequences").List() {
		p.Stop = append(p.Stop, s.Str())
	}
	for _, t := range body.Get("tools").List() {
		f := t.Get("function")
		p.Tools = append(p.Tools, core.Tool{Name: f.Get("name").Str(), Schema: f.Get("parameters")})
		p.Input.Input += 20
	}
	switch body.Get("tool_choice").Str() {
	case "REQUIRED":
		p.Choice.Mode = core.ToolsRequired
	case "NONE":
		p.Choice.Mode = core.ToolsNone
	}
	if format := body.Get("response_format"); format.Get("type").Str() == "json_object" {
		p.JSON = true
		if p.Schema = format.Get("json_schema"); p.Schema == nil {
			p.Schema = format.Get("schema")
		}
	}
	// A model that can think does, unless it is told not to.
	if thinking := body.Get("thinking"); m.Reasons && thinking.Get("type").Str() != "disabled" {
		p.Thinking, p.Reasoning = true, thinking.Get("token_budget").Int(1024)
	}
}

// reader goes through a conversation.
type reader struct {
	t     *turn
	p     *core.Prompt
	role  string
	calls map[string]bool // of the last turn that called; true once answered
}

func (r *reader) message(i int, m *strict.Value) *core.Fault {
	role := m.Get("role").Str()
	text, images := r.text(m.Get("content"))
	r.p.Messages++
	r.p.Images += images
	r.p.Input.Input += core.CountTokens(text) + 3
	if role != "tool" {
		r.p.Results, r.t.sources = nil, nil
		for _, done := range r.calls {
			if !done {
				return invalid("an assistant message with tool calls must be followed by tool messages responding to each tool_call_id")
			}
		}
	}
	switch role {
	case "system":
		r.p.System += text
	case "user":
		if text == "" && images == 0 {
			return invalid("message must be at least 1 token long or tool results must be specified.")
		}
		r.p.Text = text
	case "assistant":
		return r.assistant(i, m, text)
	case "tool":
		return r.result(i, m, text)
	}
	r.role = role
	return nil
}

func (r *reader) assistant(i int, m *strict.Value, text string) *core.Fault {
	r.role, r.calls = "assistant", map[string]bool{}
	for _, c := range m.Get("tool_calls").List() {
		args, err := strict.Parse([]byte(c.Get("function").Get("arguments").Str()))
		if err != nil || args.Kind != strict.Object {
			return invalid("messages[%d].tool_calls: arguments must be a JSON object", i)
		}
		r.calls[c.Get("id").Str()] = false
	}
	if len(r.calls) == 0 && text == "" {
		return invalid("messages[%d]: an assistant message must have content or tool_calls", i)
	}
	return nil
}

func (r *reader) result(i int, m *strict.Value, text string) *core.Fault {
	id := m.Get("tool_call_id").Str()
	if done, known := r.calls[id]; !known || done {
		return invalid("messages[%d]: tool call id '%s' not found in previous tool calls", i, id)
	}
	r.role, r.calls[id] = "tool", true
	r.p.Results = append(r.p.Results, text)
	r.t.sources = append(r.t.sources, source{text, object{"type": "tool", "id": id + ":0", "tool_output": object{"content": text}}})
	return nil
}

// text joins the texts of content.
func (r *reader) text(c *strict.Value) (text string, images int) {
	if c != nil && c.Kind == strict.String {
		return c.Text, 0
	}
	var texts []string
	for _, part := range c.List() {
		switch part.Get("type").Str() {
		case "text":
			texts = append(texts, part.Get("text").Str())
		case "image_url":
			images++
		case "document":
			texts = append(texts, string(encode(part.Get("document").Get("data"))))
		}
	}
	return strings.Join(texts, "\n"), images
}

// document takes one document of the request: a text, or data with an id.
func (r *reader) document(d *strict.Value) {
	id, data := d.Get("id").Str(), d.Get("data")
	if d.Kind == strict.String {
		data = d
	}
	if id == "" {
		id = "doc:" + itoa(len(r.t.sources))
	}
	var show any = data
	if data.Kind == strict.String {
		show = object{"text": data.Text}
	}
	r.p.Input.Input += core.CountTokens(string(encode(data)))
	r.t.sources = append(r.t.sources, source{"", object{"type": "document", "id": id, "document": show}})
}
