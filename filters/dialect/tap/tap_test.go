package tap_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/tap"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// words is a dialect whose data are words: "cut" is ours, "fail" is an error, "end"
// ends; a word in braces names the model.
type words struct{ ev llm.Event }

func (w *words) Read(ev *sse.Event, emit func(*llm.Event)) bool {
	switch string(ev.Data) {
	case "cut":
		return false
	case "fail":
		w.ev = llm.Event{Kind: llm.Failure, Err: dialect.Malformed("")}
	case "end":
		w.ev = llm.Event{Kind: llm.End}
	default:
		w.ev = llm.Event{Kind: llm.Delta, Text: ev.Data}
	}
	emit(&w.ev)
	return true
}

func (w *words) Look(ev *sse.Event, seen *tap.Seen) bool {
	seen.Add(len(ev.Data))
	return len(ev.Data) <= 4 && string(ev.Data) != "word"
}

func (w *words) Model(data []byte) (jsonx.Span, bool) {
	from, to := bytes.IndexByte(data, '"'), bytes.LastIndexByte(data, '"')
	return jsonx.Span{Start: from, End: to + 1}, from >= 0
}

func (w *words) Whole(data []byte) bool { return string(data) != "par" }

func (w *words) Stop(emit func(*llm.Event)) {
	if w.ev.Kind != llm.End && w.ev.Kind != llm.Failure {
		w.ev = llm.Event{Kind: llm.Failure, Err: dialect.Malformed("")}
		emit(&w.ev)
	}
}

func TestTap(t *testing.T) {
	for in, want := range map[string]string{
		"data: word|data: word|data: end|":                     "data: word|data: word|data: end|",
		"data: cut|data: word|data: end|":                      "data: word|data: end|",
		"data: word|data: cut|data: word|data: cut|data: end|": "data: word|data: word|data: end|",
		"data: word|data: fail|data: word|":                    "data: word|",
		": hi|data: word|data: {\"m\"}|data: end|":             ": hi|data: word|data: {\"shown\"}|data: end|",
		"data: word|data: {\"m\"|data: }|data: end|":           "data: word|data: {\"shown\"|data: }|data: end|",
		"data: end":            "data: end|",
		"data: word|data: par": "data: word|",
		"data: word|data: " + strings.Repeat("x", 90) + "|data: end|": "data: word|data: end|",
	} {
		for _, end := range []string{"\n", "\r\n", "\r"} {
			lines := func(s string) string {
				s = strings.ReplaceAll(s, "\"|data: }", "\"\ndata: }")
				return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\n\n"), "\n", end)
			}
			if strings.Contains(in, "|data: }") && end != "\n" {
				continue // data in several lines is written anew, with LF
			}
			if !strings.HasSuffix(in, "|") && end != "\n" {
				continue // and so is a missing end
			}
			dialecttest.OneCut([]byte(lines(in)), func(chunks ...[]byte) {
				x := tap.New(&words{}, dialect.Limits{Event: 80}, &dialect.Patch{Model: "shown"})
				out, events := dialecttest.Tap(x, chunks...)
				require.Equal(t, lines(want), string(out))
				require.Contains(t, []llm.EventKind{llm.End, llm.Failure}, events[len(events)-1].Kind)
				require.Equal(t, strings.Count(in, "xx") > 0, x.Overflowed() == 1)
			})
		}
	}
}

// blind is words whose look sees nothing, as of members in an unusual order.
type blind struct{ words }

func (b *blind) Look(*sse.Event, *tap.Seen) bool { return true }

// What a look did not see is counted when the event is read, and once.
func TestSeenWhenRead(t *testing.T) {
	for _, r := range []tap.Reader{&words{}, &blind{}} {
		x := tap.New(r, dialect.Limits{Event: 80}, &dialect.Patch{})
		dialecttest.Tap(x, []byte("data: abcd\n\ndata: efgh\n\ndata: ijkl\n\n"))
		require.EqualValues(t, 3, x.Seen(), "%T", r)
	}
}

func TestSeenText(t *testing.T) {
	var s tap.Seen
	data := []byte(`"a\"b\\" "" "rest`)
	require.Equal(t, 8, s.Text(data, 1))
	require.Equal(t, 11, s.Text(data, 10))
	require.Equal(t, len(data), s.Text(data, 13))
}
