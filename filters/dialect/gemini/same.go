package gemini

import (
	"bytes"
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// Request adds what must change: the bound on the output where the client gave
// none. The model stands in the path; a copy of its name in the body goes along.
func (*same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	setModel(e, doc, p.Target)
	n := p.Target.MaxTokens
	if f.MaxTokens > 0 || n <= 0 {
		return
	}
	text := strconv.AppendInt(nil, int64(n), 10)
	v, ok := doc.Get(kGeneration)
	if !ok {
		v, ok = doc.Get(kGeneration + spellings)
	}
	if !ok || v.Kind != jsonx.Object {
		value := append(append([]byte(`{"maxOutputTokens":`), text...), '}')
		e.SetMember(doc, kGeneration, "generationConfig", value)
		return
	}
	boundOutput(e, v, doc.Body(), text)
}

// boundOutput sets the bound in a generationConfig that is there.
func boundOutput(e *jsonx.Edits, v jsonx.Value, body, text []byte) {
	empty := true
	for it := jsonx.Members(v.Raw(body)); it.Next(); {
		empty = false
		if field(&it) == "maxOutputTokens" {
			from := v.Span.Start + it.Offset()
			e.Replace(jsonx.Span{Start: from, End: from + len(it.Value())}, text)
			return
		}
	}
	add := append([]byte(`"maxOutputTokens":`), text...)
	if !empty {
		add = append(add, ',')
	}
	e.Insert(v.Span.Start+1, add)
}

// setModel changes a model that the body names as well.
func setModel(e *jsonx.Edits, doc *jsonx.Document, t *dialect.Target) {
	if v, ok := doc.Get(kModel); ok && v.Kind == jsonx.String && t.Model != "" {
		e.SetMember(doc, kModel, "model", jsonx.Quote(nil, modelName(t)))
	}
}

// modelName is the model as bodies name it.
func modelName(t *dialect.Target) string {
	for i := range len(t.Model) {
		if t.Model[i] == '/' {
			return t.Model
		}
	}
	if t.Flavour == vertex {
		return "publishers/google/models/" + t.Model
	}
	return "models/" + t.Model
}

// Answer reads a whole answer's usage and finish reason, and gives it the model's
// name to show.
func (*same) Answer(e *jsonx.Edits, _ *llm.Facts, body []byte, p *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body); err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	var c counts
	c.read(doc.Raw(aUsage))
	finish := llm.FinishFilter
	if raw, ok := jsonx.Lookup(doc.Raw(aCandidates), "0"); ok {
		finish = finishOf(get(raw, "finishReason"))
	}
	if p.Model != "" && !jsonx.Equal(interior(&doc, aVersion), p.Model) {
		e.SetMember(&doc, aVersion, "modelVersion", jsonx.Quote(nil, p.Model))
	}
	return c.usage(), finish, nil
}

// NewTap watches a streamed answer.
func (*same) NewTap(_ *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	return tap.New(&watcher{newDecoder(lim)}, lim, p)
}

// watcher reads the events of a stream that is passed on.
type watcher struct{ d *decoder }

func (w *watcher) Read(ev *sse.Event, emit func(*llm.Event)) bool {
	w.d.Read(ev.Data, emit)
	return true
}

func (w *watcher) Stop(emit func(*llm.Event)) { w.d.Stop(emit) }

func (w *watcher) Whole(data []byte) bool { return w.d.Whole(data) }

var textKey = []byte(`"text"`)

// Look has every event read: each holds usage, and there are few, since each holds
// many tokens. It counts the texts that go by.
func (w *watcher) Look(ev *sse.Event, seen *tap.Seen) bool {
	for i := 0; ; {
		n := bytes.Index(ev.Data[i:], textKey)
		if n < 0 {
			return true
		}
		i += n + len(textKey)
		for i < len(ev.Data) && (ev.Data[i] == ':' || ev.Data[i] == ' ') {
			i++
		}
		if i < len(ev.Data) && ev.Data[i] == '"' {
			i = seen.Text(ev.Data, i+1)
		}
	}
}

// Model finds modelVersion.
func (w *watcher) Model(data []byte) (at jsonx.Span, ok bool) {
	for it := jsonx.Members(data); it.Next(); {
		if it.KeyIs("modelVersion") {
			return jsonx.Span{Start: it.Offset(), End: it.Offset() + len(it.Value())}, it.Kind() == jsonx.String
		}
	}
	return jsonx.Span{}, false
}
