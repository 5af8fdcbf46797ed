package cohere

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The members of a chat's answer.
const (
	aID = iota
	aMessage
	aFinish
	aUsage
	aLogprobs
)

var answerKeys = jsonx.NewKeys("id", "message", "finish_reason", "usage", "logprobs")

// Decode reads a whole answer.
func (chatProvider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body, answerKeys, aMessage, jsonx.Object); err != nil {
		return nil, err
	}
	t := readTurn(doc.Raw(aMessage))
	c := llm.Choice{Parts: t.assistant(), Logprobs: readLogprobs(doc.Raw(aLogprobs)), Extra: t.extra}
	word := llm.Escaped(jsonx.Interior(doc.Raw(aFinish)))
	if err := failed(word, nil); err != nil && len(c.Parts) == 0 {
		return nil, err
	}
	c.Finish = finishOf(word)
	m := dialect.Members{Doc: &doc, Keys: answerKeys}
	return &llm.Answer{ID: jsonx.Interior(doc.Raw(aID)), Choices: []llm.Choice{c}, Usage: usageOf(doc.Raw(aUsage)), Extra: m.Extra()}, nil
}

// finishes pairs finish reasons; the first word of a reason is the one to write.
var finishes = []struct {
	word   string
	finish llm.Finish
}{
	{"COMPLETE", llm.FinishStop}, {"STOP_SEQUENCE", llm.FinishStop}, {"MAX_TOKENS", llm.FinishLength}, {"ERROR_LIMIT", llm.FinishLength},
	{"TOOL_CALL", llm.FinishTool}, {"ERROR_TOXIC", llm.FinishFilter},
}

func finishOf(word llm.Escaped) llm.Finish {
	if len(word) == 0 {
		return llm.NotFinished
	}
	for _, f := range finishes {
		if string(word) == f.word {
			return f.finish
		}
	}
	return llm.FinishOther
}

func finishWord(f llm.Finish, sequence llm.Escaped) string {
	if f == llm.FinishStop && len(sequence) > 0 {
		return "STOP_SEQUENCE"
	}
	for _, x := range finishes {
		if x.finish == f {
			return x.word
		}
	}
	return finishes[0].word
}

// failed is the error that a finish reason tells; nil for one that tells none.
func failed(word, message llm.Escaped) *llm.Error {
	text := dialect.Plain(message, dialect.MaxMessage)
	switch string(word) {
	case "ERROR":
		return classify(500, text)
	case "TIMEOUT":
		return classify(504, text)
	}
	return nil
}

