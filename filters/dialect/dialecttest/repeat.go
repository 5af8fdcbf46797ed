package dialecttest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/dialect"
)

// Repeats draws streams of events with text that are mostly spelled alike, among
// odd ones, and holds what becomes of them whole (where the spelling of one tells
// the next) against what becomes of them byte by byte (where it cannot). Of each
// form the verb %s is the interior of the text; others are events without.
func Repeats(t *rapid.T, forms, others []string, run func(chunks ...[]byte) string) {
	text := rapid.OneOf(
		rapid.SampledFrom([]string{"", " word", `\n`, `a\"b`, `\\`, "é", "😀", `\u00e9`, `"`, `\`, `","x":"`, "\xff", "\n", "\x01", `"usage":{`}),
		rapid.StringMatching(`[ a-z]{1,40}`))
	var events []string
	form := rapid.SampledFrom(forms).Draw(t, "form")
	for range rapid.IntRange(1, 12).Draw(t, "events") {
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			form = rapid.SampledFrom(forms).Draw(t, "form")
		case 1:
			events = append(events, rapid.SampledFrom(others).Draw(t, "other"))
		}
		events = append(events, strings.ReplaceAll(form, "%s", text.Draw(t, "text")))
	}
	var whole, single [][]byte
	for len(events) > 0 {
		n := rapid.IntRange(1, min(3, len(events))).Draw(t, "together")
		whole = append(whole, []byte(strings.Join(events[:n], "")))
		events = events[n:]
	}
	for _, chunk := range whole {
		Bytes(chunk, func(one ...[]byte) { single = append(single, one...) })
	}
	require.Equal(t, run(single...), run(whole...))
}

// Passed says what a tap makes of chunks: the bytes, the events, the account.
func Passed(tap dialect.Tap, chunks ...[]byte) string {
	out, events := Tap(tap, chunks...)
	return fmt.Sprintf("%s\n%s\n%d %d", out, Script(events), tap.Seen(), tap.Overflowed())
}

// Decoded says what a decoder makes of chunks.
func Decoded(d dialect.Decoder, chunks ...[]byte) string {
	return fmt.Sprintf("%s\n%d", Script(Decode(d, chunks...)), d.Overflowed())
}
