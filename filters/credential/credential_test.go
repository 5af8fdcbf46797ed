package credential

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

const planted = "sk-CANARY-0123456789"

func environment(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func bearer(key string) (string, string) { return "authorization", "Bearer " + key }

func TestSources(t *testing.T) {
	env := environment(map[string]string{"A": planted, "B": "second", "FROM_FILE": planted + "\r\n"})
	sent := [][2]string{{"x-before", "1"}, {"authorization", "Bearer " + planted}}
	none := sent[:1:1]
	tests := []struct {
		name string
		refs []string
		want [][2]string
	}{
		{"env", []string{"env:A"}, sent},
		{"the first of several", []string{"env:A", "env:B"}, sent},
		{"a line break at the end", []string{"env:FROM_FILE"}, sent},
		{"host", []string{"host"}, none},
		{"none", nil, none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := New("openai", &Config{tt.refs}, env)
			require.NoError(t, err)
			got, failed := s.Headers(none, &Attempt{Key: bearer})
			require.Nil(t, failed)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	for value, want := range map[string]string{
		"":                                    "is not set, or the host does not give it to the module",
		" \n":                                 "is not set, or the host does not give it to the module",
		planted + "\r\nx-evil: 1":             "has a character that no key has",
		planted + "é":                         "has a character that no key has",
		planted + strings.Repeat("a", maxKey): "is longer than any key",
	} {
		_, err := New("openai", &Config{[]string{"env:GOOD", "env:BAD"}}, environment(map[string]string{"GOOD": planted, "BAD": value}))
		require.EqualError(t, err, "provider openai: environment variable BAD "+want)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), planted)
	}
}

func TestConfig(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"env", `["env:OPENAI_API_KEY", "env:_b2"]`, ""},
		{"host", `["host"]`, ""},
		{"none", `[]`, ""},
		{"the key itself", `["env:A", "` + planted + `"]`, "credential 2 is not a reference"},
		{"the key behind env", `["env:` + planted + `"]`, "credential 1 is not a reference"},
		{"no name", `["env:"]`, "credential 1 is not a reference"},
		{"a digit first", `["env:1A"]`, "credential 1 is not a reference"},
		{"too long a name", `["env:` + strings.Repeat("A", 129) + `"]`, "credential 1 is not a reference"},
		{"host and a key", `["host", "env:A"]`, "`host` stands alone"},
		{"a file", `["file:/etc/key"]`, "credential 1 is not a reference"},
		{"too many", `[` + strings.Repeat(`"env:A", `, 16) + `"env:A"]`, "has 17 entries"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, errs := config.ParseJSON([]byte(`{"credentials": ` + tt.text + `}`))
			require.NoError(t, errs.Err())
			var c Config
			errs = config.Decode(n, Fields(&c))
			if tt.want == "" {
				require.NoError(t, errs.Err())
				return
			}
			require.ErrorContains(t, errs, "/credentials: "+tt.want)
			require.NotContains(t, errs.Error(), planted)
			_, err := New("openai", &Config{c.Credentials}, environment(nil))
			if len(c.Credentials) > 0 {
				require.Error(t, err)
			}
		})
	}
	require.NotEmpty(t, config.Describe(Fields(&Config{})).Fields[0].Doc)
}

// Neither a Secret nor anything that holds one shows its text, by any verb or
// encoder.
func TestSecretsDoNotShow(t *testing.T) {
	type holder struct {
		Public  Secret
		private Secret
		list    []Secret
		deep    *static
		source  Source
	}
	s := NewSecret(planted)
	source, err := New("openai", &Config{[]string{"env:A"}}, environment(map[string]string{"A": planted}))
	require.NoError(t, err)
	values := []any{s, &s, []Secret{s}, map[string]Secret{"a": s}, source,
		holder{s, s, []Secret{s}, &static{[]Secret{s}}, source}, &holder{Public: s, private: s}, *source.(*static)}
	for _, v := range values {
		for verb := 'A'; verb <= 'z'; verb++ {
			for _, flag := range []string{"", "+", "#", "-20", " ", "08", "."} {
				requireHidden(t, fmt.Sprintf("%"+flag+string(verb), v))
			}
		}
		requireHidden(t, fmt.Sprint(v), fmt.Sprintln(v), fmt.Errorf("failed: %v", v).Error())
		text, err := json.Marshal(v)
		require.NoError(t, err)
		requireHidden(t, string(text))
	}
	require.Equal(t, "[secret] [secret] [secret] [secret]", fmt.Sprintf("%s %v %#v %d", s, s, s, s))
	text, err := s.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "[secret]", string(text))
	require.Equal(t, "[secret]", s.String())
	require.Equal(t, "[secret]", s.GoString())
	require.Equal(t, planted, s.Reveal())
	require.Empty(t, Secret{}.Reveal())
}

func requireHidden(t *testing.T, texts ...string) {
	t.Helper()
	hex := fmt.Sprintf("%x", planted)
	for _, s := range texts {
		require.NotContains(t, s, "CANARY")
		require.NotContains(t, strings.ToLower(s), hex)
	}
}

func FuzzNew(f *testing.F) {
	f.Add("env:A", planted)
	f.Add("host", "")
	f.Add(planted, planted)
	f.Add("env:"+planted, "a\nb")
	f.Fuzz(func(t *testing.T, ref, value string) {
		s, err := New("p", &Config{[]string{ref}}, func(string) string { return value })
		if err != nil {
			if strings.Contains(value, "CANARY") {
				require.NotContains(t, err.Error(), "CANARY")
			}
			return
		}
		got, failed := s.Headers(nil, &Attempt{Key: bearer})
		require.Nil(t, failed)
		for _, h := range got {
			require.False(t, strings.ContainsAny(h[1], "\r\n\x00"))
		}
		require.Equal(t, ref == Host, len(got) == 0)
	})
}

func BenchmarkHeaders(b *testing.B) {
	s, err := New("p", &Config{[]string{"env:A"}}, func(string) string { return planted })
	require.NoError(b, err)
	a := &Attempt{Key: func(key string) (string, string) { return "x-api-key", key }}
	var dst [8][2]string
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Headers(dst[:0], a)
	}
}
