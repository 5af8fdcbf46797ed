package bedrock

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of an answer.
const (
	mOutput = iota
	mStop
	mUsage
	mMore
	mMetrics
	mTier
)

var answerKeys = jsonx.NewKeys("output", "stopReason", "usage", "additionalModelResponseFields", "metrics", "serviceTier")

// Decode reads a whole answer.
func (*provider) Decode(_ *llm.Facts, t *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	content, err := scanAnswer(&doc, body)
	if err != nil {
		return nil, err
	}
	parts := blocks{origin: originOf(t)}
	parts.read(content)
	choice := llm.Choice{Parts: parts.parts, Finish: stopReason(llm.Escaped(jsonx.Interior(doc.Raw(mStop)))),
		StopSequence: textAt(doc.Raw(mMore), "stop_sequence")}
	a := &llm.Answer{Choices: []llm.Choice{choice}, Usage: readUsage(doc.Raw(mUsage), doc.Raw(mTier))}
	for it := jsonx.Members(body); it.Next(); {
		if answerKeys.Find(it.Key()) < 0 {
			a.Extra = dialect.Keep(a.Extra, &it)
		}
	}
	return a, nil
}

// originOf is who makes the signatures of a target's model. A profile of one's own
// does not say which model it is: of those that sign most are Claude.
func originOf(t *dialect.Target) string {
	if t == nil {
		return claudeOrigin
	}
	if f := aws.Family(t.Model); f != "" && !(&encoder{family: f}).claude() {
		return ownOrigin
	}
	return claudeOrigin
}

// scanAnswer validates an answer that came with a status of success, and returns
// its content.
func scanAnswer(doc *jsonx.Document, body []byte) ([]byte, *llm.Error) {
	if err := doc.Scan(body, answerKeys, jsonx.Limits{}); err != nil {
		return nil, dialect.Malformed(err.Error())
	}
	content, _ := jsonx.Lookup(doc.Raw(mOutput), "message", "content")
	if jsonx.KindOf(content) != jsonx.Array {
		if kind, ok := jsonx.Lookup(body, "__type"); ok && jsonx.KindOf(kind) == jsonx.String {
			return nil, aws.Classify(500, func(string) string { return "" }, body)
		}
		return nil, dialect.Malformed("no content")
	}
	return content, nil
}

// stopReason reads stopReason; absent is NotFinished.
func stopReason(word llm.Escaped) llm.Finish {
	switch string(word) {
	case "":
		return llm.NotFinished
	case "end_turn", "stop_sequence":
		return llm.FinishStop
	case "max_tokens", "model_context_window_exceeded":
		return llm.FinishLength
	case "tool_use":
		return llm.FinishTool
	case "guardrail_intervened", "content_filtered":
		return llm.FinishFilter
	}
	return llm.FinishOther
}

// readUsage returns disjoint buckets: inputTokens excludes the cached ones
// already, outputTokens includes the thinking, which is not told apart. tier is
// the serviceTier that stands beside it, if there is one.
func readUsage(raw, tier []byte) (u llm.Usage) {
	var hour int64
	for it := jsonx.Members(raw); it.Next(); {
		if it.KeyIs("cacheDetails") {
			hour = writtenForAnHour(it.Value())
		}
		n, ok := jsonx.Int(it.Value())
		if !ok {
			continue
		}
		n = dialect.Tokens(n)
		switch string(dialect.Name(&it)) {
		case "inputTokens":
			u.Input, u.Known = n, true
		case "outputTokens":
			u.Output, u.Known = n, true
		case "cacheReadInputTokens", "cacheReadInputTokenCount":
			u.CacheRead = n
		case "cacheWriteInputTokens", "cacheWriteInputTokenCount":
			u.CacheWrite = n
		}
	}
	u.CacheWriteHour = min(hour, u.CacheWrite)
	u.CacheWrite -= u.CacheWriteHour
	kind, _ := jsonx.Lookup(tier, "type")
	u.Tier = llm.TierOf(jsonx.Interior(kind))
	return u
}

// writtenForAnHour reads cacheDetails: what was written to the cache, by its life.
func writtenForAnHour(list []byte) (sum int64) {
	for it := jsonx.Elements(list); it.Next(); {
		ttl, _ := jsonx.Lookup(it.Value(), "ttl")
		tokens, _ := jsonx.Lookup(it.Value(), "inputTokens")
		if n, ok := jsonx.Int(tokens); ok && jsonx.Equal(jsonx.Interior(ttl), "1h") {
			sum = dialect.Tokens(sum + dialect.Tokens(n))
		}
	}
	return sum
}

