package tap

import (
	"bytes"

	"github.com/posterngw/postern/filters/wire/sse"
)

// pass gathers what is passed on of a chunk: a range of the chunk itself as long
// as nothing is left out of its middle or changed, else a copy in a buffer that
// is used again.
type pass struct {
	chunk    []byte
	from, to int // range of the chunk that is kept and not copied
	out      []byte
	lines    bool // an event ends with its line
	dropped  bool // the last event was not passed on as it came, and may have ended in CR
}

func (p *pass) begin(chunk []byte) {
	p.chunk, p.from, p.to = chunk, 0, 0
	p.out = p.out[:0]
}

// keep passes an event on as it came. Events that are not kept, and bytes that
// belong to none, are thereby left out.
func (p *pass) keep(ev *sse.Event) {
	if ev.Start < 0 {
		p.out = append(p.out, ev.Raw...)
		p.from, p.to = ev.End, ev.End
		return
	}
	if ev.Start != p.to || p.from == p.to {
		p.flush()
		p.from = ev.Start
	}
	p.to = ev.End
}

// drop leaves an event out.
func (p *pass) drop(ev *sse.Event) {
	p.dropped = len(ev.Raw) > 0 && ev.Raw[len(ev.Raw)-1] == '\r'
}

// rest reports whether ev is but the LF of a CRLF whose CR belonged to an event
// that was left out: it came in the next chunk.
func (p *pass) rest(ev *sse.Event) bool {
	is := p.dropped && len(ev.Raw) == 1 && ev.Raw[0] == '\n'
	p.dropped = false
	return is
}

// flush copies what is kept.
func (p *pass) flush() {
	p.out = append(p.out, p.chunk[p.from:p.to]...)
	p.from = p.to
}

// replace passes an event on with another text in place of data[from:to]. The
// data of an event in one line stands in the event's bytes as it is; of others
// the lines are written anew.
func (p *pass) replace(ev *sse.Event, from, to int, with []byte) {
	p.flush()
	at := bytes.Index(ev.Raw, ev.Data)
	if at >= 0 {
		p.out = append(p.out, ev.Raw[:at+from]...)
		p.out = append(p.out, with...)
		p.out = append(p.out, ev.Raw[at+to:]...)
	} else {
		data := append(append(append([]byte(nil), ev.Data[:from]...), with...), ev.Data[to:]...)
		p.out = sse.Append(p.out, string(ev.Name), data)
		p.drop(ev)
	}
	p.from, p.to = ev.End, ev.End
}

// terminate gives the last event its end: a blank line where lines do not do.
func (p *pass) terminate() {
	if len(p.out) == 0 {
		return
	}
	if p.out[len(p.out)-1] != '\n' {
		p.out = append(p.out, '\n')
	}
	if !p.lines {
		p.out = append(p.out, '\n')
	}
}

// end returns what is passed on. It is valid until begin.
func (p *pass) end() []byte {
	if len(p.out) == 0 {
		return p.chunk[p.from:p.to:p.to]
	}
	p.flush()
	return p.out
}
