package gemini

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// AppendAnswer writes a GenerateContentResponse.
func (*client) AppendAnswer(dst []byte, _ *llm.Facts, model string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Array("candidates")
	for i := range a.Choices {
		writeCandidate(&w, i, &a.Choices[i], l)
	}
	w.Close(']')
	if a.Usage.Known || a.Usage.Estimated {
		writeUsage(&w, &a.Usage)
	}
	w.Quote("modelVersion", model)
	w.Text("responseId", answerID(a.ID))
	w.Close('}')
	l.Unknown("", a.Extra)
	return w.B
}

func answerID(id llm.Escaped) llm.Escaped {
	if len(id) == 0 {
		return llm.Escaped("postern")
	}
	return id
}

func writeCandidate(w *dialect.Writer, i int, c *llm.Choice, l *dialect.Ledger) {
	places := make([]int, len(c.Parts))
	w.Open('{')
	w.Object("content")
	w.Array("parts")
	n := 0
	for k := range c.Parts {
		places[k] = n
		if writePart(w, &c.Parts[k]) {
			n++
		} else {
			l.Drop("choices/*/message/content/*", "no part of the API can hold it")
		}
		l.Unknown("choices/*/message/content/*", c.Parts[k].Extra)
	}
	w.Close(']')
	w.Word("role", "model")
	w.Close('}')
	w.Word("finishReason", finishName(c.Finish))
	w.Int("index", int64(i))
	writeGrounding(w, c.Parts, func(k int) int { return places[k] })
	if c.Logprobs != nil {
		writeLogprobs(w, c.Logprobs)
	}
	w.Close('}')
	if len(c.StopSequence) > 0 {
		l.Drop("choices/*/stop_sequence", "the API does not tell it")
	}
	l.Unknown("choices/*", c.Extra)
}

// writePart writes a part of an answer; false when the API has none for it.
func writePart(w *dialect.Writer, p *llm.Part) bool {
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		w.Open('{')
		w.Text("text", p.Text)
	case llm.ReasoningPart:
		w.Open('{')
		if !p.Redacted {
			w.Text("text", p.Text)
		}
		w.Literal("thought", "true")
	case llm.ToolCallPart:
		w.Open('{')
		writeCall(w, &p.Call)
	case llm.ImagePart, llm.AudioPart, llm.VideoPart, llm.DocumentPart:
		if p.Media.Data == nil {
			return false
		}
		w.Open('{')
		w.Object("inlineData")
		w.Text("mimeType", p.Media.Type)
		w.Text("data", p.Media.Data)
		w.Close('}')
	default:
		return false
	}
	writeSignature(w, p.Origin, p.Signature, p.Redacted)
	w.Close('}')
	return true
}

func writeSignature(w *dialect.Writer, origin string, sign llm.Escaped, redacted bool) {
	if len(sign) == 0 {
		return
	}
	w.StartText("thoughtSignature")
	w.B = appendSignature(w.B, origin, sign, redacted)
	w.EndText()
}

// flatten makes JSON one line: between tokens a break is as good as a space, and
// in an event it would end the line of data.
func flatten(json []byte) {
	for i, c := range json {
		if c == '\n' || c == '\r' {
			json[i] = ' '
		}
	}
}

// writeCall writes a functionCall. Arguments that are no object, as a model that was
// cut short leaves them, are kept in one member.
func writeCall(w *dialect.Writer, c *llm.ToolCall) {
	w.Object("functionCall")
	if len(c.ID) > 0 {
		w.Text("id", c.ID)
	}
	w.Text("name", c.Name)
	w.Key("args")
	at := len(w.B)
	b, ok := dialect.AppendInput(w.B, c)
	flatten(b[at:])
	if w.B = b; !ok {
		w.Begin('{')
		w.StartText("raw_arguments")
		w.B = dialect.AppendArguments(w.B, c)
		w.EndText()
		w.Close('}')
	}
	w.Close('}')
}
