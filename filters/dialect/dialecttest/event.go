package dialecttest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// Collector keeps events. Its Emit goes to a decoder or a tap.
type Collector struct{ Events []llm.Event }

// Emit keeps a deep copy.
func (c *Collector) Emit(ev *llm.Event) {
	e := *ev
	if e.Cite != nil {
		c := *e.Cite
		c.URL, c.Title, c.Cited, c.Other = clone(c.URL), clone(c.Title), clone(c.Cited), llm.Raw(clone(llm.Escaped(c.Other)))
		e.Cite = &c
	}
	e.ID, e.Name, e.Text, e.Sign, e.Stop = clone(e.ID), clone(e.Name), clone(e.Text), clone(e.Sign), clone(e.Stop)
	if ev.Usage != nil {
		u := *ev.Usage
		e.Usage = &u
	}
	if ev.Cite != nil {
		c := *ev.Cite
		c.URL, c.Title, c.Cited = clone(c.URL), clone(c.Title), clone(c.Cited)
		e.Cite = &c
	}
	if ev.Err != nil {
		err := *ev.Err
		e.Err = &err
	}
	c.Events = append(c.Events, e)
}

func clone(b llm.Escaped) llm.Escaped {
	if len(b) == 0 {
		return nil
	}
	return append(llm.Escaped(nil), b...)
}

// Decode runs a decoder over chunks and its Close. The chunks are overwritten
// once they were read, so that a view kept too long shows.
func Decode(d dialect.Decoder, chunks ...[]byte) []llm.Event {
	var c Collector
	for _, chunk := range chunks {
		own := append([]byte(nil), chunk...)
		d.Write(own, c.Emit)
		scribble(own)
	}
	d.Close(c.Emit)
	return c.Events
}

// Tap runs a tap over chunks and its Close and returns what it passed on, too.
func Tap(t dialect.Tap, chunks ...[]byte) ([]byte, []llm.Event) {
	var c Collector
	var out []byte
	for _, chunk := range chunks {
		own := append([]byte(nil), chunk...)
		out = append(out, t.Write(own, c.Emit)...)
		scribble(own)
	}
	out = append(out, t.Close(c.Emit)...)
	return out, c.Events
}

func scribble(b []byte) {
	for i := range b {
		b[i] = '#'
	}
}

// Encode writes events as a stream.
func Encode(e dialect.Encoder, events []llm.Event) []byte {
	var out []byte
	for i := range events {
		out = e.Append(out, &events[i])
	}
	return out
}

// Plain spells escaped text.
func Plain(text llm.Escaped) string {
	var s string
	if err := json.Unmarshal([]byte(`"`+string(text)+`"`), &s); err != nil {
		return "!invalid: " + string(text)
	}
	return s
}

// Said is the text of a kind that a stream said in a choice.
func Said(events []llm.Event, choice int, kind llm.PartKind) string {
	var b strings.Builder
	for i := range events {
		if e := &events[i]; e.Kind == llm.Delta && e.Choice == choice && e.Part == kind {
			b.Write(e.Text)
		}
	}
	return Plain(llm.Escaped(b.String()))
}

// Last is the last usage of a stream, nil when there is none.
func Last(events []llm.Event) *llm.Usage {
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Kind == llm.UsageEvent {
			return events[i].Usage
		}
	}
	return nil
}

var eventNames = []string{"ping", "start", "block", "delta", "stop", "finish", "usage", "end", "failure"}

// Script is a stream in words, a line for each event, with the texts of a block
// joined: what a stream says whatever its pieces. Pings are left out.
func Script(events []llm.Event) string {
	var b strings.Builder
	events = withoutPings(events)
	for i := 0; i < len(events); i++ {
		e := events[i]
		if e.Kind == llm.Delta {
			for i+1 < len(events) && joins(&e, &events[i+1]) {
				i++
				e.Text = append(clone(e.Text), events[i].Text...)
			}
		}
		b.WriteString(line(&e) + "\n")
	}
	return b.String()
}

func withoutPings(events []llm.Event) []llm.Event {
	var list []llm.Event
	for _, e := range events {
		if e.Kind != llm.Ping {
			list = append(list, e)
		}
	}
	return list
}

func joins(a, b *llm.Event) bool {
	return b.Kind == llm.Delta && a.Choice == b.Choice && a.Block == b.Block && len(a.Sign) == 0 && len(b.Sign) == 0 && a.Cite == nil && b.Cite == nil
}

func line(e *llm.Event) string {
	at := fmt.Sprintf("%s %d.%d", eventNames[e.Kind], e.Choice, e.Block)
	switch e.Kind {
	case llm.Start:
		return fmt.Sprintf("start %q %q %d", Plain(e.ID), Plain(e.Name), e.Created)
	case llm.BlockStart:
		return fmt.Sprintf("%s %s %q %q redacted=%t", at, PartName(e.Part), Plain(e.ID), Plain(e.Name), e.Redacted)
	case llm.Delta:
		cited := ""
		if e.Cite != nil {
			cited = fmt.Sprintf(" cites %q %q", Plain(e.Cite.URL), Plain(e.Cite.Cited))
		}
		return fmt.Sprintf("%s %s %q %q%s", at, PartName(e.Part), Plain(e.Text), Plain(e.Sign), cited)
	case llm.BlockStop:
		return at
	case llm.FinishEvent:
		return fmt.Sprintf("finish %d %s %q", e.Choice, FinishName(e.Finish), Plain(e.Stop))
	case llm.UsageEvent:
		return "usage " + UsageText(e.Usage)
	case llm.Failure:
		return fmt.Sprintf("failure %s %d %s", e.Err.Class, e.Err.Status, e.Err.Code)
	}
	return eventNames[e.Kind]
}

// UsageText is usage in words, without its zeros.
func UsageText(u *llm.Usage) string {
	var b strings.Builder
	for _, x := range []struct {
		name string
		n    int64
	}{
		{"input", u.Input}, {"cache_read", u.CacheRead}, {"cache_write", u.CacheWrite}, {"cache_write_hour", u.CacheWriteHour}, {"input_audio", u.InputAudio},
		{"output", u.Output}, {"reasoning", u.Reasoning}, {"output_audio", u.OutputAudio},
	} {
		if x.n != 0 {
			fmt.Fprintf(&b, "%s=%d ", x.name, x.n)
		}
	}
	return fmt.Sprintf("%sknown=%t", b.String(), u.Known)
}
