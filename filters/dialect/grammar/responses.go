package grammar

import (
	"encoding/json"
	"strings"
)

// Responses is the grammar of a streamed response (API reference, responses,
// streaming events): numbers rise; created, then in_progress; an item is added
// at the next index, has its parts added and done, its deltas join to what its
// done events say, and is done once; the whole response comes last and holds the
// items as they were done. An error may end it before.
func Responses() Grammar { return &responses{last: -1} }

type responses struct {
	last    int64
	created bool
	running bool
	ended   bool
	items   []*responsesItem
}

type responsesItem struct {
	id, kind   string
	part, said bool // its part is open; its text was told whole
	text       string
	done       string // as JSON, once it is done
}

// calls reports whether the item is a call that a client answers.
func (x *responsesItem) calls() bool {
	return x.kind == "function_call" || x.kind == "custom_tool_call"
}

type responsesEvent struct {
	Type     string          `json:"type"`
	Number   *int64          `json:"sequence_number"`
	Output   *int            `json:"output_index"`
	ItemID   string          `json:"item_id"`
	Item     json.RawMessage `json:"item"`
	Delta    *string         `json:"delta"`
	Text     *string         `json:"text"`
	Refusal  *string         `json:"refusal"`
	Argument *string         `json:"arguments"`
	Input    *string         `json:"input"`
	Message  string          `json:"message"`
	Response *struct {
		ID     string            `json:"id"`
		Object string            `json:"object"`
		Status string            `json:"status"`
		Output []json.RawMessage `json:"output"`
	} `json:"response"`
}

func (g *responses) Event(name, data string) error {
	var p problems
	var e responsesEvent
	p.must(json.Unmarshal([]byte(data), &e) == nil, "not an event")
	p.must(name == e.Type, "the event is named %q", name)
	p.must(!g.ended, "something follows the end")
	p.must(e.Number != nil && *e.Number > g.last, "the number does not rise")
	if p.err != nil {
		return p.err
	}
	g.last = *e.Number
	switch kind := strings.TrimPrefix(e.Type, "response."); kind {
	case "created":
		p.must(!g.created && e.Response != nil && e.Response.ID != "", "a second beginning, or an empty one")
		g.created = true
	case "in_progress":
		p.must(g.created && !g.running, "not behind created")
		g.running = true
	case "completed", "incomplete", "failed":
		g.whole(&p, &e, kind)
	case "error":
		p.must(e.Message != "", "an error without a message")
		g.ended = true
	case "output_item.added":
		g.added(&p, &e)
	default:
		g.inside(&p, &e, kind)
	}
	return p.err
}

func (g *responses) added(p *problems, e *responsesEvent) {
	var item struct{ ID, Type string }
	p.must(g.running, "an item before in_progress")
	p.must(json.Unmarshal(e.Item, &item) == nil && item.ID != "" && item.Type != "", "an item without id or type")
	p.must(e.Output != nil && *e.Output == len(g.items), "a gap in the items")
	for _, x := range g.items {
		p.must(x.id != item.ID, "the id of another item")
		p.must(x.done != "" || x.calls(), "an item begins in another")
	}
	g.items = append(g.items, &responsesItem{id: item.ID, kind: item.Type})
}

// inside takes an event of one item.
func (g *responses) inside(p *problems, e *responsesEvent, kind string) {
	p.must(e.Output != nil && *e.Output >= 0 && *e.Output < len(g.items), "no such item")
	if p.err != nil {
		return
	}
	x := g.items[*e.Output]
	p.must(x.done == "", "the item was done")
	if kind == "output_item.done" {
		p.must(!x.part && (x.said || x.kind == "reasoning"), "an item ends before its parts")
		x.done = compact(e.Item)
		return
	}
	p.must(e.ItemID == x.id, "the id of another item")
	switch {
	case kind == "content_part.added", kind == "reasoning_summary_part.added":
		p.must(!x.part, "a part in a part")
		x.part = true
	case kind == "content_part.done", kind == "reasoning_summary_part.done":
		p.must(x.part && x.said, "a part ends before its text")
		x.part = false
	case strings.HasSuffix(kind, ".delta"):
		p.must((x.part || x.calls()) && e.Delta != nil && !x.said, "a delta outside of a part")
		if e.Delta != nil {
			x.text += *e.Delta
		}
	case strings.HasSuffix(kind, ".done"):
		x.tell(p, e)
	case kind == "output_text.annotation.added":
		p.must(x.part, "an annotation outside of a part")
	default:
		p.must(false, "unknown type")
	}
}

func (x *responsesItem) tell(p *problems, e *responsesEvent) {
	for _, text := range []*string{e.Text, e.Refusal, e.Argument, e.Input} {
		if text != nil {
			p.must(*text == x.text || x.calls() && x.text == "" && *text == "{}", "the text is not what was said")
			x.said = true
		}
	}
	p.must(x.said, "no text")
}

func (g *responses) whole(p *problems, e *responsesEvent, kind string) {
	g.ended = true
	p.must(g.running && e.Response != nil, "an end without a response")
	if p.err != nil {
		return
	}
	p.must(e.Response.Status == kind && e.Response.Object == "response", "status %q", e.Response.Status)
	p.must(len(e.Response.Output) == len(g.items), "%d items", len(e.Response.Output))
	for i, x := range g.items {
		p.must(p.err != nil || x.done != "" && x.done == compact(e.Response.Output[i]), "item %d is not what was done", i)
	}
}

func (g *responses) End() error {
	var p problems
	p.must(g.ended, "no end")
	return p.err
}
