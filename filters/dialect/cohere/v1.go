package cohere

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/decoding"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// linesType is the media type of version 1's streams.
const linesType = "application/stream+json"

type (
	v1Client   struct{ endpoint }
	v1Provider struct{ chatProvider }
	v1Same     struct{}
)

// ChatV1 returns version 1's chat. It is passed on and read, not translated.
func ChatV1() *dialect.API { return v1("v1.chat", "/v1/chat", llm.Chat) }

// Generate returns version 1's generate, in the same way.
func Generate() *dialect.API { return v1("v1.generate", "/v1/generate", llm.Complete) }

func v1(name, path string, op llm.Operation) *dialect.API {
	at := endpoint{op, path}
	return &dialect.API{Name: name, Operation: op, Client: v1Client{at}, Provider: v1Provider{chatProvider{at}}, Same: v1Same{},
		Translates: func(*dialect.Target) bool { return false }}
}

// The members of a request.
const (
	oModel = iota
	oMessage
	oPrompt
	oResults
	oStream
	oMaxTokens
	oTools
	oChoices
)

var v1Keys = jsonx.NewKeys("model", "message", "prompt", "tool_results", "stream", "max_tokens", "tools", "num_generations")

// Inspected lists the members that must not occur twice.
func (v1Client) Inspected() *jsonx.Keys { return v1Keys }

// StreamType is that of lines of JSON.
func (v1Client) StreamType(*llm.Facts) string { return linesType }

// Facts reads what deciding needs. The API itself does not require a model; the
// gateway does.
func (c v1Client) Facts(call dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	m := dialect.Members{Doc: doc, Keys: v1Keys}
	f := llm.Facts{Operation: call.Operation, WantsUsage: true, Model: m.Required(oModel), Stream: m.Flag(oStream),
		MaxTokens: m.Count(oMaxTokens), Tools: dialect.Elements(m.Array(oTools)), Choices: min(max(m.Count(oChoices), 1), 5), TextBytes: len(doc.Body())}
	text := oMessage
	if c.op == llm.Complete {
		text = oPrompt
	}
	if m.Text(text) == nil && m.Array(oResults) == nil {
		m.Fail("missing_required_parameter", v1Keys.Name(text), "'"+v1Keys.Name(text)+"' is required")
	}
	f.Needs = needsV1(&f)
	return f, m.Err
}

func needsV1(f *llm.Facts) (n llm.Needs) {
	if f.Tools > 0 {
		n |= llm.NeedTools
	}
	if f.Stream {
		n |= llm.NeedStream
	}
	return n
}

// Decode refuses: version 1 is not translated.
func (c v1Client) Decode(llm.Facts, *jsonx.Document) (*llm.Request, *llm.Error) {
	return nil, dialect.Unsupported("model", "This model is not served by an API that takes requests of "+c.path+".")
}

// Encode refuses: what others ask for goes to version 2.
func (p v1Provider) Encode([]byte, *llm.Request, *dialect.Target, *dialect.Ledger) ([]byte, *llm.Error) {
	return nil, dialect.Unsupported("model", "The API that this model is served by takes no requests of other APIs.")
}

// AppendAnswer writes what version 1's chat has: a text. No target is asked for one.
func (v1Client) AppendAnswer(dst []byte, _ *llm.Facts, _ string, a *llm.Answer, _ *dialect.Ledger) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	writeID(&w, a.ID)
	for i := range a.Choices {
		w.Joined("text", a.Choices[i].Parts, llm.TextPart)
		break
	}
	writeMeta(&w, &a.Usage)
	w.Close('}')
	return w.B
}

// NewEncoder writes the end of a stream alone, for the same reason.
func (v1Client) NewEncoder(*llm.Facts, string) dialect.Encoder { return v1Encoder{} }

type v1Encoder struct{}

func (v1Encoder) Append(dst []byte, _ *llm.Event) []byte { return dst }

// AppendStreamError writes the last line of a stream that broke.
func (v1Client) AppendStreamError(dst []byte, e *llm.Error, requestID string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	w.Literal("is_finished", "true")
	w.Word("event_type", "stream-end")
	w.Word("finish_reason", "ERROR")
	w.Object("response")
	if requestID != "" {
		w.Quote("response_id", requestID)
	}
	w.Word("text", "")
	w.Word("finish_reason", "ERROR")
	w.Close('}')
	w.Quote("error", e.Message)
	w.Close('}')
	return append(w.B, '\n')
}

