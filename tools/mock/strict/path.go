package strict

import (
	"strconv"
	"strings"
)

// Step is one step of a Path: a key, an index, or the name of the variant that
// a tagged union resolved to (some providers print it, others do not).
type Step struct {
	Key     string
	Index   int
	Variant bool
	isIndex bool
}

// Path leads from the root of a document to a value.
type Path []Step

// Key returns the path to a member.
func (p Path) Key(name string) Path { return p.with(Step{Key: name}) }

// Item returns the path to an item of an array.
func (p Path) Item(i int) Path { return p.with(Step{Index: i, isIndex: true}) }

// As returns the path with the name of a variant added.
func (p Path) As(variant string) Path { return p.with(Step{Key: variant, Variant: true}) }

func (p Path) with(s Step) Path { return append(p[:len(p):len(p)], s) }

// Top says whether the path names a member of the root object.
func (p Path) Top() bool { return len(p) == 1 }

// Last returns the last key of the path.
func (p Path) Last() string {
	if len(p) == 0 {
		return ""
	}
	return p[len(p)-1].Key
}

// Dotted writes messages.0.content.0.text.cache_control: indexes as steps,
// variants shown (Anthropic's form).
func (p Path) Dotted() string {
	parts := make([]string, 0, len(p))
	for _, s := range p {
		if s.isIndex {
			parts = append(parts, strconv.Itoa(s.Index))
			continue
		}
		parts = append(parts, s.Key)
	}
	return strings.Join(parts, ".")
}

// Bracketed writes messages[0].content[0].cache_control: variants left out
// (OpenAI's form).
func (p Path) Bracketed() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.Variant:
		case s.isIndex:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.Key)
		}
	}
	return b.String()
}
