package cohere

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// cite gives texts their citations: by content_index, else to the only text.
// Those of thinking and of plans have no place.
func cite(parts []llm.Part, citations []byte) {
	first := len(parts)
	for i := range parts {
		if parts[i].Kind == llm.TextPart {
			first = min(first, i)
		}
	}
	if first == len(parts) {
		return
	}
	for it := jsonx.Elements(citations); it.Next(); {
		list, index := readCitation(nil, it.Value())
		at := first
		if index > 0 && first+index < len(parts) && parts[first+index].Kind == llm.TextPart {
			at += index
		}
		parts[at].Citations = append(parts[at].Citations, list...)
	}
}

// readCitation appends one citation for each source that a span of text has, and
// tells the index of its content; nothing for a span of thinking.
func readCitation(list []llm.Citation, raw []byte) (_ []llm.Citation, index int) {
	c := llm.Citation{Other: raw}
	var sources []byte
	for it := jsonx.Members(raw); it.Next(); {
		n, _ := jsonx.Int(it.Value())
		switch string(dialect.Name(&it)) {
		case "start":
			c.Start = int(n)
		case "end":
			c.End = int(n)
		case "content_index":
			index = int(n)
		case "sources":
			sources = it.Value()
		case "type":
			if kind := dialect.Text(&it); kind != nil && string(kind) != "TEXT_CONTENT" {
				return list, 0
			}
		}
	}
	n := len(list)
	for it := jsonx.Elements(sources); it.Next(); {
		list = append(list, source(c, it.Value()))
	}
	if len(list) == n {
		list = append(list, c)
	}
	return list, index
}

// source fills in what a source says of itself: its title, else its id, its
// address and its words.
func source(c llm.Citation, raw []byte) llm.Citation {
	for _, name := range []string{"document", "tool_output"} {
		body, _ := jsonx.Lookup(raw, name)
		for it := jsonx.Members(body); it.Next(); {
			switch string(dialect.Name(&it)) {
			case "url":
				c.URL = dialect.Text(&it)
			case "title":
				c.Title = dialect.Text(&it)
			case "text", "snippet", "content":
				c.Cited = dialect.Text(&it)
			}
		}
	}
	if id, ok := jsonx.Lookup(raw, "id"); ok && c.Title == nil {
		c.Title = jsonx.Interior(id)
	}
	return c
}

// writeCitation writes the members of a citation of the n-th content.
func writeCitation(w *dialect.Writer, c *llm.Citation, content int) {
	if c.End > c.Start {
		w.Int("start", int64(c.Start))
		w.Int("end", int64(c.End))
	}
	w.Array("sources")
	w.Open('{')
	w.Word("type", "document")
	w.Object("document")
	for _, m := range []struct {
		name string
		text llm.Escaped
	}{{"title", c.Title}, {"url", c.URL}, {"snippet", c.Cited}} {
		if len(m.text) > 0 {
			w.Text(m.name, m.text)
		}
	}
	w.Close('}')
	w.Close('}')
	w.Close(']')
	w.Int("content_index", int64(content))
	w.Word("type", "TEXT_CONTENT")
}
