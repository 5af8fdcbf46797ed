package credential

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/llm"
)

func TestKeys(t *testing.T) {
	env := map[string]string{"A": planted, "B": "second", "FROM_FILE": planted + "\r\n"}
	sent := [][2]string{{"x-before", "1"}, {"authorization", "Bearer " + planted}}
	none := sent[:1:1]
	with := func(name, value string) [][2]string { return append(none, [2]string{name, value}) }
	tests := []struct {
		name, config string
		want         [][2]string
	}{
		{"env", `{"credentials": ["env:A"]}`, sent},
		{"the first of several", `{"credentials": ["env:A", "env:B"]}`, sent},
		{"a line break at the end", `{"credentials": ["env:FROM_FILE"]}`, sent},
		{"host", `{"credentials": ["host"]}`, none},
		{"none", `{}`, none},
		{"Azure", `{"credentials": ["env:B"], "auth": {"key": {"header": "api-key"}}}`, with("api-key", "second")},
		{"a prefix", `{"credentials": ["env:B"], "auth": {"key": {"header": "x-auth", "prefix": "Key "}}}`, with("x-auth", "Key second")},
		{"in the query", `{"credentials": ["env:B"], "auth": {"key": {"query": "the key"}}}`, with(":path", "/v1/chat?x=1&the%20key=second")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(env)
			s := source(t, w, tt.config)
			require.False(t, s.Waits())
			require.False(t, s.Signs())
			require.True(t, ready(s, new(int)))
			require.Nil(t, s.Check(&Client{}))
			got, failed := s.Headers(none, w.attempt())
			require.Nil(t, failed)
			require.Equal(t, tt.want, got)
		})
	}
	w := newWorld(map[string]string{"A": "a/b+c"})
	a := w.attempt()
	a.Path = "/v1"
	got, _ := source(t, w, `{"credentials": ["env:A"], "auth": {"key": {"query": "key"}}}`).Headers(nil, a)
	require.Equal(t, [][2]string{{":path", "/v1?key=a%2Fb%2Bc"}}, got)
}

