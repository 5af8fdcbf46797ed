package openai

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// tap passes a stream on. Until an event commits it reads every chunk; after
// that it only looks whether a chunk says something of usage, of an end or of
// an error, and reads those.
type tap struct {
	frames sse.Framer
	chunks chunks
	pass   pass

	model []byte // the name to show, as JSON; nil keeps the provider's
	shown string // the same as text
	cut   bool   // the usage chunk is ours alone

	committed bool
	failed    bool
	pieces    int64 // chunks with text
	bytes     int64 // of text

	emit func(*llm.Event) // of the running call
	take func(*llm.Event) // filters, bound once
}

// NewTap watches a streamed answer.
func (same) NewTap(f *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	t := &tap{
		frames: *sse.NewFramer(sse.Limits{Event: lim.Event}),
		chunks: newChunks(lim),
		shown:  p.Model,
		cut:    p.Usage && !f.WantsUsage,
	}
	if p.Model != "" {
		t.model = jsonx.Quote(nil, p.Model)
	}
	t.take = t.filter
	return t
}

// Write passes on the whole events of a chunk.
func (t *tap) Write(chunk []byte, emit func(*llm.Event)) []byte {
	t.emit = emit
	t.pass.begin(chunk)
	t.frames.Feed(chunk)
	for ev, ok := t.frames.Next(); ok; ev, ok = t.frames.Next() {
		t.event(&ev)
	}
	t.emit = nil
	return t.pass.end()
}

// Close passes on a last event without its blank line if it is whole, and gives
// it one; the beginning of an event is dropped.
func (t *tap) Close(emit func(*llm.Event)) []byte {
	t.emit = emit
	t.pass.begin(nil)
	if ev, ok := t.frames.Close(); ok && whole(ev.Data) {
		t.event(&ev)
		t.pass.terminate()
	}
	t.chunks.stop(t.take)
	t.emit = nil
	return t.pass.end()
}

// Seen is the number of chunks with text, which is right where each holds a
// token, or a quarter of the text's bytes where that is more.
func (t *tap) Seen() int64 { return max(t.pieces, t.bytes/4) }

func (t *tap) Overflowed() int { return t.frames.Overflowed() }

// filter hands events on: all of them until one commits.
func (t *tap) filter(ev *llm.Event) {
	t.failed = t.failed || ev.Kind == llm.Failure
	if t.committed {
		switch ev.Kind {
		case llm.FinishEvent, llm.UsageEvent, llm.End, llm.Failure:
		default:
			return
		}
	}
	t.committed = t.committed || ev.Commits()
	t.emit(ev)
}

// event decides what becomes of one event.
func (t *tap) event(ev *sse.Event) {
	if t.failed || t.pass.rest(ev) {
		return
	}
	if ev.Data == nil {
		t.ping()
		t.pass.keep(ev)
		return
	}
	if t.look(ev.Data) || !t.committed {
		t.chunks.read(ev.Data, t.take)
		if t.failed || t.cut && t.chunks.extra {
			t.pass.drop(ev)
			return
		}
	}
	if t.model != nil && t.rename(ev) {
		return
	}
	t.pass.keep(ev)
}

func (t *tap) ping() {
	if !t.committed {
		t.chunks.ev = llm.Event{Kind: llm.Ping}
		t.emit(&t.chunks.ev)
	}
}

// rename passes a chunk on with the model's name to show; false when it has that
// already, or none.
func (t *tap) rename(ev *sse.Event) bool {
	for it := jsonx.Members(ev.Data); it.Next(); {
		if !it.KeyIs("model") {
			continue
		}
		if it.Kind() != jsonx.String || jsonx.Equal(jsonx.Interior(it.Value()), t.shown) {
			return false
		}
		at := it.Offset()
		t.pass.replace(ev, at, at+len(it.Value()), t.model)
		return true
	}
	return false
}

// look reports whether a chunk must be read: it has usage, a finish reason, an
// error, or is no object. It counts the text that goes by. A quote within a
// JSON string is escaped, so no text can look like a key; a key that a provider
// spells with escapes is not seen.
func (t *tap) look(data []byte) bool {
	if len(data) == 0 || data[0] != '{' {
		return true
	}
	read := false
	for i := 0; ; {
		n := bytes.IndexByte(data[i:], ':')
		if n < 0 {
			return read
		}
		key := data[:i+n]
		i = skipSpace(data, i+n+1)
		if i == len(data) {
			return read
		}
		switch kindOfKey(key) {
		case keyObject:
			read = read || data[i] == '{'
		case keyWord:
			read = read || data[i] == '"'
		case keyError:
			read = read || data[i] == '{' || data[i] == '"'
		case keyType:
			read = read || bytes.HasPrefix(data[i:], []byte(`"error"`))
		case keyText:
			if data[i] == '"' {
				i = t.text(data, i+1)
			}
		}
	}
}

// text counts the string whose interior begins at i, and returns its end.
func (t *tap) text(data []byte, i int) int {
	from := i
	for {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return len(data)
		}
		i += n + 1
		if !escaped(data[from : i-1]) {
			break
		}
	}
	if size := i - 1 - from; size > 0 {
		t.pieces++
		t.bytes += int64(size)
	}
	return i
}

// escaped reports whether what follows b is escaped: b ends in an odd number of
// backslashes.
func escaped(b []byte) bool {
	n := 0
	for n < len(b) && b[len(b)-1-n] == '\\' {
		n++
	}
	return n&1 == 1
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// The kinds of keys that the look tells apart.
const (
	keyOther = iota
	keyObject
	keyWord
	keyError
	keyType
	keyText
)

// kindOfKey tells what key b ends in, its quotes and the space behind included.
func kindOfKey(b []byte) int {
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	if len(b) < 3 {
		return keyOther
	}
	switch b[len(b)-2] {
	case 'e':
		return is(b, `"usage"`, keyObject)
	case 'n':
		return is(b, `"finish_reason"`, keyWord)
	case 'r':
		return is(b, `"error"`, keyError)
	case 's':
		return is(b, `"arguments"`, keyText)
	case 'g':
		return is(b, `"reasoning"`, keyText)
	case 'l':
		return is(b, `"refusal"`, keyText)
	case 't':
		if is(b, `"reasoning_content"`, keyText) == keyText {
			return keyText
		}
		if is(b, `"object"`, keyType) == keyType {
			return keyType
		}
		return is(b, `"content"`, keyText)
	}
	return keyOther
}

func is(b []byte, key string, kind int) int {
	if len(b) >= len(key) && string(b[len(b)-len(key):]) == key {
		return kind
	}
	return keyOther
}
