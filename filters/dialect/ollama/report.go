package ollama

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// StreamType is that of lines of JSON.
func (client) StreamType(*llm.Facts) string { return linesType }

// AppendError writes {"error"} (API reference, errors; the other members are ours).
func (client) AppendError(dst []byte, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Quote("error", e.Message)
	if e.Code != "" {
		w.Quote("code", e.Code)
	}
	w.Causes(e)
	if requestID != "" {
		w.Quote("request_id", requestID)
	}
	w.Close('}')
	return w.B
}

// AppendStreamError writes the error as the last line.
func (c client) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	return append(c.AppendError(dst, e, requestID), '\n')
}

// AppendModels writes the list of models as /api/tags has it.
func (client) AppendModels(dst []byte, names []string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Array("models")
	for _, n := range names {
		w.Open('{')
		w.Quote("name", n)
		w.Quote("model", n)
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	return w.B
}

// AppendAnswer writes a whole answer's text and usage. Answers of other dialects
// never come here: their requests are refused.
func (client) AppendAnswer(dst []byte, _ *llm.Facts, model string, a *llm.Answer, _ *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Quote("model", model)
	w.Object("message")
	w.Word("role", "assistant")
	for i := range a.Choices[:min(len(a.Choices), 1)] {
		w.Joined("content", a.Choices[i].Parts, llm.TextPart)
	}
	w.Close('}')
	w.Literal("done", "true")
	w.Int("prompt_eval_count", a.Usage.InputTotal())
	w.Int("eval_count", a.Usage.OutputTotal())
	w.Close('}')
	return w.B
}

// NewEncoder writes nothing, for the same reason.
func (client) NewEncoder(*llm.Facts, string) dialect.Encoder { return silent{} }

type silent struct{}

func (silent) Append(dst []byte, _ *llm.Event) []byte { return dst }

var errorKeys = jsonx.NewKeys("error")

// Classify reads an error answer by its status and by what its body says.
func (provider) Classify(status int, h dialect.Header, body []byte) *llm.Error {
	e := classify(status, dialect.Complaint(body, errorKeys))
	e.After = dialect.RetryAfter(h)
	return e
}

// hints tell by a message what the API has no code for.
var hints = []dialect.Hint{
	{Class: llm.ContextLength, Phrases: []string{"context length", "exceeds maximum context", "context window", "input length"}},
	{Class: llm.ProviderError, Phrases: []string{"not found, try pulling", "model not found"}},
	{Class: llm.Overloaded, Phrases: []string{"server busy", "maximum pending requests", "requires more system memory", "out of memory"}},
	{Of: llm.RateLimited, Class: llm.QuotaExhausted, Phrases: []string{"usage limit", "upgrade"}},
}

// classify goes by the status, and by the message where that says more. A status
// of success is an error in an answer or in a stream.
func classify(status int, message string) *llm.Error {
	if status < 400 {
		status = 500
	}
	e := dialect.StatusError(status)
	dialect.Refine(e, message, hints)
	return e
}
