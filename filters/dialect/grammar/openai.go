package grammar

import (
	"encoding/json"
)

// OpenAI is the grammar of a streamed chat completion (API reference, the chat
// completion chunk object): all chunks name the same answer; a choice begins with
// its role and ends with one finish reason; tool calls are numbered without gaps
// and say id, type and name once; a client that asked for usage gets null in
// every chunk but one, which has no choices and comes last; [DONE] ends it all.
func OpenAI(wantsUsage bool) Grammar {
	return &openAI{wants: wantsUsage, choices: map[int]*openAIChoice{}}
}

type openAI struct {
	wants   bool
	id      string
	model   string
	created int64
	choices map[int]*openAIChoice
	counted bool // usage was sent
	failed  bool // an error was sent
	done    bool
}

type openAIChoice struct {
	calls    int
	finished bool
}

type openAIChunk struct {
	ID      string           `json:"id"`
	Object  string           `json:"object"`
	Created *int64           `json:"created"`
	Model   string           `json:"model"`
	Choices []openAIDelta    `json:"choices"`
	Usage   *json.RawMessage `json:"usage"`
	Error   *struct {
		Message string `json:"message"`
		Type    string `json:"type"`
	} `json:"error"`
}

type openAIDelta struct {
	Index int `json:"index"`
	Delta *struct {
		Role      string       `json:"role"`
		ToolCalls []openAICall `json:"tool_calls"`
	} `json:"delta"`
	Finish *string `json:"finish_reason"`
}

type openAICall struct {
	Index    *int   `json:"index"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string  `json:"name"`
		Arguments *string `json:"arguments"`
	} `json:"function"`
}

func (g *openAI) Event(name, data string) error {
	var p problems
	p.must(name == "", "an event has a name")
	p.must(!g.done, "something follows [DONE]")
	if data == "[DONE]" {
		g.done = true
		p.must(g.failed || g.allFinished(), "[DONE] before every choice is finished")
		return p.err
	}
	var c openAIChunk
	members := map[string]json.RawMessage{}
	p.must(json.Unmarshal([]byte(data), &c) == nil && json.Unmarshal([]byte(data), &members) == nil, "not a chunk")
	p.must(!g.failed, "something follows an error")
	if p.err != nil {
		return p.err
	}
	if c.Error != nil {
		g.failed = true
		p.must(c.Error.Message != "" && c.Error.Type != "", "an error without message or type")
		return p.err
	}
	g.head(&p, &c)
	g.usage(&p, &c, members["usage"])
	for i := range c.Choices {
		g.choice(&p, &c.Choices[i])
	}
	return p.err
}

func (g *openAI) head(p *problems, c *openAIChunk) {
	p.must(c.Object == "chat.completion.chunk", "object is %q", c.Object)
	p.must(c.ID != "" && c.Model != "" && c.Created != nil, "id, model or created is missing")
	if p.err != nil {
		return
	}
	if g.id == "" {
		g.id, g.model, g.created = c.ID, c.Model, *c.Created
	}
	p.must(c.ID == g.id && c.Model == g.model && *c.Created == g.created, "a chunk of another answer")
	p.must(c.Choices != nil, "choices is missing")
	p.must(!g.counted, "something follows the usage")
}

func (g *openAI) usage(p *problems, c *openAIChunk, raw json.RawMessage) {
	if !g.wants {
		p.must(raw == nil, "usage for a client that did not ask")
		return
	}
	p.must(raw != nil, "usage is missing")
	if len(c.Choices) > 0 {
		p.must(string(raw) == "null", "usage in a chunk with choices")
		return
	}
	g.counted = true
	var u struct {
		Prompt     *int64 `json:"prompt_tokens"`
		Completion *int64 `json:"completion_tokens"`
		Total      *int64 `json:"total_tokens"`
	}
	p.must(json.Unmarshal(raw, &u) == nil && u.Prompt != nil && u.Completion != nil && u.Total != nil, "no counts")
	p.must(p.err != nil || *u.Prompt+*u.Completion == *u.Total, "the counts do not add up")
	p.must(g.allFinished(), "usage before every choice is finished")
}

func (g *openAI) allFinished() bool {
	for i := range len(g.choices) {
		if c := g.choices[i]; c == nil || !c.finished {
			return false
		}
	}
	return len(g.choices) > 0
}

func (g *openAI) choice(p *problems, d *openAIDelta) {
	p.must(d.Delta != nil, "a choice without a delta")
	if p.err != nil {
		return
	}
	c := g.choices[d.Index]
	if c == nil {
		p.must(d.Delta.Role == "assistant", "a choice does not begin with its role")
		c = &openAIChoice{}
		g.choices[d.Index] = c
	} else {
		p.must(d.Delta.Role == "", "a second role")
	}
	p.must(!c.finished, "something follows the finish reason")
	for i := range d.Delta.ToolCalls {
		c.call(p, &d.Delta.ToolCalls[i])
	}
	c.finished = d.Finish != nil
}

func (c *openAIChoice) call(p *problems, k *openAICall) {
	p.must(k.Index != nil && k.Function.Arguments != nil, "a tool call without index or arguments")
	if p.err != nil {
		return
	}
	if *k.Index == c.calls {
		c.calls++
		p.must(k.ID != "" && k.Type == "function" && k.Function.Name != "", "a tool call begins without id, type or name")
		return
	}
	p.must(*k.Index >= 0 && *k.Index < c.calls, "a gap in the tool calls")
	p.must(k.ID == "" && k.Type == "" && k.Function.Name == "", "a tool call says id, type or name again")
}

func (g *openAI) End() error {
	var p problems
	p.must(g.done, "no [DONE]")
	return p.err
}