// The members of an answer, and of an event.
const (
	nText = iota
	nID
	nResponseID
	nGenerations
	nCalls
	nCitations
	nFinish
	nMeta
	nEvent
	nResponse
	nDelta
)

var v1AnswerKeys = jsonx.NewKeys("text", "id", "response_id", "generations", "tool_calls", "citations", "finish_reason", "meta",
	"event_type", "response", "tool_call_delta")

// Decode reads a whole answer of a chat or of generate.
func (p v1Provider) Decode(_ *llm.Facts, _ *dialect.Target, body []byte) (*llm.Answer, *llm.Error) {
	content, kind := nText, jsonx.String
	if p.op == llm.Complete {
		content, kind = nGenerations, jsonx.Array
	}
	return readV1(body, content, kind)
}

func readV1(body []byte, content int, kind jsonx.Kind) (*llm.Answer, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body, v1AnswerKeys, content, kind); err != nil {
		return nil, err
	}
	a := &llm.Answer{ID: jsonx.Interior(doc.Raw(nResponseID)), Usage: usageOf(doc.Raw(nMeta))}
	if len(a.ID) == 0 {
		a.ID = jsonx.Interior(doc.Raw(nID))
	}
	if kind == jsonx.String {
		a.Choices = []llm.Choice{choiceV1(&doc)}
	}
	for it := jsonx.Elements(doc.Raw(nGenerations)); it.Next(); {
		var one jsonx.Document
		if one.Scan(it.Value(), v1AnswerKeys, jsonx.Limits{}) == nil {
			a.Choices = append(a.Choices, choiceV1(&one))
		}
	}
	return a, nil
}

func choiceV1(doc *jsonx.Document) llm.Choice {
	var c llm.Choice
	if text := jsonx.Interior(doc.Raw(nText)); len(text) > 0 {
		c.Parts = append(c.Parts, llm.Part{Text: text})
		cite(c.Parts, doc.Raw(nCitations))
	}
	for it := jsonx.Elements(doc.Raw(nCalls)); it.Next(); {
		c.Parts = append(c.Parts, callV1(it.Value()))
	}
	if c.Finish = finishOf(jsonx.Interior(doc.Raw(nFinish))); c.Finish == llm.FinishStop && doc.Raw(nCalls) != nil {
		c.Finish = llm.FinishTool
	}
	return c
}

// callV1 reads {"name", "parameters"}; calls have no ids.
func callV1(raw []byte) llm.Part {
	tool, _ := jsonx.Lookup(raw, "name")
	input, _ := jsonx.Lookup(raw, "parameters")
	return llm.Part{Kind: llm.ToolCallPart, Call: llm.ToolCall{Name: jsonx.Interior(tool), Input: input}}
}

// Streams knows lines of JSON.
func (v1Provider) Streams(mediaType string) bool { return mediaType == linesType }

// NewDecoder reads a streamed answer of a chat or of generate.
func (v1Provider) NewDecoder(_ *llm.Facts, _ *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return newV1Decoder(lim)
}

// v1Decoder reads lines in place of events.
type v1Decoder struct{ decoder }

func newV1Decoder(lim dialect.Limits) *v1Decoder {
	return &v1Decoder{decoder{Reader: decoding.NewLines(lim)}}
}

func (d *v1Decoder) Write(chunk []byte, emit func(*llm.Event)) { d.Feed(chunk, d, emit) }

func (d *v1Decoder) Close(emit func(*llm.Event)) { d.Finish(d, emit) }

