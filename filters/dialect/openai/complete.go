package openai

import (
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Complete returns the legacy completions API. Where a target has no such API a
// request is a chat of one turn.
func Complete() *dialect.API {
	return &dialect.API{Name: "completions", Operation: llm.Complete,
		Client: &completer{}, Provider: &continuer{}, Same: &sameText{}, Takes: base.Takes(base.Completions)}
}

type completer struct{ client }
type continuer struct{ provider }
type sameText struct{ same }

// Recognise knows the completion of a text.
func (*completer) Recognise(l *dialect.Line) (dialect.Call, bool) {
	model, ok := base.Posts(l, "completions")
	if !ok {
		return dialect.Call{}, false
	}
	return dialect.Call{Operation: llm.Complete, Model: model}, true
}

// Path appends the call to the provider's base path.
func (*continuer) Path(_ *llm.Facts, t *dialect.Target) string { return base.URL(t, "completions") }

// Facts reads what deciding needs. Each of several prompts has answers of its own.
func (*completer) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	f := llm.Facts{Operation: c.Operation}
	m := read(doc)
	f.Model = m.Model(kModel, c.Model)
	v, prompt, ok := m.Get(kPrompt)
	switch {
	case !ok:
		m.Fail(base.Missing("prompt"))
	case v.Kind != jsonx.String && v.Kind != jsonx.Array:
		m.Wrong(kPrompt, "a string or an array")
	}
	if f.Stream, _ = m.Flag(kStream); f.Stream {
		f.Needs |= llm.NeedStream
	}
	f.WantsUsage = m.wantsUsage()
	f.MaxTokens = max(m.Count(kMaxTokens), 0)
	f.Choices = max(m.choices(kN), m.choices(kBestOf)) * prompts(prompt)
	f.User = m.User(kUser, kSafetyID)
	f.TextBytes = len(doc.Body())
	return f, m.Err
}

// prompts is how many prompts there are: a list of tokens is one.
func prompts(raw []byte) int {
	if it := jsonx.Elements(raw); it.Next() && it.Kind() != jsonx.Number {
		return base.Length(raw)
	}
	return 1
}

// Decode reads the whole request.
func (*completer) Decode(f llm.Facts, doc *jsonx.Document) (*llm.Request, *llm.Error) {
	m := read(doc)
	f.Choices = m.choices(kN)
	r := &llm.Request{Facts: f, Messages: []llm.Message{{Parts: []llm.Part{{Text: m.prompt()}}}}}
	m.sampling(&r.Sampling)
	r.Stop = m.stop()
	r.LogitBias = llm.Raw(m.Object(kLogitBias))
	if n := m.Number(kLogprobs); n != "" {
		r.Logprobs, r.TopLogprobs = true, n
	}
	for _, k := range [...]int{kSuffix, kBestOf} {
		if _, _, ok := m.Get(k); ok {
			m.Fail(base.Unsupported(inspected.Name(k)))
		}
	}
	if echo, _ := m.Flag(kEcho); echo {
		m.Fail(base.Unsupported("echo"))
	}
	if r.Extra = m.Rest(nil); m.Err != nil {
		return nil, m.Err
	}
	return r, nil
}

// prompt is the one text to go on with.
func (m *members) prompt() llm.Escaped {
	v, raw, _ := m.Get(kPrompt)
	if v.Kind != jsonx.String {
		it := jsonx.Elements(raw)
		if !it.Next() || it.Kind() != jsonx.String || base.Length(raw) > 1 {
			m.Fail(base.Unsupported("prompt"))
			return nil
		}
		raw = it.Value()
	}
	return llm.Escaped(jsonx.Interior(raw))
}

// Encode writes a completions request. The turns of a conversation are one text.
func (*continuer) Encode(dst []byte, r *llm.Request, t *dialect.Target, l *dialect.Ledger) ([]byte, *llm.Error) {
	e := encoder{l: l, w: dialect.Writer{B: dst}, quirks: base.FlavourOf(t)}
	e.w.Begin('{')
	e.w.Quote("model", t.Model)
	e.prompt(r.Messages)
	e.continued(r, t)
	e.w.Close('}')
	return e.w.B, e.err
}

func (e *encoder) prompt(list []llm.Message) {
	e.w.StartText("prompt")
	first := true
	for i := range list {
		e.at = i
		for j := range list[i].Parts {
			p := &list[i].Parts[j]
			if p.Kind != llm.TextPart {
				e.refuse(e.param("content"), "A part that is not text")
			}
			if !first {
				e.w.B = append(e.w.B, `\n\n`...)
			}
			first = false
			e.w.B = append(e.w.B, p.Text...)
		}
	}
	e.w.EndText()
}

// continued writes the options of a completion.
func (e *encoder) continued(r *llm.Request, t *dialect.Target) {
	if len(r.Tools) > 0 || r.Format != nil {
		e.refuse("tools", "What only a chat has")
	}
	if n := max(r.MaxTokens, 0); n > 0 || t.MaxTokens > 0 {
		if n == 0 {
			n = t.MaxTokens
		}
		e.w.Int("max_tokens", int64(n))
	}
	e.count(r)
	e.streamed(r)
	e.sampling(&r.Sampling)
	e.stops(r.Stop)
	if e.takes(base.User, r.User != "", "user") {
		e.w.Quote("user", r.User)
	}
	if r.Logprobs {
		e.w.Literal("logprobs", string(max(r.TopLogprobs, "0")))
	}
	if e.takes(base.LogitBias, r.LogitBias != nil, "logit_bias") {
		e.w.Raw("logit_bias", r.LogitBias)
	}
}

