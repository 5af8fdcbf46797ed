package anthropic

import (
	"bytes"
	"strconv"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// Request adds what must change: the model's name, and the bound on the output
// where the client gave none. Usage is in every stream unasked.
func (*same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	t := p.Target
	place(e, f, doc, t)
	if f.MaxTokens == 0 && t.MaxTokens > 0 {
		e.SetMember(doc, kMaxTokens, "max_tokens", strconv.AppendInt(nil, int64(t.MaxTokens), 10))
	}
}

// Answer reads a whole answer's usage and stop reason, and gives it the model's
// name to show.
func (*same) Answer(e *jsonx.Edits, _ *llm.Facts, body []byte, p *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	var doc jsonx.Document
	if err := scanMessage(&doc, body); err != nil {
		return llm.Usage{}, llm.NotFinished, err
	}
	var c counts
	c.read(doc.Raw(mUsage))
	if p.Model != "" && !jsonx.Equal(interior(&doc, mModel), p.Model) {
		e.SetMember(&doc, mModel, "model", jsonx.Quote(nil, p.Model))
	}
	return c.usage(), stopReason(interior(&doc, mStopReason)), nil
}

// NewTap watches a streamed answer.
func (*same) NewTap(_ *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	if onBedrock(p.Target) {
		return aws.NewTap(tap.New(&watcher{newDecoder(lim)}, lim, p), lim)
	}
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

// Look passes over blocks and pings, by the name of the event or, for gateways that
// drop it, by the type that stands first in the data.
func (w *watcher) Look(ev *sse.Event, seen *tap.Seen) bool {
	if !bytes.HasPrefix(ev.Name, block) && !bytes.HasPrefix(ev.Data, typedBlock) {
		return string(ev.Name) != "ping"
	}
	for _, key := range texts {
		if at := bytes.Index(ev.Data, key); at >= 0 {
			seen.Text(ev.Data, at+len(key))
			break
		}
	}
	return false
}

var (
	block      = []byte("content_block_")
	typedBlock = []byte(`{"type":"content_block_`)
	texts      = [][]byte{[]byte(`"text":"`), []byte(`"partial_json":"`), []byte(`"thinking":"`)}
)

// Model finds the model in message_start.
func (w *watcher) Model(data []byte) (at jsonx.Span, ok bool) {
	for it := jsonx.Members(data); it.Next(); {
		if !it.KeyIs("message") {
			continue
		}
		for in := jsonx.Members(it.Value()); in.Next(); {
			if in.KeyIs("model") {
				from := it.Offset() + in.Offset()
				return jsonx.Span{Start: from, End: from + len(in.Value())}, in.Kind() == jsonx.String
			}
		}
	}
	return jsonx.Span{}, false
}
