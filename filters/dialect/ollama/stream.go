package ollama

import (
	"bytes"
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/decoding"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// decoder reads a stream of lines. A call comes whole in one of them.
type decoder struct {
	decoding.Reader
	usage llm.Usage

	started bool
	blocks  int  // blocks shown
	open    bool // the last of them is
	kind    llm.PartKind
	calls   int
}

// NewDecoder reads a streamed answer.
func (provider) NewDecoder(_ *llm.Facts, _ *dialect.Target, lim dialect.Limits) dialect.Decoder {
	return newDecoder(lim)
}

func newDecoder(lim dialect.Limits) *decoder {
	return &decoder{Reader: decoding.NewLines(lim)}
}

func (d *decoder) Write(chunk []byte, emit func(*llm.Event)) { d.Feed(chunk, d, emit) }

func (d *decoder) Close(emit func(*llm.Event)) { d.Finish(d, emit) }

// Stop implements decoding.Events.
func (d *decoder) Stop(emit func(*llm.Event)) { d.Early(emit) }

// Read takes one line. Lines after the end say nothing.
func (d *decoder) Read(data []byte, emit func(*llm.Event)) {
	if !d.Scan(data, answerKeys, emit) {
		return
	}
	if err := bodyError(&d.Doc); err != nil {
		d.Fail(err, emit)
		return
	}
	if !d.started {
		d.started = true
		d.Send(llm.Event{Kind: llm.Start, Name: jsonx.Interior(d.Doc.Raw(aModel))}, emit)
	}
	t := said(&d.Doc)
	d.piece(llm.ReasoningPart, t.thinking, emit)
	d.piece(llm.TextPart, t.text, emit)
	for it := jsonx.Elements(t.calls); it.Next(); {
		d.call(it.Value(), emit)
	}
	if done, _ := jsonx.Bool(d.Doc.Raw(aDone)); done {
		d.end(emit)
	}
}

func (d *decoder) begin(ev llm.Event, emit func(*llm.Event)) {
	d.close(emit)
	ev.Kind, ev.Block = llm.BlockStart, d.blocks
	d.blocks++
	d.open, d.kind = true, ev.Part
	d.Send(ev, emit)
}

func (d *decoder) piece(kind llm.PartKind, text llm.Escaped, emit func(*llm.Event)) {
	if len(text) == 0 {
		return
	}
	if !d.open || d.kind != kind {
		d.begin(llm.Event{Part: kind}, emit)
	}
	d.Send(llm.Event{Kind: llm.Delta, Block: d.blocks - 1, Part: kind, Text: text}, emit)
}

func (d *decoder) call(raw []byte, emit func(*llm.Event)) {
	c := call(raw, d.calls)
	d.calls++
	d.begin(llm.Event{Part: llm.ToolCallPart, ID: c.ID, Name: c.Name}, emit)
	d.Send(llm.Event{Kind: llm.Delta, Block: d.blocks - 1, Part: llm.ToolCallPart, Text: dialect.AppendArguments(nil, &c)}, emit)
}

func (d *decoder) close(emit func(*llm.Event)) {
	if d.open {
		d.open = false
		d.Send(llm.Event{Kind: llm.BlockStop, Block: d.blocks - 1, Part: d.kind}, emit)
	}
}

// end takes the last line: the finish reason and the usage.
func (d *decoder) end(emit func(*llm.Event)) {
	d.close(emit)
	d.Send(llm.Event{Kind: llm.FinishEvent, Finish: finishOf(jsonx.Interior(d.Doc.Raw(aReason)), d.calls > 0)}, emit)
	if d.usage = usageOf(&d.Doc); d.usage.Known {
		d.Send(llm.Event{Kind: llm.UsageEvent, Usage: &d.usage}, emit)
	}
	d.Ended = true
	d.Send(llm.Event{Kind: llm.End}, emit)
}

// Request adds what must change: the model's name and the bound on the output.
func (same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	t := p.Target
	if t.Model != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(kModel)), t.Model) {
		e.SetMember(doc, kModel, "model", jsonx.Quote(nil, t.Model))
	}
	if f.MaxTokens > 0 || t.MaxTokens == 0 || f.Operation == llm.Embed {
		return
	}
	bound := strconv.AppendInt([]byte(`"num_predict":`), int64(t.MaxTokens), 10)
	v, ok := doc.Get(kOptions)
	switch {
	case !ok || v.Kind != jsonx.Object:
		e.SetMember(doc, kOptions, "options", append(append([]byte("{"), bound...), '}'))
	default:
		setBound(e, v, doc.Body(), bound)
	}
}

// setBound writes num_predict into the client's options, in place of one that
// bounds nothing.
func setBound(e *jsonx.Edits, options jsonx.Value, body, bound []byte) {
	members := 0
	for it := jsonx.Members(options.Raw(body)); it.Next(); members++ {
		if it.KeyIs("num_predict") {
			at := options.Span.Start + it.Offset()
			e.Replace(jsonx.Span{Start: at, End: at + len(it.Value())}, bound[len(`"num_predict":`):])
			return
		}
	}
	if members > 0 {
		bound = append([]byte(","), bound...)
	}
	e.Insert(options.Span.End-1, bound)
}

// Answer reads a whole answer's usage and finish reason, and gives it the model's
// name to show.
func (same) Answer(e *jsonx.Edits, _ *llm.Facts, body []byte, p *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body, jsonx.Limits{}); err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	if p.Model != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(aModel)), p.Model) {
		e.SetMember(&doc, aModel, "model", jsonx.Quote(nil, p.Model))
	}
	return usageOf(&doc), finishOf(jsonx.Interior(doc.Raw(aReason)), false), nil
}

// NewTap watches a streamed answer.
func (same) NewTap(_ *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	return tap.NewLines(&watcher{newDecoder(lim)}, lim, p)
}

// watcher reads the lines of a stream that is passed on.
type watcher struct{ d *decoder }

func (w *watcher) Read(ev *sse.Event, emit func(*llm.Event)) bool {
	w.d.Read(ev.Data, emit)
	return true
}

func (w *watcher) Stop(emit func(*llm.Event)) { w.d.Stop(emit) }

func (w *watcher) Whole(data []byte) bool { return w.d.Whole(data) }

var (
	notDone = []byte(`"done":false}`)
	texts   = [][]byte{[]byte(`"content":"`), []byte(`"response":"`), []byte(`"thinking":"`)}
)

// Look passes over lines that end in not being done.
func (w *watcher) Look(ev *sse.Event, seen *tap.Seen) bool {
	if !bytes.HasSuffix(ev.Data, notDone) {
		return true
	}
	for _, key := range texts {
		if at := bytes.Index(ev.Data, key); at >= 0 {
			seen.Text(ev.Data, at+len(key))
		}
	}
	return false
}

// Model finds the model's name.
func (w *watcher) Model(data []byte) (at jsonx.Span, ok bool) {
	for it := jsonx.Members(data); it.Next(); {
		if it.KeyIs("model") {
			return jsonx.Span{Start: it.Offset(), End: it.Offset() + len(it.Value())}, it.Kind() == jsonx.String
		}
	}
	return jsonx.Span{}, false
}