// Read takes one event.
func (d *v1Decoder) Read(data []byte, emit func(*llm.Event)) {
	if !d.Scan(data, v1AnswerKeys, emit) {
		return
	}
	text := llm.Event{Text: jsonx.Interior(d.Doc.Raw(nText))}
	switch string(jsonx.Interior(d.Doc.Raw(nEvent))) {
	case "stream-start":
		d.start(nil, emit)
	case "text-generation":
		d.piece(llm.TextPart, false, text, emit)
	case "tool-calls-chunk":
		d.piece(llm.ReasoningPart, true, text, emit)
	case "citation-generation":
		d.citations(emit)
	case "tool-calls-generation":
		d.callsV1(emit)
	case "stream-end":
		d.endV1(emit)
	case "":
		if message, ok := jsonx.Lookup(data, "message"); ok {
			d.Fail(classify(0, dialect.Plain(jsonx.Interior(message), dialect.MaxMessage)), emit)
		}
	}
}

func (d *v1Decoder) citations(emit func(*llm.Event)) {
	if !d.open || d.kind != llm.TextPart {
		return
	}
	for it := jsonx.Elements(d.Doc.Raw(nCitations)); it.Next(); {
		d.cites, _ = readCitation(d.cites[:0], it.Value())
		for i := range d.cites {
			d.Send(llm.Event{Kind: llm.Delta, Block: d.blocks - 1, Part: llm.TextPart, Cite: &d.cites[i]}, emit)
		}
	}
}

func (d *v1Decoder) callsV1(emit func(*llm.Event)) {
	for it := jsonx.Elements(d.Doc.Raw(nCalls)); it.Next() && len(d.calls) < maxCalls; {
		p := callV1(it.Value())
		d.begin(llm.Event{Part: llm.ToolCallPart, Name: p.Call.Name}, false, emit)
		d.calls = append(d.calls, call{index: int64(len(d.calls)), block: d.blocks - 1})
		p.Call.Arguments = dialect.AppendArguments(nil, &p.Call)
		d.arguments(&d.calls[len(d.calls)-1], &p, emit)
	}
}

// endV1 takes the whole answer that ends a stream, for its usage.
func (d *v1Decoder) endV1(emit func(*llm.Event)) {
	d.start(nil, emit)
	word := llm.Escaped(jsonx.Interior(d.Doc.Raw(nFinish)))
	if meta, ok := jsonx.Lookup(d.Doc.Raw(nResponse), "meta"); ok {
		d.usage = usageOf(meta)
	}
	if len(d.calls) > 0 && string(word) == "COMPLETE" {
		word = llm.Escaped("TOOL_CALL")
	}
	d.finish(word, nil, emit)
}

// Request adds what must change: the model's name and the bound on the output.
func (v1Same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	setModel(e, doc, oModel, p.Target)
	setBound(e, f, doc, oMaxTokens, p.Target)
}

// Answer reads a whole answer's usage and finish reason.
func (v1Same) Answer(_ *jsonx.Edits, f *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	a, err := v1Provider{chatProvider{endpoint{op: f.Operation}}}.Decode(nil, nil, body)
	if err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	finish := llm.NotFinished
	if len(a.Choices) > 0 {
		finish = a.Choices[0].Finish
	}
	return a.Usage, finish, nil
}

// NewTap watches a streamed answer.
func (v1Same) NewTap(_ *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	return tap.NewLines(&v1Watcher{newV1Decoder(lim)}, lim, p)
}

// v1Watcher reads the lines of a stream that is passed on.
type v1Watcher struct{ d *v1Decoder }

func (w *v1Watcher) Read(ev *sse.Event, emit func(*llm.Event)) bool {
	w.d.Read(ev.Data, emit)
	return true
}

func (w *v1Watcher) Stop(emit func(*llm.Event)) { w.d.Stop(emit) }

func (w *v1Watcher) Whole(data []byte) bool { return w.d.Whole(data) }

var (
	generation = []byte(`"event_type":"text-generation"`)
	textKey    = []byte(`"text":"`)
)

// Look passes over text. A quote within a string is escaped, so no text can look
// like the type.
func (w *v1Watcher) Look(ev *sse.Event, seen *tap.Seen) bool {
	if !bytes.Contains(ev.Data, generation) {
		return true
	}
	if at := bytes.Index(ev.Data, textKey); at >= 0 {
		seen.Text(ev.Data, at+len(textKey))
	}
	return false
}

// Model finds none: the API's events do not name it.
func (w *v1Watcher) Model([]byte) (jsonx.Span, bool) { return jsonx.Span{}, false }
