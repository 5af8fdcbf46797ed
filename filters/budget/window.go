package budget

import "time"

// Unit is what a budget counts.
type Unit string

// The units.
const (
	Requests Unit = "requests"
	Tokens   Unit = "tokens"
	Money    Unit = "money" // in millionths of the currency's unit
)

// Window is the period after which a budget starts again, in UTC.
type Window string

// The windows.
const (
	Second Window = "second"
	Minute Window = "minute"
	Hour   Window = "hour"
	Day    Window = "day"
	Month  Window = "month"
)

var windows = []Window{Second, Minute, Hour, Day, Month}

// fixed is the window's length in ms; a month has none.
func (w Window) fixed() int64 {
	switch w {
	case Second:
		return 1000
	case Minute:
		return 60_000
	case Hour:
		return 3_600_000
	case Day:
		return 86_400_000
	}
	return 0
}

// span is the window that a time is in: its first ms and the next window's.
func (w Window) span(now int64) (start, end int64) {
	if n := w.fixed(); n > 0 {
		start = now - now%n
		return start, start + n
	}
	t := time.UnixMilli(now).UTC()
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return first.UnixMilli(), first.AddDate(0, 1, 0).UnixMilli()
}

// short tells windows for which waiting helps from those for which it does not.
func (w Window) short() bool { return w == Second || w == Minute }

// tag is a byte that tells counters of different kinds apart in the store.
func (m *Meter) tag() byte {
	var b byte
	for i, w := range windows {
		if w == m.Window {
			b = byte(i)
		}
	}
	switch m.Unit {
	case Tokens:
		b |= 0x10
	case Money:
		b |= 0x40
	}
	if m.bucket() {
		b |= 0x20
	}
	return b
}
