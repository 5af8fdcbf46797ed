package tap

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// repeat is the spelling of events with text, as they come and as they are
// passed on.
type repeat struct {
	dialect.Repeat
	name    jsonx.Span // what is replaced in its bytes; empty: nothing
	model   []byte     // what it is replaced by
	renamed bool
}

// learn takes an event that was passed on with model in place of data[name].
func (r *repeat) learn(ev *sse.Event, seen *Seen, name jsonx.Span, model []byte) {
	at := bytes.Index(ev.Raw, ev.Data)
	if at < 0 {
		return // in more than one line
	}
	r.renamed, r.model = name.Len() > 0, model
	r.name = jsonx.Span{Start: at + name.Start, End: at + name.End}
	if r.renamed && name.End > seen.from {
		return
	}
	r.Learn(ev.Raw, at+seen.from, at+seen.to)
}

// append passes the bytes of an event on, under the name to show.
func (r *repeat) append(dst, raw []byte) []byte {
	dst = append(append(dst, raw[:r.name.Start]...), r.model...)
	return append(dst, raw[r.name.End:]...)
}

// again passes a chunk on whose events are all spelled as the last one; false
// when they are not, and nothing was done.
func (t *Tap) again(chunk []byte) ([]byte, bool) {
	if len(chunk) == 0 || len(chunk) > t.limit || t.failed || t.pass.dropped || !t.frames.Idle() {
		return nil, false
	}
	seen, out := t.seen, t.pass.out[:0]
	for i := 0; i < len(chunk); {
		text, next := t.repeat.Text(chunk, i)
		if next < 0 {
			return nil, false
		}
		seen.Add(len(text))
		if t.repeat.renamed {
			out = t.repeat.append(out, chunk[i:next])
		}
		i = next
	}
	t.seen = seen
	if t.repeat.renamed {
		t.pass.out = out
		return out, true
	}
	return chunk, true
}