// readLogprobs brings [{"text", "logprobs"}] into OpenAI's form. A text of several
// tokens counts as one, with the sum of theirs.
func readLogprobs(raw []byte) llm.Raw {
	if jsonx.KindOf(raw) != jsonx.Array {
		return nil
	}
	var w dialect.Writer
	w.Begin('{')
	w.Array("content")
	for it := jsonx.Elements(raw); it.Next(); {
		text, _ := jsonx.Lookup(it.Value(), "text")
		list, _ := jsonx.Lookup(it.Value(), "logprobs")
		sum := 0.0
		for in := jsonx.Elements(list); in.Next(); {
			f, _ := jsonx.Float(in.Value())
			sum += f
		}
		w.Open('{')
		w.Text("token", jsonx.Interior(text))
		w.Key("logprob")
		w.B = strconv.AppendFloat(w.B, sum, 'g', -1, 64)
		w.Literal("bytes", "null")
		w.Literal("top_logprobs", "[]")
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	return w.B
}

// writeLogprobs writes OpenAI's form as the API's.
func writeLogprobs(w *dialect.Writer, raw llm.Raw) {
	content, ok := jsonx.Lookup(raw, "content")
	if !ok {
		return
	}
	w.Array("logprobs")
	for it := jsonx.Elements(content); it.Next(); {
		token, _ := jsonx.Lookup(it.Value(), "token")
		value, _ := jsonx.Lookup(it.Value(), "logprob")
		w.Open('{')
		w.Text("text", jsonx.Interior(token))
		w.Literal("token_ids", "[]")
		w.Array("logprobs")
		w.B = append(w.B, value...)
		w.Close(']')
		w.Close('}')
	}
	w.Close(']')
}

// AppendAnswer writes a whole answer. The API knows one: of several the first is
// written.
func (chatClient) AppendAnswer(dst []byte, _ *llm.Facts, _ string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	var c llm.Choice
	if len(a.Choices) > 0 {
		c = a.Choices[0]
	}
	if len(a.Choices) > 1 {
		l.Drop("choices", "the API has one answer")
	}
	w.Begin('{')
	writeID(&w, a.ID)
	w.Object("message")
	w.Word("role", "assistant")
	writeMessage(&w, c.Parts)
	w.Close('}')
	w.Word("finish_reason", finishWord(c.Finish, c.StopSequence))
	w.Object("usage")
	writeUsage(&w, &a.Usage)
	w.Close('}')
	writeLogprobs(&w, c.Logprobs)
	w.Close('}')
	return w.B
}

func writeID(w *dialect.Writer, id llm.Escaped) {
	if len(id) == 0 {
		id = llm.Escaped("postern")
	}
	w.Text("id", id)
}

// writeMessage writes what a model said: content, calls, citations.
func writeMessage(w *dialect.Writer, parts []llm.Part) {
	cited := false
	w.Array("content")
	for i := range parts {
		p := &parts[i]
		cited = cited || len(p.Citations) > 0
		switch {
		case isText(p):
			w.Open('{')
			w.Word("type", "text")
			w.Text("text", p.Text)
			w.Close('}')
		case p.Kind == llm.ReasoningPart:
			w.Open('{')
			writeThinking(w, p)
			w.Close('}')
		}
	}
	w.Close(']')
	writeCalls(w, parts)
	if cited {
		writeCitations(w, parts)
	}
}

func writeCitations(w *dialect.Writer, parts []llm.Part) {
	content := 0
	w.Array("citations")
	for i := range parts {
		for c := range parts[i].Citations {
			w.Open('{')
			writeCitation(w, &parts[i].Citations[c], content)
			w.Close('}')
		}
		if isText(&parts[i]) || parts[i].Kind == llm.ReasoningPart {
			content++
		}
	}
	w.Close(']')
}

func writeThinking(w *dialect.Writer, p *llm.Part) {
	w.Word("type", "thinking")
	w.Text("thinking", p.Text)
	writeSeal(w, p.Origin, p.Signature, p.Redacted)
}

// writeSeal writes what proves to its maker that it made a part. The members are
// ours.
func writeSeal(w *dialect.Writer, origin string, signature llm.Escaped, redacted bool) {
	if len(signature) > 0 {
		w.StartText("signature")
		w.B = dialect.AppendSeal(w.B, name, origin, signature)
		w.EndText()
	}
	if redacted {
		w.Literal("redacted", "true")
	}
}

// writeCalls writes tool_calls, if there are any.
func writeCalls(w *dialect.Writer, parts []llm.Part) {
	n := 0
	for i := range parts {
		p := &parts[i]
		if p.Kind != llm.ToolCallPart {
			continue
		}
		if n == 0 {
			w.Array("tool_calls")
		}
		w.Open('{')
		writeCallHead(w, p.Call.ID, p.Call.Name, n)
		w.StartText("arguments")
		w.B = dialect.AppendArguments(w.B, &p.Call)
		w.EndText()
		w.Close('}')
		writeSeal(w, p.Origin, p.Signature, false)
		w.Close('}')
		n++
	}
	if n > 0 {
		w.Close(']')
	}
}

// writeCallHead writes a call up to its arguments; one without an id gets one by
// its place.
func writeCallHead(w *dialect.Writer, id, tool llm.Escaped, n int) {
	if len(id) == 0 {
		id = strconv.AppendInt(llm.Escaped("call_"), int64(n), 10)
	}
	w.Text("id", id)
	w.Word("type", "function")
	w.Object("function")
	w.Text("name", tool)
}
