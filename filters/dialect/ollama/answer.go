package ollama

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The members of an answer, and of a line of a stream.
const (
	aModel = iota
	aMessage
	aResponse
	aThinking
	aDone
	aReason
	aInput
	aOutput
	aError
	aEmbeddings
)

var answerKeys = jsonx.NewKeys("model", "message", "response", "thinking", "done", "done_reason", "prompt_eval_count", "eval_count",
	"error", "embeddings")

// usageOf reads the counts. A server that had the whole prompt in its cache does
// not count it.
func usageOf(doc *jsonx.Document) llm.Usage {
	in, read := jsonx.Int(doc.Raw(aInput))
	out, wrote := jsonx.Int(doc.Raw(aOutput))
	return llm.Usage{Input: dialect.Tokens(in), Output: dialect.Tokens(out), Known: read || wrote}
}

func finishOf(word []byte, called bool) llm.Finish {
	switch {
	case called:
		return llm.FinishTool
	case jsonx.Equal(word, "length"):
		return llm.FinishLength
	case len(word) == 0 || jsonx.Equal(word, "stop"):
		return llm.FinishStop
	}
	return llm.FinishOther
}

// bodyError finds the error in an answer or a line; nil when there is none.
func bodyError(doc *jsonx.Document) *llm.Error {
	if v, ok := doc.Get(aError); ok && v.Kind == jsonx.String {
		return classify(0, dialect.Plain(jsonx.Interior(v.Raw(doc.Body())), dialect.MaxMessage))
	}
	return nil
}

// scanAnswer validates an answer that came with a status of success.
func scanAnswer(doc *jsonx.Document, body []byte, lim jsonx.Limits) *llm.Error {
	if err := doc.Scan(body, answerKeys, lim); err != nil {
		return dialect.Malformed(err.Error())
	}
	if err := bodyError(doc); err != nil {
		return err
	}
	for _, k := range []int{aMessage, aResponse, aEmbeddings} {
		if doc.Raw(k) != nil {
			return nil
		}
	}
	return dialect.Malformed("no message")
}

// Decode reads a whole answer.
func (p provider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body, jsonx.Limits{}); err != nil {
		return nil, err
	}
	a := &llm.Answer{Model: jsonx.Interior(doc.Raw(aModel)), Usage: usageOf(&doc)}
	if raw := doc.Raw(aEmbeddings); raw != nil {
		for it := jsonx.Elements(raw); it.Next(); {
			a.Vectors = append(a.Vectors, llm.Vector{Index: len(a.Vectors), Values: it.Value()})
		}
		return a, nil
	}
	t := said(&doc)
	c := llm.Choice{}
	if len(t.thinking) > 0 {
		c.Parts = append(c.Parts, llm.Part{Kind: llm.ReasoningPart, Text: t.thinking})
	}
	if len(t.text) > 0 {
		c.Parts = append(c.Parts, llm.Part{Text: t.text})
	}
	calls := 0
	for it := jsonx.Elements(t.calls); it.Next(); calls++ {
		c.Parts = append(c.Parts, llm.Part{Kind: llm.ToolCallPart, Call: call(it.Value(), calls)})
	}
	c.Finish = finishOf(jsonx.Interior(doc.Raw(aReason)), calls > 0)
	a.Choices = []llm.Choice{c}
	return a, nil
}

// turn is what an answer or a line says, of a chat or of generate.
type turn struct {
	text, thinking llm.Escaped
	calls          []byte
}

func said(doc *jsonx.Document) turn {
	t := turn{text: jsonx.Interior(doc.Raw(aResponse)), thinking: jsonx.Interior(doc.Raw(aThinking))}
	for it := jsonx.Members(doc.Raw(aMessage)); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "content":
			t.text = dialect.Text(&it)
		case "thinking":
			t.thinking = dialect.Text(&it)
		case "tool_calls":
			t.calls = dialect.Value(&it)
		}
	}
	return t
}

// call reads the n-th call. It has an id in some versions, else one by its place.
func call(raw []byte, n int) llm.ToolCall {
	var c llm.ToolCall
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "id":
			c.ID = dialect.Text(&it)
		case "function":
			for in := jsonx.Members(it.Value()); in.Next(); {
				switch string(dialect.Name(&in)) {
				case "name":
					c.Name = dialect.Text(&in)
				case "arguments":
					c.Input = dialect.Value(&in)
				}
			}
		}
	}
	if len(c.ID) == 0 {
		c.ID = strconv.AppendInt(llm.Escaped("call_"), int64(n), 10)
	}
	return c
}
