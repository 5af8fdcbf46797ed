package anthropic

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// messages implements core.Chat for POST /v1/messages.
type messages struct{}

// Catalogue implements core.Chat.
func (messages) Catalogue() []core.Model { return catalogue() }

// Check implements core.Chat.
func (messages) Check(x *core.Exchange, body *strict.Value, _ *core.Model) *core.Fault {
	return check(x, body, messagesSpec)
}

// turn is one message to make, understood.
type turn struct {
	prompt  core.Prompt
	omitted bool // thinking is signed but not shown
}

// Prompt implements core.Turn.
func (t *turn) Prompt() *core.Prompt { return &t.prompt }

// Read implements core.Chat.
func (messages) Read(x *core.Exchange, body *strict.Value, m *core.Model) (core.Turn, *core.Fault) {
	x.Stream = body.Get("stream").True()
	if f := checkRules(x, body, m); f != nil {
		return nil, f
	}
	t := &turn{}
	p := &t.prompt
	conversation := merge(body.Get("messages").List())
	readConversation(p, conversation)
	readTools(p, body)
	readFormat(p, body)
	countInput(p, body, conversation)
	p.System = blockText(body.Get("system"))
	p.Stop = texts(body.Get("stop_sequences"))
	p.Vary = numberText(body.Get("temperature"))
	p.MaxTokens = body.Get("max_tokens").Int(0)
	if p.MaxTokens == 0 {
		p.MaxTokens = -1
	}
	thinking := body.Get("thinking")
	switch thinking.Get("type").Str() {
	case "enabled", "adaptive":
		p.Thinking = true
		p.Reasoning = thinking.Get("budget_tokens").Int(1024)
		t.omitted = thinking.Get("display").Str() == "omitted"
	}
	return t, nil
}

func texts(v *strict.Value) []string {
	var out []string
	for _, s := range v.List() {
		out = append(out, s.Str())
	}
	return out
}

func numberText(v *strict.Value) string {
	if v == nil {
		return ""
	}
	return v.Text
}

// checkRules holds a body against what its field table cannot say.
func checkRules(x *core.Exchange, body *strict.Value, m *core.Model) *core.Fault {
	rules := []func() *core.Fault{
		func() *core.Fault { return checkLimits(body, m) },
		func() *core.Fault { return checkTools(body) },
		func() *core.Fault { return checkSchema(body) },
		func() *core.Fault { return checkRoles(x, body) },
		func() *core.Fault { return checkBlocks(body) },
		func() *core.Fault { return checkCalls(body) },
		func() *core.Fault { return checkThinking(body, m) },
		func() *core.Fault { return checkSignatures(x, body) },
	}
	for _, rule := range rules {
		if f := rule(); f != nil {
			return f
		}
	}
	return nil
}

// exclusive lists models that take temperature or top_p, not both.
var exclusive = []string{"claude-opus-4-1", "claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"}

func checkLimits(body *strict.Value, m *core.Model) *core.Fault {
	n := body.Get("max_tokens").Int(0)
	if m.Output > 0 && n > m.Output {
		return invalid("max_tokens: %d > %d, which is the maximum allowed number of output tokens for %s", n, m.Output, m.Snapshot)
	}
	if body.Has("temperature") && body.Has("top_p") {
		for _, prefix := range exclusive {
			if strings.HasPrefix(m.ID, prefix) {
				return invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
			}
		}
	}
	for _, s := range body.Get("stop_sequences").List() {
		if strings.TrimSpace(s.Str()) == "" {
			return invalid("stop_sequences: each stop sequence must contain non-whitespace")
		}
	}
	if n := breakpoints(body); n > 4 {
		return invalid("A maximum of 4 blocks with cache_control may be provided. Found %d.", n)
	}
	return nil
}

// breakpoints counts the cache_control members of a body.
func breakpoints(v *strict.Value) int {
	if v == nil {
		return 0
	}
	n := 0
	for _, f := range v.Fields {
		if f.Name == "cache_control" && f.Value.Kind == strict.Object {
			n++
			continue
		}
		if f.Name != "input_schema" && f.Name != "input" {
			n += breakpoints(f.Value)
		}
	}
	for _, item := range v.Items {
		n += breakpoints(item)
	}
	return n
}

func checkRoles(x *core.Exchange, body *strict.Value) *core.Fault {
	last := ""
	for i, m := range body.Get("messages").List() {
		role := m.Get("role").Str()
		switch {
		case role == "system":
			return invalid("messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.")
		case role != "user" && role != "assistant":
			return invalid("messages.%d.role: Input should be 'user' or 'assistant'", i)
		case i == 0 && role != "user":
			return invalid(`messages: first message must use the "user" role`)
		case x.World.AlternateRoles && role == last:
			return invalid(`messages: roles must alternate between "user" and "assistant", but found multiple %q roles in a row`, role)
		}
		last = role
	}
	return nil
}

// checkBlocks looks at the content of each message by itself.
func checkBlocks(body *strict.Value) *core.Fault {
	list := body.Get("messages").List()
	for i, m := range list {
		final := i == len(list)-1 && m.Get("role").Str() == "assistant"
		content := m.Get("content")
		if isEmpty(content) && !final {
			return invalid("messages.%d: all messages must have non-empty content except for the optional final assistant message", i)
		}
		for j, block := range content.List() {
			at := fmt.Sprintf("messages.%d.content.%d", i, j)
			if f := checkBlock(block, m.Get("role").Str(), at); f != nil {
				return f
			}
		}
		if text := blockText(content); final && text != strings.TrimRight(text, " \t\r\n") {
			return invalid("messages: final assistant content cannot end with trailing whitespace")
		}
	}
	for _, block := range body.Get("system").List() {
		if block.Get("text").Str() == "" {
			return invalid("system: text content blocks must be non-empty")
		}
	}
	return nil
}

func isEmpty(content *strict.Value) bool {
	return content.Kind == strict.String && content.Text == "" || content.Kind == strict.Array && len(content.Items) == 0
}

// onlyIn says in which role a block may stand.
var onlyIn = map[string]string{
	"tool_use": "assistant", "thinking": "assistant", "redacted_thinking": "assistant", "server_tool_use": "assistant",
	"tool_result": "user", "image": "user", "document": "user",
}

func checkBlock(block *strict.Value, role, at string) *core.Fault {
	kind := block.Get("type").Str()
	if want := onlyIn[kind]; want != "" && want != role {
		return invalid("%s: `%s` blocks can only be in `%s` messages", at, kind, want)
	}
	text := block.Get("text").Str()
	switch {
	case kind == "text" && text == "":
		return invalid("messages: text content blocks must be non-empty")
	case kind == "text" && strings.TrimSpace(text) == "":
		return invalid("messages: text content blocks must contain non-whitespace text")
	case kind == "image":
		return checkImage(block.Get("source"), at+".image.source")
	}
	for j, inner := range block.Get("content").List() {
		if inner.Get("type").Str() != "image" {
			continue
		}
		if f := checkImage(inner.Get("source"), fmt.Sprintf("%s.%s.content.%d.image.source", at, kind, j)); f != nil {
			return f
		}
	}
	return nil
}

func checkImage(source *strict.Value, at string) *core.Fault {
	switch source.Get("type").Str() {
	case "base64":
		data := source.Get("data").Str()
		if _, err := base64.StdEncoding.DecodeString(data); err != nil || data == "" {
			return invalid("%s.base64: invalid base64 data", at)
		}
	case "url":
		if !strings.HasPrefix(source.Get("url").Str(), "https://") {
			return invalid("%s.url: Only HTTPS URLs are supported.", at)
		}
	}
	return nil
}
