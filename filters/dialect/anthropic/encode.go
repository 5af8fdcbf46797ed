package anthropic

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// Encode writes a messages request.
func (*provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}}
	if r.Choices > 1 {
		e.refuse("n", "More than one answer")
	}
	e.lacks(r)
	e.w.Begin('{')
	c := cloudOf(t)
	if c != nil {
		e.w.Word("anthropic_version", c.version)
	} else {
		e.w.Quote("model", t.Model)
	}
	limit := maxTokens(r, t)
	if r.MaxTokens <= 0 {
		e.l.Default("max_tokens", "the API wants a bound")
	}
	e.w.Int("max_tokens", int64(limit))
	e.system(r)
	e.messages(r.Messages)
	e.tools(r)
	thinks := e.thinking(r, t, limit)
	e.sampling(&r.Sampling, thinks)
	e.stop(r.Stop)
	e.serviceTier(r.ServiceTier)
	if r.User != "" {
		e.w.Object("metadata")
		e.w.Quote("user_id", r.User)
		e.w.Close('}')
	}
	if r.Stream && (c == nil || c.streams) {
		e.w.Literal("stream", "true")
	}
	e.w.Close('}')
	e.untaken(r)
	return e.w.B, e.err
}

// untaken notes the options that the API lacks.
func (e *encoder) untaken(r *llm.Request) {
	for _, x := range [...]struct {
		present bool
		field   string
	}{
		{r.Logprobs, "logprobs"}, {r.TopLogprobs != "", "top_logprobs"}, {r.LogitBias != nil, "logit_bias"},
		{len(r.ServiceTier) > 0, "service_tier"}, {len(r.Verbosity) > 0, "verbosity"}, {r.Metadata != nil, "metadata"},
		{r.Sampling.Seed != "", "seed"}, {r.Sampling.PresencePenalty != "", "presence_penalty"},
		{r.Sampling.FrequencyPenalty != "", "frequency_penalty"},
	} {
		if x.present {
			e.l.Drop(x.field, "the API has no such option")
		}
	}
}

func maxTokens(r *llm.Request, t *dialect.Target) int {
	switch {
	case r.MaxTokens > 0:
		return r.MaxTokens
	case t.MaxTokens > 0:
		return t.MaxTokens
	}
	return DefaultMaxTokens
}

// encoder writes a request and keeps the first error.
type encoder struct {
	l   *dialect.Ledger
	w   dialect.Writer
	err *llm.Error
	at  int // index of the message being written
}

func (e *encoder) refuse(param, what string) {
	if e.err == nil {
		e.err = dialect.Unsupported(param, what+" cannot be carried to the API that this model is served by.")
	}
}

func (e *encoder) param(member string) string {
	return "messages[" + strconv.Itoa(e.at) + "]." + member
}

// jsonInstruction stands in for OpenAI's json_object, which the API lacks.
const jsonInstruction = "Respond with one valid JSON object and nothing else."

// system writes the instructions, unless there is nothing else to write: then
// they are the conversation.
func (e *encoder) system(r *llm.Request) {
	if r.Format == nil && !dialect.OnlyInstructions(r.Messages) {
		if text := e.turns().Single(r.Messages); len(text) > 0 {
			e.w.Text("system", text)
			return
		}
	}
	start := len(e.w.B)
	e.w.Array("system")
	n := 0
	if !dialect.OnlyInstructions(r.Messages) {
		n = e.turns().Instructions(r.Messages)
	}
	if r.Format != nil && r.Format.Schema == nil {
		e.w.Open('{')
		e.w.Word("type", "text")
		e.w.Word("text", jsonInstruction)
		e.w.Close('}')
		n++
	}
	if n == 0 {
		e.w.B = e.w.B[:start]
		return
	}
	e.w.Close(']')
}

// messages writes the turns; consecutive ones of a side are one.
func (e *encoder) messages(list []llm.Message) {
	e.w.Array("messages")
	e.turns().Write(list)
	e.w.Close(']')
}

func (e *encoder) turns() *dialect.Turns {
	return &dialect.Turns{W: &e.w, Inner: "content", Assistant: "assistant", Part: e.block, Plain: plain, Visit: e.visit,
		NotText: func() { e.refuse(e.param("content"), "An instruction that is not text") }}
}

// visit notes what of a message has no place.
func (e *encoder) visit(i int, m *llm.Message, again bool) {
	e.at = i
	switch {
	case m.Role == llm.Developer:
		e.l.Default("messages/*/role", "developers speak as the system")
	case !again && len(m.Name) > 0 && !dialect.IsInstruction(m.Role):
		e.l.Drop("messages/*/name", "the API has no names of speakers")
	}
}
