package responses

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The top-level members of a response.
const (
	aID = iota
	aCreated
	aModel
	aOutput
	aUsage
	aError
	aStatus
	aIncomplete
	aObject
	aTier
)

var answerKeys = jsonx.NewKeys("id", "created_at", "model", "output", "usage", "error", "status", "incomplete_details", "object", "service_tier")

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
	a.Usage, _ = base.ReadUsage(doc.Raw(aUsage), doc.Raw(aTier))
	var c llm.Choice
	for it := jsonx.Elements(doc.Raw(aOutput)); it.Next(); {
		x := readItem(it.Value())
		switch string(x.kind) {
		case "message":
			c.Parts = append(c.Parts, readContent(x.content)...)
		case "function_call":
			c.Parts = append(c.Parts, llm.Part{Kind: llm.ToolCallPart, Call: x.call()})
		case "reasoning":
			c.Parts = append(c.Parts, x.thoughts()...)
		default:
			c.Extra = append(c.Extra, llm.Field{Name: dialect.Plain(x.kind, 64), Value: it.Value()})
		}
	}
	c.Finish = finishOf(&doc)
	a.Choices = []llm.Choice{c}
	return a, nil
}

// scanAnswer validates an answer that came with a status of success, and finds
// the error that it may be nevertheless.
func scanAnswer(doc *jsonx.Document, body []byte) *llm.Error {
	if err := doc.Scan(body, answerKeys, jsonx.Limits{}); err != nil {
		return dialect.Malformed(err.Error())
	}
	if err := base.Fault(doc.Raw(aError), doc.Raw(aObject), body); err != nil {
		return err
	}
	if jsonx.KindOf(doc.Raw(aOutput)) != jsonx.Array {
		return dialect.Malformed("no output")
	}
	return nil
}

// finishOf is why a response came to its end.
func finishOf(doc *jsonx.Document) llm.Finish {
	if jsonx.Equal(jsonx.Interior(doc.Raw(aStatus)), "incomplete") {
		reason, _ := jsonx.Lookup(doc.Raw(aIncomplete), "reason")
		switch string(jsonx.Interior(reason)) {
		case "max_output_tokens":
			return llm.FinishLength
		case "content_filter":
			return llm.FinishFilter
		}
		return llm.FinishOther
	}
	for it := jsonx.Elements(doc.Raw(aOutput)); it.Next(); {
		if kind, _ := jsonx.Lookup(it.Value(), "type"); jsonx.Equal(jsonx.Interior(kind), "function_call") {
			return llm.FinishTool
		}
	}
	return llm.FinishStop
}

// AppendAnswer writes a response object of the first choice.
func (*client) AppendAnswer(dst []byte, f *llm.Facts, model string, a *llm.Answer, l *dialect.Ledger) []byte {
	h := head{id: responseID(a.ID), model: model, created: a.Created}
	if h.created == 0 {
		h.created = f.Received
	}
	w := dialect.Writer{B: dst}
	w.Begin('{')
	finish := llm.FinishStop
	if len(a.Choices) > 0 {
		finish = a.Choices[0].Finish
	}
	h.write(&w, statusOf(finish))
	writeIncomplete(&w, finish)
	w.Array("output")
	if len(a.Choices) > 0 {
		h.output(&w, a.Choices[0].Parts)
		if a.Choices[0].Logprobs != nil {
			l.Drop("logprobs", "they are told per text in this API")
		}
	}
	w.Close(']')
	h.rest(&w, nil)
	writeUsage(&w, &a.Usage)
	w.Close('}')
	return w.B
}

// head is what all forms of one response have in common.
type head struct {
	id      []byte // with its prefix
	model   string
	created int64
}

const prefix = "resp_"

// responseID is an answer's id in the API's form.
func responseID(id llm.Escaped) []byte {
	if len(id) == 0 {
		return []byte(prefix + "postern")
	}
	if len(id) > len(prefix) && string(id[:len(prefix)]) == prefix {
		return append([]byte(nil), id...)
	}
	return append([]byte(prefix), id...)
}

// itemID appends the id of the n-th item of a response.
func (h *head) itemID(dst []byte, kind llm.PartKind, n int) []byte {
	switch kind {
	case llm.ReasoningPart:
		dst = append(dst, "rs_"...)
	case llm.ToolCallPart:
		dst = append(dst, "fc_"...)
	default:
		dst = append(dst, "msg_"...)
	}
	dst = append(append(dst, h.id[len(prefix):]...), '_')
	return strconv.AppendInt(dst, int64(n), 10)
}

func (h *head) write(w *dialect.Writer, status string) {
	w.Text("id", h.id)
	w.Word("object", "response")
	w.Int("created_at", h.created)
	w.Word("status", status)
	w.Literal("background", "false")
	w.Quote("model", h.model)
}

