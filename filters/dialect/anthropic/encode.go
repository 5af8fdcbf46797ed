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
	start := len(e.w.B)
	e.w.Array("system")
	n := 0
	if !onlyInstructions(r.Messages) {
		n = e.instructions(r.Messages)
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

func isInstruction(r llm.Role) bool { return r == llm.System || r == llm.Developer }

func onlyInstructions(list []llm.Message) bool {
	for i := range list {
		if !isInstruction(list[i].Role) {
			return false
		}
	}
	return true
}

// instructions writes the parts of system and developer messages as blocks and
// returns how many.
func (e *encoder) instructions(list []llm.Message) int {
	n := 0
	for i := range list {
		if !isInstruction(list[i].Role) {
			continue
		}
		e.at = i
		if list[i].Role == llm.Developer {
			e.l.Default("messages/*/role", "developers speak as the system")
		}
		for p := range list[i].Parts {
			part := &list[i].Parts[p]
			if part.Kind != llm.TextPart {
				e.refuse(e.param("content"), "An instruction that is not text")
			}
			n += e.block(part)
		}
	}
	return n
}

// messages writes the turns; consecutive ones of a side are one.
func (e *encoder) messages(list []llm.Message) {
	e.w.Array("messages")
	if onlyInstructions(list) {
		e.turn("user", func() int { return e.instructions(list) })
	}
	for i := 0; i < len(list); {
		if isInstruction(list[i].Role) {
			i++
			continue
		}
		i = e.run(list, i)
	}
	e.w.Close(']')
}

// turn writes a turn unless it comes out empty. content returns the number of blocks.
func (e *encoder) turn(role string, content func() int) {
	start := len(e.w.B)
	e.w.Open('{')
	e.w.Word("role", role)
	e.w.Array("content")
	if content() == 0 {
		e.w.B = e.w.B[:start]
		return
	}
	e.w.Close(']')
	e.w.Close('}')
}

// run writes the turns of one side from the i-th on as one turn, tool results
// first, and returns where the next begins.
func (e *encoder) run(list []llm.Message, i int) int {
	assistant := list[i].Role == llm.Assistant
	end := i + 1
	for end < len(list) && (isInstruction(list[end].Role) || (list[end].Role == llm.Assistant) == assistant) {
		end++
	}
	role := "user"
	if assistant {
		role = "assistant"
	}
	e.turn(role, func() int { return e.parts(list, i, end, true) + e.parts(list, i, end, false) })
	return end
}

// parts writes the tool results of the messages list[i:end], or all but them.
func (e *encoder) parts(list []llm.Message, i, end int, results bool) int {
	n := 0
	for ; i < end; i++ {
		if isInstruction(list[i].Role) {
			continue
		}
		e.at = i
		if results && len(list[i].Name) > 0 {
			e.l.Drop("messages/*/name", "the API has no names of speakers")
		}
		for p := range list[i].Parts {
			if part := &list[i].Parts[p]; (part.Kind == llm.ToolResultPart) == results {
				n += e.block(part)
			}
		}
	}
	return n
}
