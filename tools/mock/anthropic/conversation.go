package anthropic

import (
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

// said is one turn of the conversation: messages of one role in a row count as
// one, as the API has it.
type said struct {
	index  int // of its last message
	role   string
	blocks []block
}

// block is a content block and where it stands.
type block struct {
	*strict.Value
	message, place int
}

func (b block) kind() string { return b.Get("type").Str() }

func merge(list []*strict.Value) []said {
	var out []said
	for i, m := range list {
		role := m.Get("role").Str()
		if len(out) == 0 || out[len(out)-1].role != role {
			out = append(out, said{role: role})
		}
		turn := &out[len(out)-1]
		turn.index = i
		for j, b := range blocksOf(m.Get("content")) {
			turn.blocks = append(turn.blocks, block{b, i, j})
		}
	}
	return out
}

func blocksOf(content *strict.Value) []*strict.Value {
	if content != nil && content.Kind == strict.String {
		return []*strict.Value{{Kind: strict.Object, Fields: []strict.Field{
			{Name: "type", Value: &strict.Value{Kind: strict.String, Text: "text"}},
			{Name: "text", Value: content},
		}}}
	}
	return content.List()
}

// blockText joins the texts of a string or of blocks, results of tools left
// out.
func blockText(content *strict.Value) string {
	var out []string
	for _, b := range blocksOf(content) {
		if t := b.Get("text").Str(); t != "" {
			out = append(out, t)
		}
	}
	return strings.Join(out, "\n")
}

// checkCalls holds calls and results together: the turn after a tool_use brings
// its result, first thing, and no result comes without its call.
func checkCalls(body *strict.Value) *core.Fault {
	turns := merge(body.Get("messages").List())
	used := map[string]bool{}
	var open []string
	for i, turn := range turns {
		if f := checkResults(turn, open, i, turns); f != nil {
			return f
		}
		open = nil
		for _, b := range turn.blocks {
			if b.kind() != "tool_use" {
				continue
			}
			id := b.Get("id").Str()
			if used[id] {
				return invalid("messages: `tool_use` ids must be unique")
			}
			used[id] = true
			open = append(open, id)
		}
	}
	if len(open) > 0 {
		return unanswered(turns[len(turns)-1].index, open)
	}
	return nil
}

func checkResults(turn said, open []string, i int, turns []said) *core.Fault {
	missing := map[string]bool{}
	for _, id := range open {
		missing[id] = true
	}
	answered := map[string]bool{}
	leading := true
	for _, b := range turn.blocks {
		if b.kind() != "tool_result" {
			leading = false
			continue
		}
		id := b.Get("tool_use_id").Str()
		switch {
		case answered[id]:
			return invalid("messages.%d.content.%d: each tool_use must have a single result. Found multiple `tool_result` blocks with id: %s", b.message, b.place, id)
		case !missing[id]:
			return invalid("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", b.message, b.place, id)
		case leading:
			delete(missing, id)
			answered[id] = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var ids []string
	for id := range missing {
		ids = append(ids, id)
	}
	return unanswered(turns[i-1].index, sorted(ids))
}

func unanswered(message int, ids []string) *core.Fault {
	return invalid("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", message, strings.Join(ids, ", "))
}

// readConversation takes the prompt out of the conversation.
func readConversation(p *core.Prompt, turns []said) {
	p.Messages = len(turns)
	for _, turn := range turns {
		for _, b := range turn.blocks {
			p.Images += images(b.Value)
		}
		if turn.role != "user" {
			continue
		}
		p.Results = nil
		var said []string
		for _, b := range turn.blocks {
			switch b.kind() {
			case "text":
				said = append(said, b.Get("text").Str())
			case "tool_result":
				p.Results = append(p.Results, blockText(b.Get("content")))
			}
		}
		if len(said) > 0 {
			p.Text = strings.Join(said, "\n")
		}
	}
	if n := len(turns); n > 0 && turns[n-1].role == "assistant" {
		p.Results = nil
	}
}

func images(b *strict.Value) int {
	if b.Get("type").Str() == "image" {
		return 1
	}
	n := 0
	for _, inner := range b.Get("content").List() {
		n += images(inner)
	}
	return n
}

// Tokens that are not text.
const (
	imageTokens = 1500
	toolsTokens = 340 // the instructions that come with tools
	minCached   = 1024
)

// countInput counts the prompt in the order in which the API caches it (tools,
// system, messages) and notes how much of it the last breakpoint covers.
func countInput(p *core.Prompt, body *strict.Value, turns []said) {
	total, covered := 4, 0
	add := func(tokens int, marked bool) {
		total += tokens
		if marked {
			covered = total
		}
	}
	if tools := body.Get("tools").List(); len(tools) > 0 {
		total += toolsTokens
		for _, t := range tools {
			add(jsonTokens(t), t.Has("cache_control"))
		}
	}
	for _, b := range blocksOf(body.Get("system")) {
		add(core.CountTokens(b.Get("text").Str()), b.Has("cache_control"))
	}
	for _, turn := range turns {
		total += 3
		for _, b := range turn.blocks {
			add(blockTokens(b.Value), b.Has("cache_control"))
		}
	}
	if body.Has("cache_control") {
		covered = total
	}
	p.Input.Input = total
	if covered >= minCached {
		p.Input.CacheWrite = covered
	}
}

func blockTokens(b *strict.Value) int {
	switch b.Get("type").Str() {
	case "text":
		return core.CountTokens(b.Get("text").Str())
	case "image":
		return imageTokens
	case "tool_result":
		n := 4
		for _, inner := range blocksOf(b.Get("content")) {
			n += blockTokens(inner)
		}
		return n
	}
	return jsonTokens(b)
}

func jsonTokens(v *strict.Value) int {
	out, err := v.MarshalJSON()
	if err != nil {
		return 0
	}
	return core.CountTokens(string(out))
}
