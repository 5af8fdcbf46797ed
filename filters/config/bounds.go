package config

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	bytesHint    = `write a whole number of bytes, or "64KiB", "1MiB", "2GiB"`
	durationHint = `write a number and a unit, such as "250ms", "30s", "1h30m"`
)

// passes runs the checks of a field on its decoded value.
func (d *decoder) passes(at *place, e *entry) bool {
	for _, c := range e.checks {
		typed, err := c(e.value, true)
		if !typed {
			return d.table(at, "a check of a type that the field has not")
		}
		if err == nil {
			continue
		}
		hint := ""
		if p := (*problem)(nil); errors.As(err, &p) {
			hint = p.hint
		}
		return d.fail(at, Invalid, err.Error(), hint)
	}
	return true
}

func (o *options) length(n int) bool { return o.lenLo <= n && n <= o.lenHi }

func (o *options) lengthHint(unit string) string {
	lo, hi := strconv.Itoa(o.lenLo), strconv.Itoa(o.lenHi)
	switch {
	case o.lenHi == math.MaxInt:
		return "at least " + lo + " " + unit
	case o.lenLo == 0:
		return "at most " + hi + " " + unit
	}
	return lo + " to " + hi + " " + unit
}

// count bounds the entries of a list or map.
func (d *decoder) count(at *place, n int, o *options) bool {
	if !o.hasLength || o.length(n) {
		return true
	}
	return d.fail(at, OutOfRange, "has "+strconv.Itoa(n)+" entries", o.lengthHint("entries"))
}

func (d *decoder) oneOf(at *place, v string, values []string) bool {
	if slices.Contains(values, v) {
		return true
	}
	return d.fail(at, Invalid, "unknown value "+Quote(v), suggest("one of", v, values))
}

// within bounds a whole number.
func (d *decoder) within(at *place, v number, e *entry) bool {
	if (e.lo == nil || v.i >= e.lo.i) && (e.hi == nil || v.i <= e.hi.i) {
		return true
	}
	return d.beyond(at, e)
}

func (d *decoder) withinFloat(at *place, v float64, e *entry) bool {
	if (e.lo == nil || v >= e.lo.f) && (e.hi == nil || v <= e.hi.f) {
		return true
	}
	return d.beyond(at, e)
}

func (d *decoder) beyond(at *place, e *entry) bool {
	hint := ""
	switch {
	case e.lo == nil:
		hint = "at most " + e.kind.spell(e.hi)
	case e.hi == nil:
		hint = "at least " + e.kind.spell(e.lo)
	default:
		hint = e.kind.spell(e.lo) + " to " + e.kind.spell(e.hi)
	}
	return d.fail(at, OutOfRange, quoteScalar(at.node)+" is out of range", hint)
}

// spell shows a bound of a field of this type as a file would; none is "".
func (t Type) spell(n *number) string {
	switch {
	case n == nil:
		return ""
	case t == TypeFloat:
		return strconv.FormatFloat(n.f, 'g', -1, 64)
	case t == TypeBytes:
		return FormatBytes(int(n.i))
	case t == TypeDuration:
		return FormatDuration(time.Duration(n.i))
	}
	return strconv.FormatInt(n.i, 10)
}

func quoteScalar(n *Node) string {
	if n.Kind == KindString || len(n.Text) > maxShown {
		return Quote(n.Text)
	}
	return n.Text
}

// secret reports whether a text is a reference to a secret in a permitted
// form. The error does not repeat the text: it may be the secret.
func (d *decoder) secret(at *place, o *options) bool {
	form, name, named := strings.Cut(at.node.Text, ":")
	switch {
	case !slices.Contains(o.secret, form):
	case form == "host" && !named:
		return true
	case form == "host":
	case form == "env" && envName(name):
		return true
	case form != "env" && name != "" && len(name) <= 1024:
		return true
	}
	return d.fail(at, InlineSecret, "expected a reference to a secret, never the secret itself", secretHint(o))
}

func secretHint(o *options) string {
	var forms []string
	for _, f := range o.secret {
		switch f {
		case "host":
			forms = append(forms, "host")
		case "env":
			forms = append(forms, "env:NAME")
		default:
			forms = append(forms, f+":…")
		}
	}
	return "write " + strings.Join(forms, " or ")
}

func envName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return 0 < len(s) && len(s) <= MaxName
}

var units = [...]struct {
	suffix string
	size   int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}

// ParseBytes reads a size in bytes as Bytes takes it.
func ParseBytes(s string) (int, bool) {
	size := 1
	for _, u := range units {
		if t, ok := strings.CutSuffix(s, u.suffix); ok {
			s, size = t, u.size
			break
		}
	}
	n, err := strconv.ParseUint(s, 10, 62)
	if err != nil || n > math.MaxInt/uint64(size) {
		return 0, false
	}
	return int(n) * size, true
}

// FormatBytes spells a size with the largest unit that divides it.
func FormatBytes(n int) string {
	for i := len(units) - 1; i >= 0; i-- {
		if u := units[i]; n != 0 && n%u.size == 0 {
			return strconv.Itoa(n/u.size) + u.suffix
		}
	}
	return strconv.Itoa(n)
}

// FormatDuration spells a time span without units of zero: "1h", not "1h0m0s".
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
