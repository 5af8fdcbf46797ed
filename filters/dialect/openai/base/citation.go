package base

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// ReadCitation reads the members of a url_citation.
func ReadCitation(raw []byte) llm.Citation {
	var c llm.Citation
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "url":
			c.URL = dialect.Text(&it)
		case "title":
			c.Title = dialect.Text(&it)
		case "content":
			c.Cited = dialect.Text(&it)
		case "start_index":
			n, _ := jsonx.Int(it.Value())
			c.Start = int(n)
		case "end_index":
			n, _ := jsonx.Int(it.Value())
			c.End = int(n)
		}
	}
	return c
}

// WriteCitation appends the members of a url_citation.
func WriteCitation(w *dialect.Writer, c *llm.Citation) {
	w.Text("url", c.URL)
	w.Text("title", c.Title)
	w.Int("start_index", int64(c.Start))
	w.Int("end_index", int64(c.End))
}