// Request adds what must change.
func (*sameText) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	patchModel(e, doc, p.Target)
	patchUsage(e, f, doc, p)
	if f.MaxTokens == 0 && p.Target.MaxTokens > 0 {
		e.SetMember(doc, kMaxTokens, "max_tokens", strconv.AppendInt(nil, int64(p.Target.MaxTokens), 10))
	}
}

// AppendAnswer writes a text_completion object.
func (*completer) AppendAnswer(dst []byte, f *llm.Facts, model string, a *llm.Answer, l *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	if len(a.ID) > 0 {
		w.Text("id", a.ID)
	} else {
		w.Word("id", "cmpl-postern")
	}
	w.Word("object", "text_completion")
	w.Int("created", created(f, a.Created))
	w.Quote("model", model)
	w.Array("choices")
	for i := range a.Choices {
		c := &a.Choices[i]
		w.Open('{')
		if !w.Joined("text", c.Parts, llm.TextPart) {
			w.Word("text", "")
		}
		w.Int("index", int64(i))
		w.Literal("logprobs", "null")
		if c.Logprobs != nil {
			l.Drop("logprobs", "they have another form in this API")
		}
		w.Word("finish_reason", textFinish(c.Finish))
		w.Close('}')
	}
	w.Close(']')
	if a.Usage.Known || a.Usage.Estimated {
		base.WriteUsage(&w, &a.Usage)
	}
	w.Close('}')
	return w.B
}

// textFinish is the word for a finish reason; a text knows no tools.
func textFinish(f llm.Finish) string {
	if f == llm.FinishTool {
		return "stop"
	}
	return finishName(f)
}

// NewEncoder writes a streamed completion under the given model name.
func (*completer) NewEncoder(f *llm.Facts, model string) dialect.Encoder {
	return &textEncoder{facts: f, model: model}
}

// textEncoder writes text_completion chunks: pieces, one finish reason per
// choice, usage for a client that asked, [DONE].
type textEncoder struct {
	facts    *llm.Facts
	model    string
	head     []byte
	finished [base.MaxChoices]bool
	seen     int // choices below it were begun
	usage    llm.Usage
	ended    bool
}

// Append writes what an event becomes; only text has a place.
func (s *textEncoder) Append(dst []byte, ev *llm.Event) []byte {
	if s.ended {
		return dst
	}
	switch ev.Kind {
	case llm.Ping:
		if s.head != nil {
			dst = append(dst, ": ping\n\n"...)
		}
	case llm.Start:
		s.begin(ev.ID, ev.Created)
	case llm.Delta:
		if ev.Part == llm.TextPart && len(ev.Text) > 0 && s.open(ev.Choice) {
			dst = s.chunk(dst, ev.Choice, ev.Text, "")
		}
	case llm.FinishEvent:
		if s.open(ev.Choice) {
			s.finished[ev.Choice] = true
			dst = s.chunk(dst, ev.Choice, nil, textFinish(ev.Finish))
		}
	case llm.UsageEvent:
		s.usage = *ev.Usage
	case llm.End:
		dst = s.end(dst)
	case llm.Failure:
		s.ended = true
	}
	return dst
}

// open begins a choice, and reports whether it can go on.
func (s *textEncoder) open(choice int) bool {
	if choice < 0 || choice >= base.MaxChoices || s.finished[choice] {
		return false
	}
	s.seen = max(s.seen, choice+1)
	return true
}

func (s *textEncoder) begin(id llm.Escaped, at int64) {
	if s.head != nil {
		return
	}
	if len(id) == 0 {
		id = llm.Escaped("cmpl-postern")
	}
	w := dialect.Writer{B: append(make([]byte, 0, 160), "data: {"...)}
	w.Text("id", id)
	w.Word("object", "text_completion")
	w.Int("created", created(s.facts, at))
	w.Quote("model", s.model)
	s.head = w.B
}

func (s *textEncoder) chunk(dst []byte, choice int, text llm.Escaped, finish string) []byte {
	s.begin(nil, 0)
	w := dialect.Writer{B: append(dst, s.head...)}
	w.Array("choices")
	w.Open('{')
	w.Text("text", text)
	w.Int("index", int64(choice))
	w.Literal("logprobs", "null")
	if finish == "" {
		w.Literal("finish_reason", "null")
	} else {
		w.Word("finish_reason", finish)
	}
	w.Close('}')
	w.Close(']')
	if s.facts.WantsUsage {
		w.Literal("usage", "null")
	}
	return append(w.B, "}\n\n"...)
}

// end finishes what was not, and ends the stream.
func (s *textEncoder) end(dst []byte) []byte {
	for i := range max(s.seen, 1) {
		if !s.finished[i] {
			dst = s.chunk(dst, i, nil, "stop")
		}
	}
	s.ended = true
	if s.facts.WantsUsage && (s.usage.Known || s.usage.Estimated) {
		w := dialect.Writer{B: append(dst, s.head...)}
		w.Literal("choices", "[]")
		base.WriteUsage(&w, &s.usage)
		dst = append(w.B, "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}
