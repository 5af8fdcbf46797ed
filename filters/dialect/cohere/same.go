package cohere

import (
	"bytes"
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// setModel gives a request the target's name of the model.
func setModel(e *jsonx.Edits, doc *jsonx.Document, k int, t *dialect.Target) {
	if t.Model != "" && !jsonx.Equal(jsonx.Interior(doc.Raw(k)), t.Model) {
		e.SetMember(doc, k, "model", jsonx.Quote(nil, t.Model))
	}
}

// setBound bounds the output where the client did not.
func setBound(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, k int, t *dialect.Target) {
	if f.MaxTokens == 0 && t.MaxTokens > 0 {
		e.SetMember(doc, k, "max_tokens", strconv.AppendInt(nil, int64(t.MaxTokens), 10))
	}
}

// chatSame passes chats of version 2 on. Answers do not name the model.
type chatSame struct{}

// Request adds what must change: the model's name and the bound on the output.
func (chatSame) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	setModel(e, doc, kModel, p.Target)
	setBound(e, f, doc, kMaxTokens, p.Target)
}

// Answer reads a whole answer's usage and finish reason.
func (chatSame) Answer(_ *jsonx.Edits, _ *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	a, err := chatProvider{}.Decode(nil, nil, body)
	if err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	return a.Usage, a.Choices[0].Finish, nil
}

// NewTap watches a streamed answer.
func (chatSame) NewTap(_ *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	return tap.New(&watcher{newDecoder(lim)}, lim, p)
}

// watcher reads the events of a stream that is passed on.
type watcher struct{ d *decoder }

func (w *watcher) Read(ev *sse.Event, emit func(*llm.Event)) bool {
	w.d.Read(ev.Data, emit)
	return true
}

func (w *watcher) Stop(emit func(*llm.Event)) { w.d.Stop(emit) }

func (w *watcher) Whole(data []byte) bool { return bytes.Equal(data, doneMark) || w.d.Whole(data) }

// Look passes over what is said, by the type that stands first in the data.
func (w *watcher) Look(ev *sse.Event, seen *tap.Seen) bool {
	for _, kind := range passing {
		if !bytes.HasPrefix(ev.Data, kind) {
			continue
		}
		for _, key := range texts {
			if at := bytes.Index(ev.Data, key); at >= 0 {
				seen.Text(ev.Data, at+len(key))
				break
			}
		}
		return false
	}
	return true
}

var (
	passing = [][]byte{[]byte(`{"type":"content-`), []byte(`{"type":"tool-`), []byte(`{"type":"citation-`)}
	texts   = [][]byte{[]byte(`"text":"`), []byte(`"arguments":"`), []byte(`"thinking":"`), []byte(`"tool_plan":"`)}
)

// Model finds none: the API's events do not name it.
func (w *watcher) Model([]byte) (jsonx.Span, bool) { return jsonx.Span{}, false }
