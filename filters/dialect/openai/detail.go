package openai

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// formats pairs the formats of OpenRouter's reasoning_details with the origins
// of the signatures that they carry. A format that is not here is its own origin.
var formats = []struct{ format, origin string }{
	{"anthropic-claude-v1", "anthropic"},
	{"openai-responses-v1", "openai"},
	{"google-gemini-v1", "gemini"},
}

func originOf(format llm.Escaped) string {
	for _, f := range formats {
		if jsonx.Equal(format, f.format) {
			return f.origin
		}
	}
	return dialect.Plain(format, 64)
}

func formatOf(origin string) string {
	for _, f := range formats {
		if f.origin == origin {
			return f.format
		}
	}
	return origin
}

// detail is one of OpenRouter's reasoning_details.
type detail struct {
	text, signature, data, id llm.Escaped
	origin                    string
}

func readDetail(raw []byte) detail {
	d := detail{origin: "unknown"}
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "text", "summary":
			d.text = dialect.Text(&it)
		case "signature":
			d.signature = dialect.Text(&it)
		case "data":
			d.data = dialect.Text(&it)
		case "id":
			d.id = dialect.Text(&it)
		case "format":
			if format := dialect.Text(&it); len(format) > 0 {
				d.origin = originOf(format)
			}
		}
	}
	return d
}

// sign is the detail's signature, and whether that is all there is of it. Those
// of OpenAI only hold together with the id of the item that they came in.
func (d *detail) sign() (signature llm.Escaped, redacted bool) {
	signature, redacted = d.signature, len(d.data) > 0
	if redacted {
		signature = d.data
	}
	if d.origin == "openai" && len(signature) > 0 {
		signature = append(append(append(llm.Escaped(nil), d.id...), ':'), signature...)
	}
	return signature, redacted
}

// thoughts reads reasoning: the details where they carry a signature, else the
// plain text.
func (t *turn) thoughts(parts []llm.Part) []llm.Part {
	if details, signed := readDetails(parts, t.details); signed {
		return details
	}
	if text := jsonx.Interior(t.reasoning); len(text) > 0 {
		parts = append(parts, llm.Part{Kind: llm.ReasoningPart, Text: llm.Escaped(text)})
	}
	return parts
}

func readDetails(parts []llm.Part, details []byte) (all []llm.Part, signed bool) {
	for it := jsonx.Elements(details); it.Next(); {
		d := readDetail(it.Value())
		part := llm.Part{Kind: llm.ReasoningPart, Text: d.text}
		if part.Signature, part.Redacted = d.sign(); len(part.Signature) > 0 {
			part.Origin, signed = d.origin, true
		}
		parts = append(parts, part)
	}
	return parts, signed
}

// writeDetails writes all reasoning as reasoning_details if any of it carries a
// signature.
func writeDetails(w *dialect.Writer, parts []llm.Part) {
	if !signed(parts) {
		return
	}
	w.Array("reasoning_details")
	n := 0
	for i := range parts {
		if p := &parts[i]; p.Kind == llm.ReasoningPart {
			writeDetail(w, p.Text, p.Signature, p.Origin, p.Redacted, n)
			n++
		}
	}
	w.Close(']')
}

func signed(parts []llm.Part) bool {
	for i := range parts {
		if parts[i].Kind == llm.ReasoningPart && len(parts[i].Signature) > 0 {
			return true
		}
	}
	return false
}

func writeDetail(w *dialect.Writer, text, sign llm.Escaped, origin string, redacted bool, index int) {
	w.Open('{')
	if origin == "openai" {
		if id, rest, ok := bytes.Cut(sign, []byte(":")); ok {
			w.Text("id", id)
			sign = rest
		}
	}
	if redacted {
		w.Word("type", "reasoning.encrypted")
		w.Text("data", sign)
	} else {
		w.Word("type", "reasoning.text")
		if text != nil {
			w.Text("text", text)
		}
		if len(sign) > 0 {
			w.Text("signature", sign)
		}
	}
	if origin == "" {
		origin = "anthropic" // who signed before signatures told their origin
	}
	w.Quote("format", formatOf(origin))
	w.Int("index", int64(index))
	w.Close('}')
}

// Gemini's own servers put the signature of a thought on the tool call that came
// of it: extra_content.google.thought_signature.
func thoughtSignature(raw []byte) (signature llm.Escaped, origin string) {
	value, _ := jsonx.Lookup(raw, "google", "thought_signature")
	if signature = llm.Escaped(jsonx.Interior(value)); len(signature) == 0 {
		return nil, ""
	}
	return signature, "gemini"
}

func writeThoughtSignature(w *dialect.Writer, signature llm.Escaped) {
	w.Object("extra_content")
	w.Object("google")
	w.Text("thought_signature", signature)
	w.Close('}')
	w.Close('}')
}

// cite gives the annotations of a message to its first text.
func cite(parts []llm.Part, notes []byte) {
	for i := range parts {
		if parts[i].Kind != llm.TextPart {
			continue
		}
		for it := jsonx.Elements(notes); it.Next(); {
			raw, _ := jsonx.Lookup(it.Value(), "url_citation")
			if c := base.ReadCitation(raw); len(c.URL) > 0 {
				parts[i].Citations = append(parts[i].Citations, c)
			}
		}
		return
	}
}

func writeAnnotations(w *dialect.Writer, parts []llm.Part) {
	n := 0
	for i := range parts {
		for j := range parts[i].Citations {
			if c := &parts[i].Citations[j]; len(c.URL) > 0 {
				if n++; n == 1 {
					w.Array("annotations")
				}
				writeAnnotation(w, c)
			}
		}
	}
	if n > 0 {
		w.Close(']')
	}
}

func writeAnnotation(w *dialect.Writer, c *llm.Citation) {
	w.Open('{')
	w.Word("type", "url_citation")
	w.Object("url_citation")
	base.WriteCitation(w, c)
	w.Close('}')
	w.Close('}')
}
