package anthropic

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// AppendAnswer writes a message object. The API knows one answer: of several the
// first is written.
func (*client) AppendAnswer(dst []byte, _ *llm.Facts, model string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	var c llm.Choice
	if len(a.Choices) > 0 {
		c = a.Choices[0]
	}
	w.Begin('{')
	writeHead(&w, a.ID, model)
	w.Array("content")
	for i := range c.Parts {
		if p := &c.Parts[i]; p.Kind != llm.ReasoningPart && len(p.Signature) > 0 {
			// Other blocks have no signature here: it goes before, as what only its maker reads.
			writePart(&w, &llm.Part{Kind: llm.ReasoningPart, Redacted: true, Signature: p.Signature, Origin: p.Origin}, i, l)
		}
		writePart(&w, &c.Parts[i], i, l)
	}
	untold(a, l)
	w.Close(']')
	writeStop(&w, c.Finish, c.StopSequence, hasCall(c.Parts))
	writeUsage(&w, &a.Usage)
	w.Close('}')
	return w.B
}

func hasCall(parts []llm.Part) bool {
	for i := range parts {
		if parts[i].Kind == llm.ToolCallPart {
			return true
		}
	}
	return false
}

func writeHead(w *dialect.Writer, id llm.Escaped, model string) {
	if len(id) == 0 {
		id = llm.Escaped("msg_postern")
	}
	w.Text("id", id)
	w.Word("type", "message")
	w.Word("role", "assistant")
	w.Quote("model", model)
}

// untold notes what the API has no place for.
func untold(a *llm.Answer, l *dialect.Ledger) {
	if len(a.Choices) > 1 {
		l.Drop("choices", "the API has one answer")
	}
	for i := range a.Choices {
		if a.Choices[i].Logprobs != nil {
			l.Drop("choices/*/logprobs", "the API has none")
		}
	}
}

func writePart(w *dialect.Writer, p *llm.Part, n int, l *dialect.Ledger) {
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		w.Open('{')
		w.Word("type", "text")
		w.Text("text", p.Text)
		writeCitations(w, p.Citations)
	case llm.ReasoningPart:
		w.Open('{')
		writeThinking(w, p)
	case llm.ToolCallPart:
		w.Open('{')
		w.Word("type", "tool_use")
		writeID(w, p.Call.ID, n)
		w.Text("name", p.Call.Name)
		writeInput(w, &p.Call)
	default:
		l.Drop("choices/*/message/content/*", "the API has no such part")
		return
	}
	w.Close('}')
}

// writeCitations writes citations: the API's own as they came, others as those of
// a search, the one form that any source fits in.
func writeCitations(w *dialect.Writer, list []llm.Citation) {
	if len(list) == 0 {
		return
	}
	w.Array("citations")
	for i := range list {
		w.Open('{')
		writeCitation(w, &list[i])
		w.Close('}')
	}
	w.Close(']')
}

func writeCitation(w *dialect.Writer, c *llm.Citation) {
	w.Word("type", "web_search_result_location")
	w.Text("url", c.URL)
	w.Text("title", c.Title)
	w.Text("cited_text", c.Cited)
	w.Word("encrypted_index", "")
}

func writeThinking(w *dialect.Writer, p *llm.Part) {
	if p.Redacted {
		w.Word("type", "redacted_thinking")
		writeSeal(w, "data", p.Origin, p.Signature)
		return
	}
	w.Word("type", "thinking")
	w.Text("thinking", p.Text)
	writeSeal(w, "signature", p.Origin, p.Signature)
}

// writeSeal writes a signature so that it can be told from the API's own when it
// comes back.
func writeSeal(w *dialect.Writer, name, origin string, sign llm.Escaped) {
	w.StartText(name)
	w.B = dialect.AppendSeal(w.B, dialectName, origin, sign)
	w.EndText()
}

// writeID writes a call's id; one without gets one by its place.
func writeID(w *dialect.Writer, id llm.Escaped, n int) {
	if len(id) > 0 {
		w.Text("id", id)
		return
	}
	w.Word("id", "toolu_"+strconv.Itoa(n))
}

// writeInput writes a call's arguments as an object. Text that is none, as a model
// that was cut short leaves it, is kept in one member.
func writeInput(w *dialect.Writer, c *llm.ToolCall) {
	w.Key("input")
	b, ok := dialect.AppendInput(w.B, c)
	if w.B = b; ok {
		return
	}
	w.Begin('{')
	w.StartText("raw_arguments")
	w.B = dialect.AppendArguments(w.B, c)
	w.EndText()
	w.Close('}')
}

// writeStop writes stop_reason and stop_sequence. OpenAI says "stop" after a call
// that it was forced to make; here that is a tool's turn.
func writeStop(w *dialect.Writer, f llm.Finish, sequence llm.Escaped, called bool) {
	reason := "end_turn"
	switch {
	case f == llm.FinishTool, f == llm.FinishStop && called:
		reason = "tool_use"
	case f == llm.FinishStop && len(sequence) > 0:
		reason = "stop_sequence"
	case f == llm.FinishLength:
		reason = "max_tokens"
	case f == llm.FinishFilter, f == llm.FinishRefusal:
		reason = "refusal"
	case f == llm.FinishPause:
		reason = "pause_turn"
	}
	w.Word("stop_reason", reason)
	if reason == "stop_sequence" {
		w.Text("stop_sequence", sequence)
	} else {
		w.Literal("stop_sequence", "null")
	}
}

// writeUsage writes the usage member; audio counts as the rest does.
func writeUsage(w *dialect.Writer, u *llm.Usage) {
	w.Object("usage")
	w.Int("input_tokens", u.Input+u.InputAudio)
	w.Int("cache_creation_input_tokens", u.Written())
	w.Int("cache_read_input_tokens", u.CacheRead)
	w.Int("output_tokens", u.OutputTotal())
	if u.Reasoning > 0 {
		w.Object("output_tokens_details")
		w.Int("thinking_tokens", u.Reasoning)
		w.Close('}')
	}
	if u.CacheWriteHour > 0 {
		w.Object("cache_creation")
		w.Int("ephemeral_5m_input_tokens", u.CacheWrite)
		w.Int("ephemeral_1h_input_tokens", u.CacheWriteHour)
		w.Close('}')
	}
	w.Close('}')
}
