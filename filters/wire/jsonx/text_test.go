package jsonx

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestUnescape(t *testing.T) {
	for _, c := range []struct{ interior, text string }{
		{``, ""},
		{`abc`, "abc"},
		{`\"\\\/\b\f\n\r\t`, "\"\\/\b\f\n\r\t"},
		{`x\u00e9y\u20ACz`, "xéy€z"},
		{`\ud83d\ude00`, "😀"},
		{`\ud83d`, "\uFFFD"},
		{`\ude00\ud83d`, "\uFFFD\uFFFD"},
		{`\ud83dx`, "\uFFFDx"},
		{`\ud83d\n`, "\uFFFD\n"},
		{`\ud83d\u0041`, "\uFFFDA"},
		{`\ud83d\ud83d\ude00`, "\uFFFD😀"},
		{`\u0000`, "\x00"},
		// not JSON
		{`a\`, "a\uFFFD"},
		{`\q`, "\uFFFD"},
		{`\u12`, "\uFFFD12"},
		{`\u12g4`, "\uFFFD12g4"},
	} {
		require.Equal(t, c.text, string(Unescape(nil, []byte(c.interior))), c.interior)
		if Valid([]byte(`"`+c.interior+`"`), Limits{}) == nil {
			require.True(t, Equal([]byte(c.interior), c.text), c.interior)
		}
		require.False(t, Equal([]byte(c.interior), c.text+"x"), c.interior)
		require.False(t, Equal([]byte("x"+c.interior), c.text), c.interior)
		if c.text != "" {
			require.False(t, Equal([]byte(c.interior), c.text[1:]), c.interior)
			require.False(t, Equal([]byte(c.interior), c.text[:len(c.text)-1]), c.interior)
		}
	}
	require.Equal(t, "ab", string(Unescape([]byte("a"), []byte("b"))))
}

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"":                     ``,
		"a/<é😀>&\u2028\x7f":    "a/<é😀>&\u2028\x7f",
		"\"\\\b\f\n\r\t\x01":   `\"\\\b\f\n\r\t\u0001`,
		"a\xFFb\xE2\x82c\x00":  `a\ufffdb\ufffd\ufffdc\u0000`,
		"\uFFFD":               "\uFFFD",
		"01234567890\n1234567": `01234567890\n1234567`,
	} {
		require.Equal(t, want, string(Escape(nil, text)))
		require.Equal(t, `x"`+want+`"`, string(Quote([]byte("x"), text)))
	}
}

func TestInterior(t *testing.T) {
	for raw, want := range map[string]string{`"a\"b"`: `a\"b`, `""`: ``, `"`: ``, ``: ``, `1`: ``, `"a`: ``} {
		got := Interior([]byte(raw))
		require.Equal(t, want, string(got))
		require.Equal(t, len(raw) > 1 && raw[len(raw)-1] == '"', got != nil)
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\n\"é\xff😀", `\ud83d\ude00\n\/`)
	f.Fuzz(func(t *testing.T, text, interior string) {
		quoted := Quote(nil, text)
		require.Nil(t, Valid(quoted, Limits{}))
		want := strings.Map(func(r rune) rune { return r }, text) // one U+FFFD for each wrong byte
		require.Equal(t, want, string(Unescape(nil, Interior(quoted))))
		require.True(t, Equal(Interior(quoted), want))
		if utf8.ValidString(text) {
			var std string
			require.NoError(t, json.Unmarshal(quoted, &std))
			require.Equal(t, text, std)
		}
		raw := []byte(`"` + interior + `"`)
		got := string(Unescape(nil, []byte(interior)))
		equal := Equal([]byte(interior), text)
		if Valid(raw, Limits{}) == nil {
			require.True(t, Equal([]byte(interior), got))
			require.Equal(t, text == got, equal)
			var std string
			require.NoError(t, json.Unmarshal(raw, &std))
			require.Equal(t, std, got)
		}
	})
}
