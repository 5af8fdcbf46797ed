package dialect

import (
	"strconv"

	"github.com/posterngw/postern/filters/llm"
)

// Fate is what became of a field in a translation.
type Fate uint8

// The fates. What a ledger does not mention was mapped.
const (
	Dropped   Fate = iota // left out
	Defaulted             // weakened, or replaced by what comes nearest
	Refused               // the request cannot be served with it
)

// String is the fate's stable name, as in audit records and headers.
func (f Fate) String() string {
	switch f {
	case Defaulted:
		return "defaulted"
	case Refused:
		return "refused"
	}
	return "dropped"
}

// Loss is one entry of a ledger.
type Loss struct {
	Field string // JSON pointer without its leading slash, "*" for any index: "messages/*/content/*/cache_control"
	Fate  Fate
	Why   string
}

// maxLosses bounds a ledger: fields that a client makes up count, too.
const maxLosses = 32

// Ledger lists what a translation loses. Codecs write into it; a nil ledger
// takes nothing. Each field is listed once, with its first reason.
type Ledger struct {
	Entries []Loss
	More    int // entries beyond the bound
}

// Note adds an entry.
//
//go:noinline
func (l *Ledger) Note(field string, fate Fate, why string) {
	if l == nil {
		return
	}
	for i := range l.Entries {
		if l.Entries[i].Field == field {
			return
		}
	}
	if len(l.Entries) == maxLosses {
		l.More++
		return
	}
	l.Entries = append(l.Entries, Loss{field, fate, why})
}

// Drop notes a field that is left out.
//
//go:noinline
func (l *Ledger) Drop(field, why string) { l.Note(field, Dropped, why) }

// Default notes a field that is weakened or replaced.
//
//go:noinline
func (l *Ledger) Default(field, why string) { l.Note(field, Defaulted, why) }

// Nameless notes what an API leaves out that knows a schema alone.
func (l *Ledger) Nameless(f *llm.Format) {
	if len(f.Name) > 0 {
		l.Drop("response_format/json_schema/name", "schemas have no names")
	}
	if len(f.Description) > 0 {
		l.Drop("response_format/json_schema/description", "schemas are not described")
	}
}

// Unknown notes members that have no canonical place: no other API can take
// them. at is the pointer of the object that they stand in, "" at the top.
//
//go:noinline
func (l *Ledger) Unknown(at string, extra []llm.Field) {
	if l == nil {
		return
	}
	if at != "" {
		at += "/"
	}
	for i := range extra {
		l.Drop(at+bounded(extra[i].Name), "no other API has it")
	}
}

// Leftovers notes what a request's client codec had no canonical place for.
func (l *Ledger) Leftovers(r *llm.Request) {
	if l == nil {
		return
	}
	l.Unknown("", r.Extra)
	for i := range r.Messages {
		m := &r.Messages[i]
		l.Unknown("messages/*", m.Extra)
		for p := range m.Parts {
			l.Unknown("messages/*/content/*", m.Parts[p].Extra)
		}
	}
	for i := range r.Tools {
		l.Unknown("tools/*", r.Tools[i].Extra)
	}
}

// maxField bounds a name that a client or a provider made up.
const maxField = 64

func bounded(name string) string {
	if len(name) <= maxField {
		return name
	}
	return Plain([]byte(name[:maxField]), maxField)
}

// maxHeader bounds what Append writes.
const maxHeader = 512

// Append writes the ledger as one header value: "dropped seed, defaulted top_k".
// What does not fit is counted: "and 3 more".
func (l *Ledger) Append(dst []byte) []byte {
	start, left := len(dst), l.More
	for i := range l.Entries {
		x := &l.Entries[i]
		if len(dst)-start+len(x.Field)+len("defaulted , and 99 more") > maxHeader || !printable(x.Field) {
			left++
			continue
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = append(append(append(dst, x.Fate.String()...), ' '), x.Field...)
	}
	if left > 0 {
		if len(dst) > start {
			dst = append(dst, " and "...)
		}
		dst = append(strconv.AppendInt(dst, int64(left), 10), " more"...)
	}
	return dst
}

// printable reports whether a name that a client made up can stand in a header.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == ',' {
			return false
		}
	}
	return true
}

// Reset empties the ledger for its next use.
func (l *Ledger) Reset() { l.Entries, l.More = l.Entries[:0], 0 }
