package openai

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// watcher reads the chunks of a stream that is passed on.
type watcher struct {
	chunks chunks
	cut    bool // the usage chunk is ours alone
}

// NewTap watches a streamed answer.
func (*same) NewTap(f *llm.Facts, lim dialect.Limits, p *dialect.Patch) dialect.Tap {
	return tap.New(&watcher{chunks: newChunks(lim), cut: p.Usage && !f.WantsUsage}, lim, p)
}

// Read leaves out the usage chunk that only the gateway asked for.
func (w *watcher) Read(ev *sse.Event, emit func(*llm.Event)) bool {
	w.chunks.read(ev.Data, emit)
	return !w.cut || !w.chunks.extra
}

func (w *watcher) Stop(emit func(*llm.Event)) { w.chunks.stop(emit) }

func (w *watcher) Whole(data []byte) bool { return whole(data) }

// Model finds the first top-level model of a chunk.
func (w *watcher) Model(data []byte) (at jsonx.Span, ok bool) {
	for it := jsonx.Members(data); it.Next(); {
		if it.KeyIs("model") {
			return jsonx.Span{Start: it.Offset(), End: it.Offset() + len(it.Value())}, it.Kind() == jsonx.String
		}
	}
	return jsonx.Span{}, false
}

// Look reports whether a chunk must be read: it has usage, a finish reason, an
// error, or is no object. It counts the text that goes by. A quote within a
// JSON string is escaped, so no text can look like a key; a key that a provider
// spells with escapes is not seen.
func (w *watcher) Look(ev *sse.Event, seen *tap.Seen) bool {
	data := ev.Data
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
				i = seen.Text(data, i+1)
			}
		}
	}
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
		if is(b, `"text"`, keyText) == keyText {
			return keyText
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
