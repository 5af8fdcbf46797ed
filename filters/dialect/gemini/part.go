package gemini

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// readPart reads a part of a turn, of a request or of an answer. What its own
// dialect alone knows (code that ran, tools of the provider) is kept raw.
func readPart(raw []byte) llm.Part {
	part := llm.Part{Kind: llm.OtherPart}
	var sign llm.Escaped
	thought := false
	for it := jsonx.Members(raw); it.Next(); {
		value := dialect.Value(&it)
		switch field(&it) {
		case "text":
			part.Kind, part.Text = llm.TextPart, dialect.Text(&it)
		case "inlineData", "fileData":
			part.Media = readMedia(value)
			part.Kind = mediaKind(part.Media.Type)
		case "functionCall":
			part.Kind, part.Call = llm.ToolCallPart, readCall(value)
		case "functionResponse":
			part.Kind, part.Result = llm.ToolResultPart, readResult(value)
		case "thought":
			thought, _ = jsonx.Bool(it.Value())
		case "thoughtSignature":
			sign = dialect.Text(&it)
		default:
			part.Extra = dialect.Keep(part.Extra, &it)
		}
	}
	return settle(part, raw, sign, thought)
}

func settle(part llm.Part, raw []byte, sign llm.Escaped, thought bool) llm.Part {
	if part.Kind == llm.OtherPart && len(part.Extra) > 0 {
		return llm.Part{Kind: llm.OtherPart, Other: raw}
	}
	if part.Kind == llm.OtherPart { // a signature alone, as streams end in one, or what an SDK makes of an empty text: {}
		part.Kind, part.Redacted = llm.TextPart, thought
	}
	if thought && part.Kind == llm.TextPart {
		part.Kind = llm.ReasoningPart
	}
	if len(sign) > 0 {
		readSignature(&part, sign)
	}
	return part
}

func readMedia(raw []byte) llm.Media {
	var m llm.Media
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "mimeType":
			m.Type = dialect.Text(&it)
		case "data":
			m.Data = standard(dialect.Text(&it))
		case "fileUri":
			if uri := dialect.Text(&it); isFile(uri) {
				m.File = uri
			} else {
				m.URL = uri
			}
		case "displayName":
			m.Name = dialect.Text(&it)
		}
	}
	return m
}

// isFile reports whether a URI names what only the provider can read: a file of the
// files API, or an object of a bucket.
func isFile(uri llm.Escaped) bool {
	return !bytes.HasPrefix(uri, []byte("http")) || bytes.Contains(uri, []byte("generativelanguage.googleapis.com"))
}

// standard is base64 in the standard alphabet and padded: the JSON form of protocol
// buffers takes both alphabets, and the SDKs write either.
func standard(data llm.Escaped) llm.Escaped {
	escaped := bytes.IndexByte(data, '\\') >= 0
	if escaped {
		data = jsonx.Unescape(nil, data)
	}
	if !escaped && !bytes.ContainsAny(data, "-_") && len(data)%4 == 0 {
		return data
	}
	out := make(llm.Escaped, len(data), len(data)+3)
	for i, c := range data {
		switch {
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		case c == '"', c == '\\', c < ' ':
			c = '=' // no base64 has it; nothing may end the string
		}
		out[i] = c
	}
	for len(out)%4 != 0 {
		out = append(out, '=')
	}
	return out
}

func readCall(raw []byte) llm.ToolCall {
	c := llm.ToolCall{Input: llm.Raw("{}")}
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "id":
			c.ID = dialect.Text(&it)
		case "name":
			c.Name = dialect.Text(&it)
		case "args":
			if it.Kind() == jsonx.Object {
				c.Input = it.Value()
			}
		}
	}
	return c
}

// readResult reads what a tool gave. The API wants an object: one member that says
// what it is by the names that the SDKs use stands for its text.
func readResult(raw []byte) llm.ToolResult {
	var r llm.ToolResult
	var media []llm.Part
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "id":
			r.ID = dialect.Text(&it)
		case "name":
			r.Name = dialect.Text(&it)
		case "response":
			readResponse(&r, it.Value())
		case "parts":
			for p := jsonx.Elements(it.Value()); p.Next(); {
				media = append(media, readPart(p.Value()))
			}
		}
	}
	r.Parts = append(r.Parts, media...)
	return r
}

func readResponse(r *llm.ToolResult, raw []byte) {
	it := jsonx.Members(raw)
	if !it.Next() {
		return
	}
	key, text, only := field(&it), it, true
	if it.Next() {
		only = false
	}
	interior := jsonx.Interior(text.Value())
	r.Error = only && key == "error"
	switch {
	case only && interior != nil && (key == "error" || key == "output" || key == "result"):
		r.Parts = []llm.Part{{Text: interior}}
	default:
		r.Parts = []llm.Part{{Text: jsonx.Escape(nil, string(raw))}}
	}
}