// Several keys are used in turn; one that is refused rests, for as long as the
// provider asks, but if all rest the one that has rested longest is used.
func TestRotation(t *testing.T) {
	w := newWorld(map[string]string{"A": "a", "B": "b", "C": "c"})
	s := source(t, w, `{"credentials": ["env:A", "env:B", "env:C"], "auth": {"rest": "30s"}}`)
	use := func(e *llm.Error) string {
		a := w.attempt()
		got, failed := s.Headers(nil, a)
		require.Nil(t, failed)
		if e != nil {
			s.Refused(a.Slot, e, w.now)
		}
		return strings.TrimPrefix(got[0][1], "Bearer ")
	}
	class := func(c llm.Class, after time.Duration) *llm.Error { return &llm.Error{Class: c, After: after} }
	pass := func(d time.Duration) { w.now = w.now.Add(d) }

	require.Equal(t, "abcab", use(nil)+use(nil)+use(nil)+use(nil)+use(class(llm.Overloaded, 0)), "an overload is nobody's key's")
	require.Equal(t, "c", use(class(llm.RateLimited, time.Minute)))
	require.Equal(t, "abab", use(nil)+use(nil)+use(nil)+use(nil))
	require.Equal(t, "a", use(class(llm.AuthError, 0)))
	require.Equal(t, "bb", use(nil)+use(nil))
	require.Equal(t, "b", use(class(llm.QuotaExhausted, 24*time.Hour)))
	require.Equal(t, "aaa", use(nil)+use(nil)+use(nil), "all rest: a is the first to be back")
	pass(29 * time.Second)
	require.Equal(t, "a", use(nil))
	pass(time.Second)
	require.Equal(t, "aa", use(nil)+use(nil))
	pass(30 * time.Second)
	require.Equal(t, "cac", use(nil)+use(nil)+use(nil))
	pass(maxRest)
	require.Equal(t, "abc", use(nil)+use(nil)+use(nil), "no rest is longer than maxRest")
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	const unset = "is not set, or the host does not give it to the module"
	for value, want := range map[string]string{
		"":                                    unset,
		" \n":                                 unset,
		planted + "\r\nx-evil: 1":             "has a character that no key has",
		planted + "é":                         "has a character that no key has",
		planted + strings.Repeat("a", maxKey): "is longer than any key",
	} {
		w := newWorld(map[string]string{"GOOD": "good", "BAD": value})
		for _, text := range []string{
			`{"credentials": ["env:GOOD", "env:BAD"]}`,
			`{"auth": {"entra": {"tenant": "t", "client_id": "c", "client_secret": "env:BAD"}}}`,
			`{"auth": {"aws": {"region": "r", "access_key": "env:BAD", "secret_key": "env:GOOD"}}}`,
			`{"auth": {"aws": {"region": "r", "access_key": "env:GOOD", "secret_key": "env:BAD"}}}`,
			`{"auth": {"aws": {"region": "r", "access_key": "env:GOOD", "secret_key": "env:GOOD", "session_token": "env:BAD"}}}`,
		} {
			_, err := New("openai", parse(t, text), w)
			require.EqualError(t, err, "provider openai: environment variable BAD "+want)
			requireHidden(t, []string{planted}, fmt.Sprintf("%v %+v %#v", err, err, err))
		}
	}
	for name, tt := range map[string]struct{ file, want string }{
		"unset":            {"", unset},
		"no JSON":          {planted, "is not the JSON of a key file"},
		"twice":            {`{"private_key":"` + planted + `","private_key":"x"}`, "is not the JSON of a key file"},
		"another file":     {keyFile(func(m map[string]string) { m["type"] = "authorized_user" }), "is not the key file of a service account"},
		"nobody's":         {keyFile(func(m map[string]string) { delete(m, "client_email") }), "is not the key file of a service account"},
		"no key":           {keyFile(func(m map[string]string) { delete(m, "private_key") }), "has a private_key that cannot be used: not a private key in PEM form"},
		"a key of no form": {keyFile(func(m map[string]string) { m["private_key"] = planted }), "has a private_key that cannot be used: not a private key in PEM form"},
		"a list for a key": {strings.Replace(keyFile(nil), `"private_key":"`, `"private_key":["","`, 1), "is not the JSON of a key file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New("vertex", parse(t, `{"auth": {"gcp": {"service_account": "env:FILE"}}}`), newWorld(map[string]string{"FILE": tt.file}))
			require.EqualError(t, err, "provider vertex: environment variable FILE "+tt.want)
		})
	}
}

// everyKind is a provider of each kind, with a secret in each of its places.
var everyKind = map[string]string{
	"keys":      `{"credentials": ["env:KEY", "callout:http://127.0.0.1:1/key"]}`,
	"gcp":       `{"auth": {"gcp": {"service_account": "env:FILE"}}}`,
	"metadata":  `{"auth": {"gcp": {}}}`,
	"entra":     `{"auth": {"entra": {"tenant": "t", "client_id": "c", "client_secret": "env:KEY"}}}`,
	"aws":       `{"auth": {"aws": {"region": "r", "access_key": "env:ID", "secret_key": "env:KEY", "session_token": "env:KEY"}}}`,
	"container": `{"auth": {"aws": {"region": "r", "container": "callout:http://127.0.0.1:1/aws"}}}`,
	"byok":      `{"auth": {"byok": {}}}`,
}

const fullAnswer = `{"access_token": "` + planted + `-token", "expires_in": 3600}`

const awsAnswer = `{"AccessKeyId": "AKID", "SecretAccessKey": "` + planted + `-aws", "Token": "` + planted + `-session"}`

