package bedrock

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Encode writes a Converse request. The model stands in the path, and whether the
// answer is streamed.
func (*provider) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := newEncoder(dst, r, t, l)
	e.penalties(&r.Sampling)
	e.w.Begin('{')
	e.system(r)
	e.messages(r.Messages)
	limit := e.inference(r, t)
	e.tools(r)
	e.more(r, limit)
	e.output(r.Format)
	e.tier(r.ServiceTier)
	e.metadata(r)
	e.w.Close('}')
	return e.w.B, e.err
}

// encoder writes a request and keeps the first error.
type encoder struct {
	l         *dialect.Ledger
	w         dialect.Writer
	err       *llm.Error
	family    string // the model's name from its maker on
	native    bool   // the body is Nova's own, not the API's
	at        int    // index of the message being written
	documents int
}

func newEncoder(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) *encoder {
	e := &encoder{l: l, w: dialect.Writer{B: dst}, family: aws.Family(t.Model)}
	if r.Choices > 1 {
		e.refuse("n", "More than one answer")
	}
	e.drop(r.LogitBias != nil, "logit_bias")
	e.drop(r.Logprobs, "logprobs")
	e.drop(r.TopLogprobs != "", "top_logprobs")
	e.drop(r.Verbosity != nil, "verbosity")
	e.drop(r.User != "", "user")
	return e
}

// penalties notes those that the API has not.
func (e *encoder) penalties(s *llm.Sampling) {
	e.drop(s.PresencePenalty != "", "presence_penalty")
	e.drop(s.FrequencyPenalty != "", "frequency_penalty")
}

func (e *encoder) drop(is bool, field string) {
	if is {
		e.l.Drop(field, "the API has no such parameter")
	}
}

func (e *encoder) is(maker string) bool { return strings.HasPrefix(e.family, maker) }

// claude reports whether the model is of the Claude family.
func (e *encoder) claude() bool { return e.is("anthropic.") }

// origin is who made the signatures that the model knows again.
func (e *encoder) origin() string {
	if e.claude() {
		return claudeOrigin
	}
	return ownOrigin
}

func (e *encoder) refuse(param, what string) {
	if e.err == nil {
		e.err = dialect.Unsupported(param, what+" cannot be carried to the API that this model is served by.")
	}
}

func (e *encoder) param(member string) string {
	return "messages[" + strconv.Itoa(e.at) + "]." + member
}

// jsonInstruction stands in for the form "any JSON object", which the API lacks.
const jsonInstruction = "Respond with one valid JSON object and nothing else."

// wantsJSON reports whether an instruction must ask for JSON.
func (e *encoder) wantsJSON(r *llm.Request) bool {
	wants := r.Format != nil && r.Format.Schema == nil
	if wants {
		e.l.Default("response_format", "the API knows no JSON without a schema: an instruction asks for it")
	}
	return wants
}

// system writes the instructions, unless there is nothing else to write: then
// they are the conversation.
func (e *encoder) system(r *llm.Request) {
	start := len(e.w.B)
	e.w.Array("system")
	n := 0
	if !dialect.OnlyInstructions(r.Messages) {
		n = e.turns().Instructions(r.Messages)
	}
	if e.wantsJSON(r) {
		e.w.Open('{')
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
	return &dialect.Turns{W: &e.w, Inner: "content", Assistant: "assistant", Part: e.block, Visit: e.visit,
		NotText: func() { e.refuse(e.param("content"), "An instruction that is not text") }}
}

// visit notes what of a message has no place.
func (e *encoder) visit(i int, m *llm.Message, again bool) {
	e.at = i
	if !again && len(m.Name) > 0 && !dialect.IsInstruction(m.Role) {
		e.l.Drop("messages/*/name", "the API has no names of speakers")
	}
}

// block writes a part as a content block, and a cache point behind it; it returns
// 1, or 0 for a part that has none: a blank text, which the API refuses, or
// reasoning that the model has not signed.
func (e *encoder) block(p *llm.Part) int {
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		if blank(p.Text) {
			return 0
		}
	case llm.ReasoningPart:
		if len(p.Signature) == 0 || p.Origin != "" && p.Origin != e.origin() {
			e.l.Drop("messages/*/reasoning_content", "the model does not know reasoning that it has not signed")
			return 0
		}
	}
	e.w.Open('{')
	e.content(p)
	e.w.Close('}')
	e.cachePoint(p.Cache)
	return 1
}

