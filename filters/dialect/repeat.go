package dialect

import (
	"bytes"

	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Repeat knows the spelling of the last event of a stream that brought nothing
// but text. In most streams such events differ in their text alone, so the next
// ones are told by comparing bytes, without reading any JSON. The zero value
// knows nothing. What it keeps is as long as one event.
type Repeat struct {
	head  []byte // up to the text
	tail  []byte // behind it, to the event's end or to the filler
	rest  []byte // behind the filler
	loose bool   // there is a filler
	tries int    // spellings learned since one was last seen again
}

// maxTries is how many spellings are learned before a stream counts as one that
// does not repeat itself.
const maxTries = 16

// filler is a member of OpenAI's chunks that is random, so that the lengths of
// encrypted chunks say nothing of their text.
var filler = []byte(`"obfuscation":"`)

// Learn takes an event of which raw[from:to] is the interior of the string that
// is its text. Its end must be the end of a line in LF, so that nothing of the
// terminator can come later.
func (r *Repeat) Learn(raw []byte, from, to int) {
	r.Forget()
	if r.tries >= maxTries || len(raw) == 0 || raw[len(raw)-1] != '\n' {
		return
	}
	r.tries++
	tail := raw[to:]
	if at := bytes.Index(tail, filler); at >= 0 {
		at += len(filler)
		end := jsonx.TextEnd(tail, at)
		if end == len(tail) || tail[end] != '"' {
			return
		}
		r.rest, r.loose = append(r.rest, tail[end:]...), true
		tail = tail[:at]
	}
	r.head, r.tail = append(r.head, raw[:from]...), append(r.tail, tail...)
}

// Forget forgets the spelling.
func (r *Repeat) Forget() {
	r.head, r.tail, r.rest, r.loose = r.head[:0], r.tail[:0], r.rest[:0], false
}

// Known reports whether there is a spelling.
func (r *Repeat) Known() bool { return len(r.head) > 0 }

// Text returns the text of the event that begins at b[i], and the offset behind
// the event; -1 when it is not spelled as the one before, or not whole.
func (r *Repeat) Text(b []byte, i int) (text []byte, next int) {
	from := i + len(r.head)
	if from > len(b) || string(b[i:from]) != string(r.head) {
		return nil, -1
	}
	to := jsonx.TextEnd(b, from)
	end := to + len(r.tail)
	if end > len(b) || string(b[to:end]) != string(r.tail) {
		return nil, -1
	}
	if r.loose {
		to := jsonx.TextEnd(b, end)
		end = to + len(r.rest)
		if end > len(b) || string(b[to:end]) != string(r.rest) {
			return nil, -1
		}
	}
	r.tries = 0
	return b[from:to:to], end
}
