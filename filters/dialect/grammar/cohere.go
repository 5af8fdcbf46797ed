package grammar

import "encoding/json"

// Cohere is the grammar of a streamed chat of version 2 (API reference, chat with
// streaming): message-start once and first; contents, calls and citations each
// numbered without gaps, contents one after the other; pieces of what was begun;
// message-end once, with a finish reason, and usage unless it tells an error; the
// mark last.
func Cohere() Grammar { return &cohere{} }

type cohere struct {
	started, ended, done   bool
	contents, calls, cites int
	content, call, cite    bool // what is open
	thinking               bool // the open content is
}

type cohereEvent struct {
	Type  string `json:"type"`
	ID    string `json:"id"`
	Index *int   `json:"index"`
	Delta *struct {
		Message *struct {
			Role       string          `json:"role"`
			RawContent json.RawMessage `json:"content"`
			ToolCalls  json.RawMessage `json:"tool_calls"`
			Citations  json.RawMessage `json:"citations"`
			ToolPlan   *string         `json:"tool_plan"`
		} `json:"message"`
		Finish *string `json:"finish_reason"`
		Error  *string `json:"error"`
		Usage  *struct {
			Tokens *struct {
				Input  *int64 `json:"input_tokens"`
				Output *int64 `json:"output_tokens"`
			} `json:"tokens"`
		} `json:"usage"`
	} `json:"delta"`
}

type cohereContent struct {
	Type     string  `json:"type"`
	Text     *string `json:"text"`
	Thinking *string `json:"thinking"`
}

type cohereCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function *struct {
		Name      string  `json:"name"`
		Arguments *string `json:"arguments"`
	} `json:"function"`
}

func (g *cohere) Event(name, data string) error {
	var p problems
	p.must(!g.done, "something follows the mark")
	if data == "[DONE]" {
		g.done = true
		p.must(g.ended && name == "", "the mark before the end")
		return p.err
	}
	var e cohereEvent
	p.must(json.Unmarshal([]byte(data), &e) == nil, "not an event")
	p.must(e.Type == name, "the event is named %q and typed %q", name, e.Type)
	p.must(!g.ended, "something follows the end")
	p.must(g.started || name == "message-start" || name == "message-end", "no message-start before")
	if p.err == nil {
		g.event(&p, name, &e)
	}
	return p.err
}

func (g *cohere) event(p *problems, name string, e *cohereEvent) {
	switch name {
	case "message-start":
		p.must(!g.started && e.ID != "" && e.Delta != nil && e.Delta.Message != nil && e.Delta.Message.Role == "assistant", "a bad start")
		g.started = true
	case "tool-plan-delta":
		p.must(e.Delta != nil && e.Delta.Message != nil && e.Delta.Message.ToolPlan != nil, "no plan")
	case "content-start", "content-delta", "content-end":
		g.text(p, name, e)
	case "tool-call-start", "tool-call-delta", "tool-call-end":
		g.tool(p, name, e)
	case "citation-start":
		p.must(g.content && !g.cite && e.Index != nil && *e.Index == g.cites && e.Delta != nil && e.Delta.Message != nil && len(e.Delta.Message.Citations) > 2, "a bad citation")
		g.cite = true
		g.cites++
	case "citation-end":
		p.must(g.cite && e.Index != nil && *e.Index == g.cites-1, "a citation that is not open")
		g.cite = false
	case "message-end":
		g.end(p, e)
	default:
		p.must(false, "an unknown event")
	}
}

func (g *cohere) text(p *problems, name string, e *cohereEvent) {
	p.must(e.Index != nil && !g.call, "a content without index, or within a call")
	if name == "content-end" {
		p.must(g.content && e.Index != nil && *e.Index == g.contents-1, "a content that is not open")
		g.content = false
		return
	}
	var c cohereContent
	p.must(e.Delta != nil && e.Delta.Message != nil && json.Unmarshal(e.Delta.Message.RawContent, &c) == nil, "no content")
	if p.err != nil {
		return
	}
	if name == "content-start" {
		p.must(!g.content && *e.Index == g.contents, "a content in another, or a gap")
		p.must(c.Type == "text" || c.Type == "thinking", "a content of type %q", c.Type)
		g.content, g.thinking = true, c.Type == "thinking"
		g.contents++
	} else {
		p.must(g.content && *e.Index == g.contents-1, "a piece of a content that is not open")
	}
	p.must((c.Thinking != nil) == g.thinking && (c.Text != nil) != g.thinking, "a piece of another kind")
}

func (g *cohere) tool(p *problems, name string, e *cohereEvent) {
	p.must(e.Index != nil && !g.content, "a call without index, or within a content")
	if p.err != nil {
		return
	}
	if name == "tool-call-end" {
		p.must(g.call && *e.Index == g.calls-1, "a call that is not open")
		g.call = false
		return
	}
	var c cohereCall
	p.must(e.Delta != nil && e.Delta.Message != nil && json.Unmarshal(e.Delta.Message.ToolCalls, &c) == nil && c.Function != nil && c.Function.Arguments != nil, "no call")
	if p.err != nil {
		return
	}
	if name == "tool-call-delta" {
		p.must(*e.Index >= 0 && *e.Index < g.calls, "a piece of a call that was not begun")
		return
	}
	p.must(!g.call && *e.Index == g.calls && c.ID != "" && c.Type == "function" && c.Function.Name != "", "a bad start of a call")
	g.call = true
	g.calls++
}

func (g *cohere) end(p *problems, e *cohereEvent) {
	p.must(e.Delta != nil && e.Delta.Finish != nil, "no finish reason")
	if p.err != nil {
		return
	}
	g.ended = true
	if e.Delta.Error != nil {
		p.must(*e.Delta.Finish == "ERROR" && *e.Delta.Error != "", "an error without words")
		return
	}
	p.must(g.started && !g.content && !g.call && !g.cite, "the end of something open")
	p.must(e.Delta.Usage != nil && e.Delta.Usage.Tokens != nil && e.Delta.Usage.Tokens.Input != nil && e.Delta.Usage.Tokens.Output != nil, "no counts")
}

func (g *cohere) End() error {
	var p problems
	p.must(g.done, "no mark at the end")
	return p.err
}
