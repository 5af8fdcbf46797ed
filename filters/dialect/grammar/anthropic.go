package grammar

import (
	"encoding/json"
)

// Anthropic is the grammar of a streamed message (API reference, streaming):
// message_start once and first; blocks numbered without gaps, one after the
// other, with deltas of their own kind; then message_delta with the stop reason
// and the usage; message_stop once and last. Pings may stand between, an error
// ends the stream.
func Anthropic() Grammar { return &anthropic{} }

type anthropic struct {
	started, open, stopped, ended bool
	blocks                        int
	kind                          string // of the open block
}

type anthropicEvent struct {
	Type    string `json:"type"`
	Message *struct {
		ID      string            `json:"id"`
		Type    string            `json:"type"`
		Role    string            `json:"role"`
		Model   string            `json:"model"`
		Content []json.RawMessage `json:"content"`
		Usage   *anthropicUsage   `json:"usage"`
	} `json:"message"`
	Index *int `json:"index"`
	Block *struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"content_block"`
	Delta *struct {
		Type       string  `json:"type"`
		StopReason *string `json:"stop_reason"`
	} `json:"delta"`
	Usage *anthropicUsage `json:"usage"`
	Error *struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error"`
}

type anthropicUsage struct {
	Input  *int64 `json:"input_tokens"`
	Output *int64 `json:"output_tokens"`
}

// anthropicDeltas are the deltas that a kind of block may have.
var anthropicDeltas = map[string][]string{
	"text":            {"text_delta", "citations_delta"},
	"tool_use":        {"input_json_delta"},
	"server_tool_use": {"input_json_delta"},
	"thinking":        {"thinking_delta", "signature_delta"},
}

func (g *anthropic) Event(name, data string) error {
	var p problems
	var e anthropicEvent
	p.must(json.Unmarshal([]byte(data), &e) == nil, "not an event")
	p.must(e.Type == name, "the event is named %q and typed %q", name, e.Type)
	p.must(!g.ended, "something follows the end")
	p.must(g.started || name == "message_start" || name == "error" || name == "ping", "no message_start before")
	if p.err != nil {
		return p.err
	}
	switch name {
	case "message_start":
		g.start(&p, &e)
	case "content_block_start":
		g.blockStart(&p, &e)
	case "content_block_delta":
		g.delta(&p, &e)
	case "content_block_stop":
		p.must(g.open && e.Index != nil && *e.Index == g.blocks-1, "stops a block that is not open")
		g.open = false
	case "message_delta":
		p.must(!g.open, "message_delta within a block")
		p.must(e.Delta != nil && e.Usage != nil && e.Usage.Output != nil, "message_delta without delta or usage")
		g.stopped = g.stopped || p.err == nil && e.Delta.StopReason != nil
	case "message_stop":
		p.must(g.stopped && !g.open, "message_stop without a stop reason, or within a block")
		g.ended = true
	case "error":
		p.must(e.Error != nil && e.Error.Type != "" && e.Error.Message != "", "an error without type or message")
		g.ended = true
	case "ping":
	default:
		p.must(false, "unknown event")
	}
	return p.err
}

func (g *anthropic) start(p *problems, e *anthropicEvent) {
	p.must(!g.started, "a second message_start")
	g.started = true
	m := e.Message
	p.must(m != nil && m.ID != "" && m.Type == "message" && m.Role == "assistant" && m.Model != "", "message lacks a member")
	p.must(p.err != nil || m.Content != nil && len(m.Content) == 0, "content is not empty")
	p.must(p.err != nil || m.Usage != nil && m.Usage.Input != nil && m.Usage.Output != nil, "no usage")
}

func (g *anthropic) blockStart(p *problems, e *anthropicEvent) {
	p.must(!g.open, "blocks overlap")
	p.must(!g.stopped, "a block after the stop reason")
	p.must(e.Index != nil && *e.Index == g.blocks, "a gap in the blocks")
	p.must(e.Block != nil && e.Block.Type != "", "no block")
	if p.err != nil {
		return
	}
	p.must(e.Block.Type != "tool_use" || e.Block.ID != "" && e.Block.Name != "", "a tool call without id or name")
	g.open, g.kind = true, e.Block.Type
	g.blocks++
}

func (g *anthropic) delta(p *problems, e *anthropicEvent) {
	p.must(g.open && e.Index != nil && *e.Index == g.blocks-1, "a delta of a block that is not open")
	p.must(e.Delta != nil, "no delta")
	if p.err != nil {
		return
	}
	for _, kind := range anthropicDeltas[g.kind] {
		if e.Delta.Type == kind {
			return
		}
	}
	p.must(false, "%s in a block of %s", e.Delta.Type, g.kind)
}

func (g *anthropic) End() error {
	var p problems
	p.must(g.ended, "no message_stop")
	return p.err
}
