package replay

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Said is what an answer says, whatever API it was told in.
type Said struct {
	Text      string // of the first choice
	Reasoning string
	Calls     []Call
	Items     int // vectors, or ranked documents
	Error     string
	Usage     *Usage // nil when the answer has none
}

// Call is one tool call.
type Call struct {
	Name  string
	Input string // JSON, in the form that encoding/json gives it
}

// Usage is what an answer counts, cached and reasoning tokens included in the sums.
type Usage struct {
	Input, Output, CacheRead, CacheWrite, Reasoning int64
}

// call adds a tool call with its arguments as JSON text.
func (s *Said) call(name, arguments string) {
	s.Calls = append(s.Calls, Call{name, normal(arguments)})
}

// normal is JSON text in one form; no arguments at all are the empty object.
func normal(text string) string {
	if strings.TrimSpace(text) == "" {
		return "{}"
	}
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return text
	}
	out, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(out)
}

// differs says how two accounts of one answer differ; empty when they do not.
func (s *Said) differs(got *Said) string {
	switch {
	case s.Text != got.Text:
		return fmt.Sprintf("text: the provider said %q, the client got %q", shorten(s.Text), shorten(got.Text))
	case fmt.Sprint(s.Calls) != fmt.Sprint(got.Calls):
		return fmt.Sprintf("tool calls: the provider made %v, the client got %v", s.Calls, got.Calls)
	case words(s.Reasoning) != words(got.Reasoning):
		return fmt.Sprintf("reasoning: the provider said %q, the client got %q", shorten(s.Reasoning), shorten(got.Reasoning))
	case s.Items != got.Items:
		return fmt.Sprintf("items: the provider gave %d, the client got %d", s.Items, got.Items)
	}
	return ""
}

// words is text without its white space: parts of reasoning that stand apart in
// one API are joined by a blank line in another.
func words(s string) string { return strings.Join(strings.Fields(s), "") }

// shorten keeps both ends of a long text.
func shorten(s string) string {
	const ends = 80
	if len(s) <= 2*ends {
		return s
	}
	return s[:ends] + "…" + s[len(s)-ends:]
}
