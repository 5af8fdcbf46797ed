package responses

import (
	"bytes"
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// Request adds what must change: the model's name and the bound on the output.
func (*same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	t := p.Target
	if t.Model != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(kModel)), t.Model) {
		e.SetMember(doc, kModel, "model", jsonx.Quote(nil, t.Model))
	}
	if f.MaxTokens == 0 && t.MaxTokens > 0 {
		e.SetMember(doc, kMaxOutput, "max_output_tokens", strconv.AppendInt(nil, int64(t.MaxTokens), 10))
	}
}

// Answer reads a whole answer's usage and end, and gives it the model's name to
// show. One that runs in the background has neither yet.
func (*same) Answer(e *jsonx.Edits, _ *llm.Facts, body []byte, p *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if err := scanAnswer(&doc, body); err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	usage, _ := base.ReadUsage(doc.Raw(aUsage), doc.Raw(aTier))
	if p.Model != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(aModel)), p.Model) {
		e.SetMember(&doc, aModel, "model", jsonx.Quote(nil, p.Model))
	}
	return usage, finishOf(&doc), nil
}

// watcher reads the events of a stream that is passed on.
type watcher struct{ events events }

// NewTap watches a streamed answer.
func (*same) NewTap(_ *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	return tap.New(&watcher{newEvents(lim)}, lim, p)
}

func (w *watcher) Read(ev *sse.Event, emit func(*llm.Event)) bool {
	w.events.read(ev.Data, emit)
	return true
}

func (w *watcher) Stop(emit func(*llm.Event)) { w.events.over(emit) }

func (w *watcher) Whole(data []byte) bool { return whole(data) }

var quotedResponse = []byte(`"response"`)

// Model finds the model in the response that some events carry.
func (w *watcher) Model(data []byte) (at jsonx.Span, ok bool) {
	if !bytes.Contains(data, quotedResponse) {
		return jsonx.Span{}, false
	}
	for it := jsonx.Members(data); it.Next(); {
		if !it.KeyIs("response") || it.Kind() != jsonx.Object {
			continue
		}
		offset := it.Offset()
		for in := jsonx.Members(it.Value()); in.Next(); {
			if in.KeyIs("model") && in.Kind() == jsonx.String {
				return jsonx.Span{Start: offset + in.Offset(), End: offset + in.Offset() + len(in.Value())}, true
			}
		}
	}
	return jsonx.Span{}, false
}

// ends are the types of events that end a stream, behind "response.".
var ends = [...]string{"completed", "incomplete", "failed"}

var (
	typeKey  = []byte(`"type":`)
	deltaKey = []byte(`"delta":`)
)

// Look reports whether an event must be read: it may end the stream, by any type
// that stands in it. It counts the text that goes by. A quote within a JSON
// string is escaped, so no text can look like a key.
func (w *watcher) Look(ev *sse.Event, seen *tap.Seen) bool {
	for data := ev.Data; ; {
		i := bytes.Index(data, typeKey)
		if i < 0 {
			break
		}
		i = skipSpace(data, i+len(typeKey))
		if data = data[i:]; isEnd(data) {
			return true
		}
	}
	i := bytes.Index(ev.Data, deltaKey)
	if i < 0 {
		return false
	}
	if i = skipSpace(ev.Data, i+len(deltaKey)); i < len(ev.Data) && ev.Data[i] == '"' {
		seen.Text(ev.Data, i+1)
	}
	return false
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// isEnd reports whether the value that data begins with is the type of an event
// that ends a stream.
func isEnd(data []byte) bool {
	if bytes.HasPrefix(data, []byte(`"error"`)) {
		return true
	}
	rest, ok := bytes.CutPrefix(data, []byte(`"response.`))
	for _, end := range ends {
		if ok && bytes.HasPrefix(rest, []byte(end)) && len(rest) > len(end) && rest[len(end)] == '"' {
			return true
		}
	}
	return false
}
