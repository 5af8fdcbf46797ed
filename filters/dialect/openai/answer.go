package openai

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of an answer, of a chunk and of an error body.
const (
	aID = iota
	aCreated
	aModel
	aChoices
	aUsage
	aError
	aGroq
	aObject
	aTier
	aMessage
	aType
	aCode
)

var answerKeys = jsonx.NewKeys("id", "created", "model", "choices", "usage", "error", "x_groq", "object", "service_tier", "message", "type", "code")

// Decode reads a whole answer.
func (*provider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body); err != nil {
		return nil, err
	}
	a := &llm.Answer{
		ID:    llm.Escaped(jsonx.Interior(doc.Raw(aID))),
		Model: llm.Escaped(jsonx.Interior(doc.Raw(aModel))),
	}
	a.Created, _ = jsonx.Int(doc.Raw(aCreated))
	a.Usage, _ = usageOf(&doc)
	for it := jsonx.Elements(doc.Raw(aChoices)); it.Next(); {
		a.Choices = append(a.Choices, readChoice(it.Value()))
	}
	for it := jsonx.Members(body); it.Next(); {
		if answerKeys.Find(it.Key()) < 0 {
			a.Extra = dialect.Keep(a.Extra, &it)
		}
	}
	return a, nil
}

// scanAnswer validates an answer that came with a status of success, and finds
// the error that it may be nevertheless.
func scanAnswer(doc *jsonx.Document, body []byte) *llm.Error {
	if err := doc.Scan(body, answerKeys, jsonx.Limits{}); err != nil {
		return dialect.Malformed(err.Error())
	}
	if err := bodyError(doc); err != nil {
		return err
	}
	if jsonx.KindOf(doc.Raw(aChoices)) != jsonx.Array {
		return dialect.Malformed("no choices")
	}
	return nil
}

// bodyError finds the error in an answer or in a chunk that came with a status
// of success; nil when there is none.
func bodyError(doc *jsonx.Document) *llm.Error {
	return base.Fault(doc.Raw(aError), doc.Raw(aObject), doc.Body())
}

// usageOf finds usage where servers put it: usage, or x_groq.usage in streams
// of Groq that did not ask for it.
func usageOf(doc *jsonx.Document) (llm.Usage, bool) {
	if u, ok := base.ReadUsage(doc.Raw(aUsage), doc.Raw(aTier)); ok {
		return u, true
	}
	raw, ok := jsonx.Lookup(doc.Raw(aGroq), "usage")
	if !ok {
		return llm.Usage{}, false
	}
	return base.ReadUsage(raw, doc.Raw(aTier))
}

func readChoice(raw []byte) llm.Choice {
	var c llm.Choice
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "message":
			t := readTurn(it.Value())
			c.Parts = t.assistant()
			c.Extra = append(c.Extra, t.extra...)
		case "finish_reason":
			c.Finish = finishOf(dialect.Value(&it))
		case "text": // of a completion
			if text := dialect.Text(&it); len(text) > 0 {
				c.Parts = append(c.Parts, llm.Part{Text: text})
			}
		case "logprobs":
			c.Logprobs = llm.Raw(dialect.Value(&it))
		case "index":
		default:
			c.Extra = dialect.Keep(c.Extra, &it)
		}
	}
	return c
}

// finishNames pairs finish reasons; the first of a reason is the one written.
var finishNames = []struct {
	name   string
	finish llm.Finish
}{
	{"stop", llm.FinishStop},
	{"length", llm.FinishLength},
	{"tool_calls", llm.FinishTool},
	{"content_filter", llm.FinishFilter},
	{"function_call", llm.FinishTool},
	{"model_length", llm.FinishLength}, // Mistral
	{"eos", llm.FinishStop},            // Together
}

// finishOf reads a finish reason; absent is NotFinished.
func finishOf(raw []byte) llm.Finish {
	word := jsonx.Interior(raw)
	if word == nil {
		return llm.NotFinished
	}
	for _, n := range finishNames {
		if string(word) == n.name {
			return n.finish
		}
	}
	return llm.FinishOther
}

// finishName is the word for a finish reason. A refusal is what OpenAI's filter
// would have done; a pause, and what has no word, is an ordinary stop.
func finishName(f llm.Finish) string {
	if f == llm.FinishRefusal {
		f = llm.FinishFilter
	}
	for _, n := range finishNames {
		if n.finish == f {
			return n.name
		}
	}
	return "stop"
}

// AppendAnswer writes a chat.completion object.
func (*client) AppendAnswer(dst []byte, f *llm.Facts, model string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	if len(a.ID) > 0 {
		w.Text("id", a.ID)
	} else {
		w.Word("id", "chatcmpl-postern")
	}
	w.Word("object", "chat.completion")
	w.Int("created", created(f, a.Created))
	w.Quote("model", model)
	w.Array("choices")
	for i := range a.Choices {
		writeChoice(&w, i, &a.Choices[i])
	}
	w.Close(']')
	if a.Usage.Known || a.Usage.Estimated {
		base.WriteUsage(&w, &a.Usage)
	}
	w.Close('}')
	return w.B
}

// created is when an answer was made: as the provider says, else when the
// request came.
func created(f *llm.Facts, at int64) int64 {
	if at > 0 {
		return at
	}
	return f.Received
}

func writeChoice(w *dialect.Writer, i int, c *llm.Choice) {
	w.Open('{')
	w.Int("index", int64(i))
	w.Object("message")
	w.Word("role", "assistant")
	if !w.Joined("content", c.Parts, llm.TextPart) {
		w.Literal("content", "null")
	}
	if !w.Joined("refusal", c.Parts, llm.RefusalPart) {
		w.Literal("refusal", "null")
	}
	w.Joined("reasoning_content", c.Parts, llm.ReasoningPart)
	writeDetails(w, c.Parts)
	writeCalls(w, c.Parts, true)
	writeAnnotations(w, c.Parts)
	w.Close('}')
	if c.Logprobs != nil {
		w.Raw("logprobs", c.Logprobs)
	} else {
		w.Literal("logprobs", "null")
	}
	w.Word("finish_reason", finishName(c.Finish))
	w.Close('}')
}
