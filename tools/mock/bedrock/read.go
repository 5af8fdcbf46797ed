package bedrock

import (
	"fmt"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// converse implements core.Chat.
type converse struct{}

// Catalogue implements core.Chat.
func (converse) Catalogue() []core.Model { return catalogue() }

// Check implements core.Chat.
func (converse) Check(_ *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
	for _, p := range strict.Check(body, converseSpec) {
		return invalid("Malformed input request: #/%s: a value that the API does not take, please reformat your input and try again.",
			strings.ReplaceAll(p.Path.Dotted(), ".", "/"))
	}
	return nil
}

// turn is one message to make, understood.
type turn struct{ prompt core.Prompt }

// Prompt implements core.Turn.
func (t *turn) Prompt() *core.Prompt { return &t.prompt }

// Read implements core.Chat.
func (converse) Read(_ *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	t := &turn{}
	p := &t.prompt
	r := reader{p: p, open: map[string]bool{}}
	for i, msg := range body.Get("messages").List() {
		if f := r.message(i, msg); f != nil {
			return nil, f
		}
	}
	if r.tools && body.Get("toolConfig") == nil {
		return nil, invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
	}
	for _, b := range body.Get("system").List() {
		p.System += b.Get("text").Str()
	}
	readTools(p, body.Get("toolConfig"))
	inference := body.Get("inferenceConfig")
	p.MaxTokens = inference.Get("maxTokens").Int(0)
	if m.Output > 0 && p.MaxTokens > m.Output {
		return nil, invalid("The maximum tokens you requested exceeds the model limit of %d. Try again with a maximum tokens value that is lower than %d.", m.Output, m.Output)
	}
	for _, s := range inference.Get("stopSequences").List() {
		p.Stop = append(p.Stop, s.Str())
	}
	if schema, err := strict.Parse([]byte(body.Get("outputConfig").Get("textFormat").Get("structure").Get("jsonSchema").Get("schema").Str())); err == nil {
		p.JSON, p.Schema = true, schema
	}
	if thinking := body.Get("additionalModelRequestFields").Get("thinking"); thinking.Get("type").Str() != "disabled" && thinking != nil {
		p.Thinking, p.Reasoning = true, thinking.Get("budget_tokens").Int(1024)
	}
	p.Input.Input += 3 + core.CountTokens(p.System)
	return t, nil
}

// reader goes through a conversation.
type reader struct {
	p     *core.Prompt
	last  string
	open  map[string]bool // calls without their results
	tools bool
}

func (r *reader) message(i int, m *strict.Value) *core.Fault {
	role := m.Get("role").Str()
	switch {
	case i == 0 && role != "user":
		return invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	case role == r.last:
		return invalid("A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.")
	case len(m.Get("content").List()) == 0:
		return invalid("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i)
	}
	r.last = role
	r.p.Messages++
	r.p.Results = nil
	var said []string
	for j, b := range m.Get("content").List() {
		if f := r.block(fmt.Sprintf("messages.%d.content.%d", i, j), b, &said); f != nil {
			return f
		}
	}
	if len(r.open) > 0 && role == "user" {
		return invalid("Expected toolResult blocks at messages.%d.content for the following Ids: the calls of the turn before.", i)
	}
	if role == "user" && len(said) > 0 {
		r.p.Text = strings.Join(said, "\n")
	}
	return nil
}

func (r *reader) block(at string, b *strict.Value, said *[]string) *core.Fault {
	if len(b.Fields) != 1 {
		return invalid("The ContentBlock object at %s must set one of the following keys: text, image, toolUse, toolResult, document, video.", at)
	}
	r.p.Input.Input += core.CountTokens(fmt.Sprint(b.Get("text").Str())) + 2
	switch b.Fields[0].Name {
	case "text":
		text := b.Get("text").Str()
		if strings.TrimSpace(text) == "" {
			return invalid("The text field in the ContentBlock object at %s is blank. Add text to the text field, and try again.", at)
		}
		*said = append(*said, text)
	case "image":
		r.p.Images++
	case "toolUse":
		r.tools, r.open[b.Get("toolUse").Get("toolUseId").Str()] = true, true
	case "toolResult":
		r.tools = true
		id := b.Get("toolResult").Get("toolUseId").Str()
		if !r.open[id] {
			return invalid("The number of toolResult blocks at %s exceeds the number of toolUse blocks of previous turn.", at)
		}
		delete(r.open, id)
		var texts []string
		for _, c := range b.Get("toolResult").Get("content").List() {
			texts = append(texts, c.Get("text").Str())
		}
		r.p.Results = append(r.p.Results, strings.Join(texts, "\n"))
	}
	return nil
}

func readTools(p *core.Prompt, config *strict.Value) {
	p.Parallel, p.Preface = true, true
	for _, t := range config.Get("tools").List() {
		if spec := t.Get("toolSpec"); spec != nil {
			p.Tools = append(p.Tools, core.Tool{Name: spec.Get("name").Str(), Schema: spec.Get("inputSchema").Get("json")})
			p.Input.Input += 20
		}
	}
	choice := config.Get("toolChoice")
	switch {
	case choice.Has("any"):
		p.Choice.Mode = core.ToolsRequired
	case choice.Has("tool"):
		p.Choice = core.ToolChoice{Mode: core.ToolsNamed, Name: choice.Get("tool").Get("name").Str()}
	}
}