// Neither a source, nor what it holds, nor what it says when it fails shows a
// secret, by any verb or encoder, before or after its tokens came.
func TestSecretsDoNotShow(t *testing.T) {
	file := keyFile(nil)
	secrets := []string{"CANARY", fmt.Sprintf("%x", planted), rsaKey().D.String()[:20], file[200:240]}
	for name, text := range everyKind {
		t.Run(name, func(t *testing.T) {
			w := newWorld(map[string]string{"KEY": planted, "FILE": file, "ID": "AKID"})
			s := source(t, w, text)
			a := w.attempt()
			a.Client = Client{Own: "p=" + planted}
			look := func() {
				requireHiddenValues(t, secrets, s, *s, s.give, s.tokens, s.carry)
				for _, one := range s.tokens {
					requireHiddenValues(t, secrets, *one, one.held)
				}
				if g, ok := s.give.(*signer); ok {
					requireHiddenValues(t, secrets, *g)
				}
				if r, ok := s.give.(*ring); ok {
					requireHiddenValues(t, secrets, *r, r.slots)
				}
			}
			look()
			for _, body := range []string{planted, `{"error": "` + planted + `", "error_description": "` + planted + `"}`, `{"access_token": "` + planted + `é"}`} {
				for _, status := range []int{0, 200, 401, 500} {
					s.Tick(w.now, true)
					for len(w.calls) > 0 {
						w.answer(t, status, body)
					}
					w.now = w.now.Add(time.Hour)
					if e := s.Check(&Client{}); e != nil {
						requireHidden(t, secrets, e.Error(), fmt.Sprintf("%+v", *e))
					}
				}
			}
			look()
			s.Tick(w.now, true)
			for len(w.calls) > 0 {
				if name == "container" {
					w.answer(t, 200, awsAnswer)
				} else {
					w.answer(t, 200, fullAnswer)
				}
			}
			_, failed := s.Headers(nil, a)
			require.Equal(t, name != "byok", failed != nil, "%v", failed)
			a.Client = Client{}
			_, _ = s.Headers(nil, a)
			look()
			requireHidden(t, secrets, w.told...)
		})
	}
}

func requireHiddenValues(t *testing.T, secrets []string, values ...any) {
	t.Helper()
	for _, v := range values {
		for verb := 'A'; verb <= 'z'; verb++ {
			for _, flag := range []string{"", "+", "#", "-20", " ", "08", "."} {
				requireHidden(t, secrets, fmt.Sprintf("%"+flag+string(verb), v))
			}
		}
		requireHidden(t, secrets, fmt.Sprint(v), fmt.Sprintln(v), fmt.Errorf("failed: %v", v).Error())
		if text, err := json.Marshal(v); err == nil {
			requireHidden(t, secrets, string(text))
		}
	}
}

func TestSecret(t *testing.T) {
	type holder struct {
		Public  Secret
		private Secret
		list    []Secret
	}
	s := NewSecret(planted)
	requireHiddenValues(t, []string{"CANARY", fmt.Sprintf("%x", planted)}, s, &s, []Secret{s}, map[string]Secret{"a": s},
		holder{s, s, []Secret{s}}, &holder{Public: s, private: s})
	require.Equal(t, "[secret] [secret] [secret] [secret]", fmt.Sprintf("%s %v %#v %d", s, s, s, s))
	text, err := s.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "[secret]", string(text))
	require.Equal(t, "[secret]", s.String())
	require.Equal(t, "[secret]", s.GoString())
	require.Equal(t, planted, s.Reveal())
	require.Empty(t, Secret{}.Reveal())
}

func FuzzNew(f *testing.F) {
	f.Add("env:A", planted)
	f.Add("host", "")
	f.Add(planted, planted)
	f.Add("env:"+planted, "a\nb")
	f.Add("callout:http://127.0.0.1/"+planted, "")
	f.Fuzz(func(t *testing.T, ref, value string) {
		w := newWorld(map[string]string{strings.TrimPrefix(ref, envPrefix): value})
		s, err := New("p", &Config{Credentials: []string{ref}}, w)
		if err != nil {
			if strings.Contains(value, "CANARY") {
				require.NotContains(t, err.Error(), "CANARY")
			}
			return
		}
		if s.Waits() {
			s.Tick(w.now, true)
			w.answer(t, 200, value)
		}
		got, _ := s.Headers(nil, w.attempt())
		for _, h := range got {
			require.False(t, strings.ContainsAny(h[1], "\r\n\x00"))
		}
	})
}

func BenchmarkHeaders(b *testing.B) {
	for _, name := range []string{"keys", "aws"} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(map[string]string{"KEY": planted, "ID": "AKID"})
			s := source(b, w, everyKind[name])
			a := w.attempt()
			var dst [8][2]string
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Headers(dst[:0], a)
			}
		})
	}
}
