package bedrock

import (
	"encoding/base64"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The makers of signatures: Claude's are good on every API that serves Claude.
const (
	claudeOrigin = "anthropic"
	ownOrigin    = "bedrock"
)

// blocks reads a list of content blocks. A cache point marks the block before it.
type blocks struct {
	origin string // of signatures without a seal
	parts  []llm.Part
}

func (b *blocks) read(list []byte) {
	for it := jsonx.Elements(list); it.Next(); {
		for m := jsonx.Members(it.Value()); m.Next(); {
			if m.Kind() != jsonx.Null {
				b.add(string(dialect.Name(&m)), &m)
			}
		}
	}
}

// add takes a block by the name of its one member. Unknown ones are kept raw.
func (b *blocks) add(name string, it *jsonx.Iter) {
	raw := it.Value()
	var p llm.Part
	switch name {
	case "cachePoint":
		if n := len(b.parts); n > 0 {
			b.parts[n-1].Cache = raw
		}
		return
	case "text":
		p.Text = dialect.Text(it)
	case "json":
		p.Text = jsonx.Escape(nil, string(raw))
	case "image":
		p = readMedia(llm.ImagePart, raw)
	case "document":
		p = readMedia(llm.DocumentPart, raw)
	case "video":
		p = readMedia(llm.VideoPart, raw)
	case "audio":
		p = readMedia(llm.AudioPart, raw)
	case "toolUse":
		p = readCall(raw)
	case "toolResult":
		p = b.result(raw)
	case "reasoningContent":
		p = b.reasoning(raw)
	case "guardContent":
		p = readGuarded(raw)
	case "citationsContent":
		p = readCited(raw)
	default:
		p = llm.Part{Kind: llm.OtherPart, Other: raw}
	}
	b.parts = append(b.parts, p)
}

func readCall(raw []byte) llm.Part {
	p := llm.Part{Kind: llm.ToolCallPart}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "toolUseId":
			p.Call.ID = dialect.Text(&it)
		case "name":
			p.Call.Name = dialect.Text(&it)
		case "input":
			p.Call.Input = it.Value()
		default:
			p.Extra = dialect.Keep(p.Extra, &it)
		}
	}
	return p
}

func (b *blocks) result(raw []byte) llm.Part {
	p := llm.Part{Kind: llm.ToolResultPart}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "toolUseId":
			p.Result.ID = dialect.Text(&it)
		case "content":
			inner := blocks{origin: b.origin}
			inner.read(it.Value())
			p.Result.Parts = inner.parts
		case "status":
			p.Result.Error = jsonx.Equal(dialect.Text(&it), "error")
		default:
			p.Extra = dialect.Keep(p.Extra, &it)
		}
	}
	return p
}

func (b *blocks) reasoning(raw []byte) llm.Part {
	p := llm.Part{Kind: llm.ReasoningPart}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "redactedContent":
			p.Redacted = true
			p.Origin, p.Signature = unsealBlob(b.origin, dialect.Text(&it))
		case "reasoningText":
			text, _ := jsonx.Lookup(it.Value(), "text")
			p.Text = llm.Escaped(jsonx.Interior(text))
			if sign, ok := jsonx.Lookup(it.Value(), "signature"); ok {
				p.Origin, p.Signature = dialect.Unseal(b.origin, llm.Escaped(jsonx.Interior(sign)))
			}
		}
	}
	return p
}

// unsealBlob is dialect.Unseal of what the API carries as base64: Claude's
// redacted thinking is base64 itself and goes as it is, others' is sealed and
// encoded once more. What base64 hides is text of anybody's: it is escaped again.
func unsealBlob(own string, data llm.Escaped) (origin string, signature llm.Escaped) {
	if plain, err := base64.StdEncoding.AppendDecode(nil, data); err == nil {
		if origin, signature = dialect.Unseal(own, plain); origin != own {
			return origin, jsonx.Escape(nil, string(signature))
		}
	}
	return own, data
}

// appendBlob is what unsealBlob undoes.
func appendBlob(dst []byte, own, origin string, signature llm.Escaped) []byte {
	if origin == "" || origin == own {
		return append(dst, signature...)
	}
	return base64.StdEncoding.AppendEncode(dst, dialect.AppendSeal(nil, own, origin, jsonx.Unescape(nil, signature)))
}

// readGuarded reads content that a guardrail shall look at: for other APIs it is
// content like any other.
func readGuarded(raw []byte) llm.Part {
	var p llm.Part
	if text, ok := jsonx.Lookup(raw, "text", "text"); ok {
		p.Text = llm.Escaped(jsonx.Interior(text))
	} else if image, ok := jsonx.Lookup(raw, "image"); ok {
		p = readMedia(llm.ImagePart, image)
	}
	p.Extra = append(p.Extra, llm.Field{Name: "guardContent", Value: raw})
	return p
}

// readCited reads text with the sources that it cites.
func readCited(raw []byte) llm.Part {
	var p llm.Part
	content, _ := jsonx.Lookup(raw, "content")
	p.Text = joined(content)
	list, _ := jsonx.Lookup(raw, "citations")
	for it := jsonx.Elements(list); it.Next(); {
		p.Citations = append(p.Citations, readCitation(it.Value()))
	}
	return p
}

func readCitation(raw []byte) llm.Citation {
	c := llm.Citation{Other: raw}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "title":
			c.Title = dialect.Text(&it)
		case "sourceContent":
			c.Cited = joined(it.Value())
		case "location":
			url, _ := jsonx.Lookup(it.Value(), "web", "url")
			c.URL = llm.Escaped(jsonx.Interior(url))
		}
	}
	return c
}