// AppendAnswer writes the answer of Converse. The API knows one answer: of several
// the first is written.
func (*client) AppendAnswer(dst []byte, _ *llm.Facts, _ string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	var c llm.Choice
	if len(a.Choices) > 0 {
		c = a.Choices[0]
	}
	if len(a.Choices) > 1 {
		l.Drop("choices", "the API knows one answer")
	}
	if c.Logprobs != nil {
		l.Drop("choices/*/logprobs", "the API has none")
	}
	w.Begin('{')
	w.Object("output")
	w.Object("message")
	w.Word("role", "assistant")
	w.Array("content")
	for i := range c.Parts {
		writePart(&w, &c.Parts[i], i, l)
	}
	w.Close(']')
	w.Close('}')
	w.Close('}')
	w.Word("stopReason", stopWord(c.Finish, len(c.StopSequence) > 0, hasCall(c.Parts)))
	writeUsage(&w, &a.Usage)
	writeMetrics(&w)
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

func writePart(w *dialect.Writer, p *llm.Part, n int, l *dialect.Ledger) {
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		w.Open('{')
		if len(p.Citations) > 0 {
			writeCited(w, p)
		} else {
			w.Text("text", p.Text)
		}
	case llm.ReasoningPart:
		w.Open('{')
		writeReasoning(w, p, claudeOrigin)
	case llm.ToolCallPart:
		w.Open('{')
		writeCall(w, &p.Call, n)
	default:
		l.Drop("choices/*/message/content/*", "the API has no content of this kind")
		return
	}
	w.Close('}')
}

func writeCited(w *dialect.Writer, p *llm.Part) {
	w.Object("citationsContent")
	w.Array("content")
	w.Open('{')
	w.Text("text", p.Text)
	w.Close('}')
	w.Close(']')
	w.Array("citations")
	for i := range p.Citations {
		w.Open('{')
		writeCitation(w, &p.Citations[i])
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
}

// writeCitation writes the members of a citation.
func writeCitation(w *dialect.Writer, c *llm.Citation) {
	if len(c.Title) > 0 {
		w.Text("title", c.Title)
	}
	if len(c.Cited) > 0 {
		w.Array("sourceContent")
		w.Open('{')
		w.Text("text", c.Cited)
		w.Close('}')
		w.Close(']')
	}
	if len(c.URL) > 0 {
		w.Object("location")
		w.Object("web")
		w.Text("url", c.URL)
		w.Close('}')
		w.Close('}')
	}
}

func writeCall(w *dialect.Writer, c *llm.ToolCall, n int) {
	w.Object("toolUse")
	writeID(w, c.ID, n)
	w.Text("name", c.Name)
	w.Key("input")
	b, ok := dialect.AppendInput(w.B, c)
	if w.B = b; !ok {
		w.Begin('{')
		w.StartText("raw_arguments")
		w.B = dialect.AppendArguments(w.B, c)
		w.EndText()
		w.Close('}')
	}
	w.Close('}')
}

// writeID writes a call's id; one without gets one by its place.
func writeID(w *dialect.Writer, id llm.Escaped, n int) {
	if len(id) > 0 {
		w.Text("toolUseId", id)
		return
	}
	w.Word("toolUseId", "tooluse_"+strconv.Itoa(n))
}

// stopWord is the API's word for a finish. OpenAI says "stop" after a call that it
// was forced to make; here that is a tool's turn.
func stopWord(f llm.Finish, sequence, called bool) string {
	switch {
	case f == llm.FinishTool, f == llm.FinishStop && called:
		return "tool_use"
	case f == llm.FinishStop && sequence:
		return "stop_sequence"
	case f == llm.FinishLength:
		return "max_tokens"
	case f == llm.FinishFilter, f == llm.FinishRefusal:
		return "content_filtered"
	}
	return "end_turn"
}

// writeUsage writes the usage member; audio counts as the rest does.
func writeUsage(w *dialect.Writer, u *llm.Usage) {
	w.Object("usage")
	w.Int("inputTokens", u.Input+u.InputAudio)
	w.Int("outputTokens", u.OutputTotal())
	w.Int("totalTokens", u.Total())
	w.Int("cacheReadInputTokens", u.CacheRead)
	w.Int("cacheWriteInputTokens", u.Written())
	w.Close('}')
}

// writeMetrics writes the member that clients look for; how long the model took is
// not known here.
func writeMetrics(w *dialect.Writer) { w.Literal("metrics", `{"latencyMs":0}`) }