// rest writes the members of a response that only tell what was asked for; the
// request is not kept for them.
func (h *head) rest(w *dialect.Writer, fault []byte) {
	if fault == nil {
		fault = []byte("null")
	}
	w.Raw("error", fault)
	w.B = append(w.B, `,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"metadata":{},"parallel_tool_calls":true,`+
		`"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":null,`+
		`"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled","user":null`...)
}

func statusOf(f llm.Finish) string {
	if incompleteReason(f) != "" {
		return "incomplete"
	}
	return "completed"
}

func incompleteReason(f llm.Finish) string {
	switch f {
	case llm.FinishLength:
		return "max_output_tokens"
	case llm.FinishFilter, llm.FinishRefusal:
		return "content_filter"
	}
	return ""
}

func writeIncomplete(w *dialect.Writer, f llm.Finish) {
	reason := incompleteReason(f)
	if reason == "" {
		w.Literal("incomplete_details", "null")
		return
	}
	w.Object("incomplete_details")
	w.Word("reason", reason)
	w.Close('}')
}

func writeUsage(w *dialect.Writer, u *llm.Usage) {
	if !u.Known && !u.Estimated {
		w.Literal("usage", "null")
		return
	}
	w.Object("usage")
	w.Int("input_tokens", u.InputTotal())
	w.Object("input_tokens_details")
	w.Int("cached_tokens", u.CacheRead)
	w.Int("cache_write_tokens", u.Written())
	w.Close('}')
	w.Int("output_tokens", u.OutputTotal())
	w.Object("output_tokens_details")
	w.Int("reasoning_tokens", u.Reasoning)
	w.Close('}')
	w.Int("total_tokens", u.Total())
	w.Close('}')
}

// output writes the items of an answer. What the API has no place for is left out.
func (h *head) output(w *dialect.Writer, parts []llm.Part) {
	n := 0
	for len(parts) > 0 {
		taken := 1
		switch p := &parts[0]; p.Kind {
		case llm.ToolCallPart, llm.ReasoningPart:
			h.single(w, p, n)
		case llm.TextPart, llm.RefusalPart:
			taken = h.message(w, parts, n)
		default:
			n--
		}
		parts = parts[taken:]
		n++
	}
}

func (h *head) single(w *dialect.Writer, p *llm.Part, n int) {
	x := written{kind: p.Kind, index: n, text: p.Text, sign: p.Signature, origin: p.Origin, redacted: p.Redacted}
	if p.Kind == llm.ToolCallPart {
		x.id, x.name, x.text = p.Call.ID, p.Call.Name, dialect.AppendArguments(nil, &p.Call)
	}
	w.Open('{')
	h.item(w, &x, "completed")
	w.Close('}')
}

// message writes the texts and refusals that follow each other as one item, and
// returns how many there are.
func (h *head) message(w *dialect.Writer, parts []llm.Part, index int) (n int) {
	w.Open('{')
	h.messageHead(w, index, "completed")
	for ; n < len(parts) && isText(parts[n].Kind); n++ {
		w.Open('{')
		writePart(w, parts[n].Kind, parts[n].Text, parts[n].Citations)
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	return n
}

func isText(k llm.PartKind) bool { return k == llm.TextPart || k == llm.RefusalPart }

func (h *head) messageHead(w *dialect.Writer, n int, status string) {
	w.StartText("id")
	w.B = h.itemID(w.B, llm.TextPart, n)
	w.EndText()
	w.Word("type", "message")
	w.Word("role", "assistant")
	w.Word("status", status)
	w.Array("content")
}

func writePart(w *dialect.Writer, kind llm.PartKind, text llm.Escaped, cites []llm.Citation) {
	if kind == llm.RefusalPart {
		w.Word("type", "refusal")
		w.Text("refusal", text)
		return
	}
	w.Word("type", "output_text")
	writeAnnotations(w, cites)
	w.Literal("logprobs", "[]")
	w.Text("text", text)
}

// written is an item of the output as it is written.
type written struct {
	kind     llm.PartKind
	index    int // in the output
	id, name llm.Escaped
	text     llm.Escaped // the text, or the arguments' JSON text
	sign     llm.Escaped
	origin   string
	redacted bool
}

// item writes the members of a call or of reasoning.
func (h *head) item(w *dialect.Writer, x *written, status string) {
	w.StartText("id")
	w.B = h.itemID(w.B, x.kind, x.index)
	w.EndText()
	if x.kind == llm.ReasoningPart {
		w.Word("type", "reasoning")
		writeSummary(w, x.text)
		writeSeal(w, x.sign, x.origin, x.redacted)
		return
	}
	w.Word("type", "function_call")
	w.Word("status", status)
	w.Text("arguments", x.text)
	w.StartText("call_id")
	w.B = x.callID(w.B)
	w.EndText()
	w.Text("name", x.name)
}

// callID appends a call's id, or one by its place.
func (x *written) callID(dst []byte) []byte {
	if len(x.id) > 0 {
		return append(dst, x.id...)
	}
	return strconv.AppendInt(append(dst, "call_"...), int64(x.index), 10)
}
