package gemini

import (
	"unicode/utf8"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// maxCitations bounds what one answer cites.
const maxCitations = 256

// cite adds what a candidate is grounded on, and what it recites, to its texts. The
// API counts bytes of the text; the vocabulary counts characters.
func cite(parts []llm.Part, c *candidate) {
	if c.grounding == nil && c.cited == nil {
		return
	}
	var texts []int // parts that are text
	for i := range parts {
		if parts[i].Kind == llm.TextPart {
			texts = append(texts, i)
		}
	}
	if len(texts) == 0 {
		return
	}
	var plain []byte
	last := -1
	citations(c, func(s span, x llm.Citation) {
		at := texts[0]
		if s.part > 0 && s.part < len(parts) && parts[s.part].Kind == llm.TextPart {
			at = s.part
		}
		p := &parts[at]
		if s.end > s.start {
			if last != at {
				plain, last = jsonx.Unescape(plain[:0], p.Text), at
			}
			x.Start, x.End = chars(plain, s.start), chars(plain, s.end)
		}
		p.Citations = append(p.Citations, x)
	})
}

// chars is how many characters the first n bytes of a text hold.
func chars(text []byte, n int) int { return utf8.RuneCount(text[:min(max(n, 0), len(text))]) }

// span is a range of bytes of a part's text.
type span struct{ part, start, end int }

// citations tells all sources of a candidate: each with the range that it supports,
// those that support none without; no more than maxCitations.
func citations(c *candidate, all func(span, llm.Citation)) {
	told := 0
	tell := func(s span, x llm.Citation) {
		if told++; told <= maxCitations {
			all(s, x)
		}
	}
	for it := jsonx.Elements(first(c.cited, "citations", "citationSources")); it.Next(); {
		raw := it.Value()
		tell(readSpan(raw), llm.Citation{URL: getText(raw, "uri"), Title: getText(raw, "title"), Other: raw})
	}
	chunks := get(c.grounding, "groundingChunks")
	used := make([]bool, min(elements(chunks), maxCitations))
	for it := jsonx.Elements(get(c.grounding, "groundingSupports")); told < maxCitations && it.Next(); {
		s := readSpan(get(it.Value(), "segment"))
		for k := jsonx.Elements(get(it.Value(), "groundingChunkIndices")); told < maxCitations && k.Next(); {
			if i := count(k.Value()); i >= 0 && i < len(used) {
				used[i] = true
				tell(s, source(element(chunks, i)))
			}
		}
	}
	for i := range used {
		if !used[i] {
			tell(span{}, source(element(chunks, i)))
		}
	}
}

func first(raw []byte, names ...string) []byte {
	for _, n := range names {
		if v := get(raw, n); v != nil {
			return v
		}
	}
	return nil
}

func elements(list []byte) (n int) {
	for it := jsonx.Elements(list); it.Next(); {
		n++
	}
	return n
}

func element(list []byte, i int) []byte {
	for it := jsonx.Elements(list); it.Next(); i-- {
		if i == 0 {
			return it.Value()
		}
	}
	return nil
}

func readSpan(raw []byte) span {
	s := span{part: count(get(raw, "partIndex")), start: count(get(raw, "startIndex")), end: count(get(raw, "endIndex"))}
	s.part, s.start, s.end = max(s.part, 0), max(s.start, 0), max(s.end, 0)
	return s
}

// source reads a grounding chunk: of the web, of a store that was searched, of maps.
func source(chunk []byte) llm.Citation {
	x := llm.Citation{Other: chunk}
	for it := jsonx.Members(chunk); it.Next(); {
		if it.Kind() == jsonx.Object {
			x.URL, x.Title, x.Cited = getText(it.Value(), "uri"), getText(it.Value(), "title"), getText(it.Value(), "text")
		}
	}
	return x
}

// writeGrounding writes groundingMetadata for the citations of a choice's texts, as
// parts were written: place gives the index of a part among them.
func writeGrounding(w *dialect.Writer, parts []llm.Part, place func(i int) int) {
	n := 0
	for i := range parts {
		n += len(parts[i].Citations)
	}
	if n == 0 {
		return
	}
	w.Object("groundingMetadata")
	w.Array("groundingChunks")
	for i := range parts {
		for k := range parts[i].Citations {
			writeSource(w, &parts[i].Citations[k])
		}
	}
	w.Close(']')
	w.Array("groundingSupports")
	n = 0
	for i := range parts {
		for k := range parts[i].Citations {
			if x := &parts[i].Citations[k]; x.End > x.Start {
				writeSupport(w, &parts[i], x, place(i), n)
			}
			n++
		}
	}
	w.Close(']')
	w.Close('}')
}

func writeSource(w *dialect.Writer, x *llm.Citation) {
	w.Open('{')
	w.Object("web")
	w.Text("uri", x.URL)
	if len(x.Title) > 0 {
		w.Text("title", x.Title)
	}
	w.Close('}')
	w.Close('}')
}

func writeSupport(w *dialect.Writer, p *llm.Part, x *llm.Citation, part, chunk int) {
	plain := jsonx.Unescape(nil, p.Text)
	start, end := bytesOf(plain, x.Start), bytesOf(plain, x.End)
	w.Open('{')
	w.Object("segment")
	if part > 0 {
		w.Int("partIndex", int64(part))
	}
	w.Int("startIndex", int64(start))
	w.Int("endIndex", int64(end))
	w.Quote("text", string(plain[start:max(start, end)]))
	w.Close('}')
	w.Array("groundingChunkIndices")
	w.B = appendIndex(w.B, chunk)
	w.Close(']')
	w.Close('}')
}

// bytesOf is how many bytes the first n characters of a text take.
func bytesOf(text []byte, n int) int {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}