// blank reports whether a text is nothing but white space.
func blank(text llm.Escaped) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ' ':
		case c == '\\' && i+1 < len(text) && strings.IndexByte("nrt", text[i+1]) >= 0:
			i++
		default:
			return false
		}
	}
	return true
}

func (e *encoder) content(p *llm.Part) {
	switch p.Kind {
	case llm.TextPart, llm.RefusalPart:
		e.w.Text("text", p.Text)
		if len(p.Citations) > 0 {
			e.l.Drop("messages/*/content/*/annotations", "citations are not sent back")
		}
	case llm.ImagePart:
		e.media("image", p)
	case llm.DocumentPart:
		if e.native {
			e.refuse(e.param("content"), "A document")
		}
		e.media("document", p)
	case llm.VideoPart:
		e.media("video", p)
	case llm.AudioPart:
		e.media("audio", p)
	case llm.ReasoningPart:
		writeReasoning(&e.w, p, e.origin())
	case llm.ToolCallPart:
		e.call(&p.Call)
	case llm.ToolResultPart:
		e.result(&p.Result)
	default:
		e.refuse(e.param("content"), "A part of this type")
	}
}

// writeReasoning writes the member reasoningContent.
func writeReasoning(w *dialect.Writer, p *llm.Part, own string) {
	w.Object("reasoningContent")
	if p.Redacted {
		w.StartText("redactedContent")
		w.B = appendBlob(w.B, own, p.Origin, p.Signature)
		w.EndText()
	} else {
		w.Object("reasoningText")
		w.Text("text", p.Text)
		if len(p.Signature) > 0 {
			w.StartText("signature")
			w.B = dialect.AppendSeal(w.B, own, p.Origin, p.Signature)
			w.EndText()
		}
		w.Close('}')
	}
	w.Close('}')
}

// cachePoint writes the point up to which the conversation is cached. Of a
// client's marker only that it is there counts, and a life of an hour.
func (e *encoder) cachePoint(marker llm.Raw) {
	if marker == nil {
		return
	}
	e.w.Open('{')
	e.w.Object("cachePoint")
	e.w.Word("type", "default")
	if string(textAt(marker, "ttl")) == "1h" {
		e.w.Word("ttl", "1h")
	}
	e.w.Close('}')
	e.w.Close('}')
}

func (e *encoder) call(c *llm.ToolCall) {
	e.w.Object("toolUse")
	e.id(c.ID)
	e.w.Text("name", c.Name)
	e.w.Key("input")
	b, ok := dialect.AppendInput(e.w.B, c)
	if !ok && e.err == nil {
		e.err = dialect.Invalid("invalid_value", e.param("tool_calls"), "The arguments of a tool call are not a JSON object.")
	}
	e.w.B = b
	e.w.Close('}')
}

// maxID is how long a call's id may be.
const maxID = 64

// id writes a tool call's id in the characters that the API takes, others as '_';
// of one that is too long the end.
func (e *encoder) id(id llm.Escaped) {
	e.w.StartText("toolUseId")
	for _, c := range id[max(len(id)-maxID, 0):] {
		if ('a' > c|0x20 || c|0x20 > 'z') && ('0' > c || c > '9') && strings.IndexByte("_-.:", c) < 0 {
			c = '_'
		}
		e.w.B = append(e.w.B, c)
	}
	e.w.EndText()
}

func (e *encoder) result(r *llm.ToolResult) {
	e.w.Object("toolResult")
	e.id(r.ID)
	e.w.Array("content")
	for i := range r.Parts {
		e.block(&r.Parts[i])
	}
	e.w.Close(']')
	if r.Error {
		e.w.Word("status", "error")
	}
	e.w.Close('}')
}

// number writes a number, at most 1: the API's bound for temperatures.
func (e *encoder) number(name, field string, n llm.Number) {
	if v, ok := jsonx.Float([]byte(n)); ok && v > 1 {
		n = "1"
		e.l.Default(field, "the API takes at most 1")
	}
	e.w.Number(name, n)
}
