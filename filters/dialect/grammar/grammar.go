// Package grammar holds an automaton for the streams of each client API: what may
// follow what, what must come once, what must come last. Tests run every stream
// that an encoder emits through it, and `postern replay` does so in the field.
//
// It reads JSON with encoding/json on purpose: what checks a codec does not share
// its parser. It is no part of the module.
package grammar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Grammar is an automaton that reads the events of one emitted stream.
type Grammar interface {
	// Event takes the next event; an error says what it breaks.
	Event(name, data string) error
	// End takes the end of the stream.
	End() error
}

// Check runs a whole stream through a grammar. It reads the plain form of an
// event stream that encoders emit: LF, one space behind the colon.
func Check(g Grammar, stream []byte) error {
	s := string(stream)
	for n := 0; s != ""; n++ {
		event, rest, ok := strings.Cut(s, "\n\n")
		if !ok {
			return fmt.Errorf("event %d has no end: %q", n, s)
		}
		s = rest
		name, data, comment, err := frame(event)
		if err == nil && !comment {
			err = g.Event(name, data)
		}
		if err != nil {
			return fmt.Errorf("event %d %q: %w", n, event, err)
		}
	}
	return g.End()
}

// Frame is one event of a stream that is not framed by lines.
type Frame struct{ Name, Data string }

// CheckFrames runs a whole stream of another framing through a grammar.
func CheckFrames(g Grammar, stream []byte, frames func([]byte) ([]Frame, error)) error {
	list, err := frames(stream)
	if err != nil {
		return err
	}
	for i, f := range list {
		if err := g.Event(f.Name, f.Data); err != nil {
			return fmt.Errorf("event %d %q: %w", i, f, err)
		}
	}
	return g.End()
}

// CheckLines runs a whole stream of lines through a grammar.
func CheckLines(g Grammar, stream []byte) error {
	for s := string(stream); s != ""; {
		line, rest, ok := strings.Cut(s, "\n")
		if !ok || line == "" {
			return fmt.Errorf("a blank line, or one without its end: %q", s)
		}
		if err := g.Event("", line); err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		s = rest
	}
	return g.End()
}

func frame(event string) (name, data string, comment bool, err error) {
	comment = true
	lines := 0
	for _, l := range strings.Split(event, "\n") {
		switch field, value, _ := strings.Cut(l, ": "); field {
		case "":
		case "event":
			name, comment = value, false
		case "data":
			data, comment = value, false
			lines++
		default:
			return "", "", false, fmt.Errorf("unknown field %q", field)
		}
	}
	if !comment && lines != 1 {
		return "", "", false, errors.New("an event must have one data line")
	}
	return name, data, comment, nil
}

// problems keeps the first failed condition of an event.
type problems struct{ err error }

func (p *problems) must(ok bool, format string, args ...any) {
	if !ok && p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// compact is JSON without white space between its tokens; empty for what is none.
func compact(raw []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return ""
	}
	return b.String()
}
