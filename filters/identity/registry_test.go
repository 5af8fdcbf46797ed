package identity

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/llm"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func makeKey(t testing.TB, id string) (presented, hash string) {
	t.Helper()
	presented, hash, err := NewKey(rand.Reader, id)
	require.NoError(t, err)
	return presented, hash
}

func build(t testing.TB, c *Config) *Registry {
	t.Helper()
	r, err := New(c)
	require.NoError(t, err)
	return r
}

func named(id, hash string, change ...func(*KeyConfig)) config.Named[KeyConfig] {
	k := KeyConfig{Hash: hash, Attributes: Attributes{Organisation: "acme", Team: "search", User: "ann"}}
	for _, f := range change {
		f(&k)
	}
	return config.Named[KeyConfig]{Name: id, Value: k}
}

func TestIdentifyByKey(t *testing.T) {
	good, goodHash := makeKey(t, "ci-bot")
	off, offHash := makeKey(t, "off")
	old, oldHash := makeKey(t, "old")
	r := build(t, &Config{
		Keys: []config.Named[KeyConfig]{
			named("ci-bot", goodHash),
			named("off", offHash, func(k *KeyConfig) { k.Disabled = true }),
			named("old", oldHash, func(k *KeyConfig) { k.Expires = "2026-11-23T13:00:00+01:00" }),
		},
		JWT:       &JWTConfig{Namespace: jwtAuthn, Payload: "corp", Claims: Attributes{User: "sub"}},
		Anonymous: &Attributes{Team: "guests"},
	})
	_, secret, _ := strings.Cut(good, ".")
	tests := []struct {
		name, token string
		now         time.Time
		key         string // the principal's, or
		code, text  string // the refusal
	}{
		{"right", good, noon, "ci-bot", "", ""},
		{"before it expires", old, noon.Add(-time.Nanosecond), "old", "", ""},
		{"the moment it expires", old, noon, "", invalidKey, "The API key has expired."},
		{"disabled", off, noon, "", invalidKey, "The API key is disabled."},
		{"unknown id", "nobody." + secret, noon, "", invalidKey, "The API key is not valid."},
		{"secret of another key", "old." + secret, noon, "", invalidKey, "The API key is not valid."},
		{"no dot", "sk-1234", noon, "", invalidKey, "The API key is not valid."},
		{"no secret", "ci-bot.", noon, "", invalidKey, "The API key is not valid."},
		{"no id", "." + secret, noon, "", invalidKey, "The API key is not valid."},
		{"short secret", good[:len(good)-1], noon, "", invalidKey, "The API key is not valid."},
		{"long secret", good + "A", noon, "", invalidKey, "The API key is not valid."},
		{"space in front", " " + good, noon, "", invalidKey, "The API key is not valid."},
		{"longer than any key", strings.Repeat("a", 1<<16) + "." + secret, noon, "", invalidKey, "The API key is not valid."},
		{"the hash itself", "ci-bot." + goodHash, noon, "", invalidKey, "The API key is not valid."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// The claims and the anonymous principal are there throughout: a
			// refused key falls back to neither.
			who, err := r.Identify(Presented{Token: tt.token, Now: tt.now, Claim: claims("sub", "eve")})
			if tt.code == "" {
				require.Nil(t, err)
				require.Equal(t, Principal{Organisation: "acme", Team: "search", User: "ann", Key: tt.key}, who)
				return
			}
			requireRefusal(t, err, tt.code, tt.text)
			require.Zero(t, who)
			require.NotContains(t, err.Error(), secret)
			require.NotContains(t, err.Error(), tt.token)
		})
	}
}

func requireRefusal(t *testing.T, err *llm.Error, code, text string) {
	t.Helper()
	require.NotNil(t, err)
	require.Equal(t, llm.AuthError, err.Class)
	require.Equal(t, 401, err.Status)
	require.Equal(t, code, err.Code)
	require.Equal(t, text, err.Message)
}

// claims is a host that has verified the given names and values.
func claims(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestIdentifyByClaims(t *testing.T) {
	r := build(t, &Config{JWT: &JWTConfig{Namespace: jwtAuthn, Payload: "corp",
		Claims: Attributes{User: "sub", Organisation: "https://acme.example/org", Team: "/realm/team"}, Optional: []string{Team}}})
	org := "https://acme.example/org"
	tests := []struct {
		name   string
		token  string
		claims []string
		want   Principal
		code   string
	}{
		{"all", "", []string{"sub", "ann", org, "acme", "/realm/team", "search"}, Principal{Organisation: "acme", Team: "search", User: "ann"}, ""},
		{"without an optional one", "", []string{"sub", "ann", org, "acme"}, Principal{Organisation: "acme", User: "ann"}, ""},
		{"the token is still there", "e30.e30.c2ln", []string{"sub", "ann", org, "acme"}, Principal{Organisation: "acme", User: "ann"}, ""},
		{"without one that is needed", "", []string{"sub", "ann"}, Principal{}, invalidToken},
		{"empty is absent", "", []string{"sub", "ann", org, ""}, Principal{}, invalidToken},
		{"none", "", nil, Principal{}, missingKey},
		{"a token that the host did not verify", "e30.e30.c2ln", nil, Principal{}, invalidToken},
		{"a number", "", []string{"sub", "\x00\x00\x00\x00\x00\x00\xf0?", org, "acme"}, Principal{}, invalidToken},
		{"a line break", "", []string{"sub", "ann\nadmin", org, "acme"}, Principal{}, invalidToken},
		{"too long", "", []string{"sub", strings.Repeat("a", maxAttribute+1), org, "acme"}, Principal{}, invalidToken},
		{"a key all the same", "ci.x", []string{"sub", "ann", org, "acme"}, Principal{}, invalidKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			who, err := r.Identify(Presented{Token: tt.token, Claim: claims(tt.claims...), Now: noon})
			require.Equal(t, tt.want, who)
			if tt.code == "" {
				require.Nil(t, err)
				return
			}
			require.NotNil(t, err)
			require.Equal(t, tt.code, err.Code)
			require.Equal(t, 401, err.Status)
		})
	}
}

func TestWithoutClaimsAJWTIsAKey(t *testing.T) {
	c := &Config{Anonymous: &Attributes{}, Keys: []config.Named[KeyConfig]{{Name: "a", Value: KeyConfig{Hash: "sha256:" + strings.Repeat("0", 64)}}}}
	_, err := build(t, c).Identify(Presented{Token: "e30.e30.c2ln", Now: noon})
	require.NotNil(t, err)
	require.Equal(t, invalidKey, err.Code)
}

// Official clients insist on sending some key: where none can be right, none is wrong.
func TestWhereEverybodyIsAnonymousATokenProvesNothing(t *testing.T) {
	r := build(t, &Config{Anonymous: &Attributes{Team: "guests"}})
	who, err := r.Identify(Presented{Token: "sk-anything", Now: noon})
	require.Nil(t, err)
	require.Equal(t, Principal{Team: "guests"}, who)
}

func TestAnonymous(t *testing.T) {
	r := build(t, &Config{Anonymous: &Attributes{Team: "guests"}})
	who, err := r.Identify(Presented{Now: noon})
	require.Nil(t, err)
	require.Equal(t, Principal{Team: "guests"}, who)

	_, err = build(t, &Config{}).Identify(Presented{Now: noon})
	requireRefusal(t, err, missingKey, "No API key was presented.")
}

func TestClaimPath(t *testing.T) {
	r := build(t, &Config{JWT: &JWTConfig{Namespace: jwtAuthn, Payload: "corp",
		Claims: Attributes{User: "sub", Team: "/realm/a~1b~01"}}})
	require.Equal(t, []string{"metadata", "filter_metadata", jwtAuthn, "corp", "sub"}, r.ClaimPath("sub"))
	require.Equal(t, []string{"metadata", "filter_metadata", jwtAuthn, "corp", "realm", "a/b~1"}, r.ClaimPath("/realm/a~1b~01"))
	require.Nil(t, r.ClaimPath("org"))
}

func TestAttribute(t *testing.T) {
	p := Principal{"acme", "search", "web", "ann", "prod", "ci-bot"}
	for name, want := range map[string]string{Organisation: "acme", Team: "search", Application: "web",
		User: "ann", Environment: "prod", Key: "ci-bot"} {
		got, ok := p.Attribute(name)
		require.True(t, ok)
		require.Equal(t, want, got)
		_, ok = new(Principal).Attribute(name)
		require.False(t, ok)
	}
	_, ok := p.Attribute("colour")
	require.False(t, ok)
}

func TestNewKey(t *testing.T) {
	presented, hash, err := NewKey(strings.NewReader(strings.Repeat("\x00", 32)), "a")
	require.NoError(t, err)
	require.Equal(t, "a."+strings.Repeat("A", 43), presented)
	require.Equal(t, "sha256:0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a", hash)

	_, _, err = NewKey(strings.NewReader("too short"), "a")
	require.Error(t, err)
	broken := errors.New("no randomness")
	_, _, err = NewKey(iotest.ErrReader(broken), "a")
	require.ErrorIs(t, err, broken)
	for _, id := range []string{"", "a.b", "a b", "ä", strings.Repeat("a", 129)} {
		_, _, err = NewKey(rand.Reader, id)
		require.ErrorIs(t, err, ErrKeyID, id)
	}
}

func TestIdentifyAllocatesNothing(t *testing.T) {
	key, hash := makeKey(t, "ci-bot")
	r := build(t, &Config{Keys: []config.Named[KeyConfig]{named("ci-bot", hash)}})
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := r.Identify(Presented{Token: key, Now: noon}); err != nil {
			t.Fatal(err)
		}
	}))
}

func FuzzIdentify(f *testing.F) {
	key, hash := makeKey(f, "ci-bot")
	r := build(f, &Config{Keys: []config.Named[KeyConfig]{named("ci-bot", hash)},
		JWT: &JWTConfig{Payload: "corp", Claims: Attributes{User: "sub", Team: "team"}, Optional: []string{Team}}})
	for _, token := range []string{key, "", ".", "a.b.c", "ci-bot", "ci-bot.", key + ".", key[:20]} {
		f.Add(token, "ann", "search")
	}
	f.Fuzz(func(t *testing.T, token, user, team string) {
		who, err := r.Identify(Presented{Token: token, Claim: claims("sub", user, "team", team), Now: noon})
		switch {
		case err != nil:
			require.Zero(t, who)
			require.Equal(t, 401, err.Status)
			require.Less(t, len(err.Error()), 200)
		case token == key:
			require.Equal(t, "ci-bot", who.Key)
		default: // only claims remain
			require.Empty(t, who.Key)
			require.True(t, token == "" || isJWT(token))
			require.Equal(t, user, who.User)
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		c := &Config{}
		var key string
		for i := range n {
			presented, hash := makeKey(b, fmt.Sprintf("key-%05d", i))
			c.Keys = append(c.Keys, named(fmt.Sprintf("key-%05d", i), hash))
			key = presented
		}
		r := build(b, c)
		_, secret, _ := strings.Cut(key, ".")
		for name, token := range map[string]string{"right": key, "unknown": "key-unknown." + secret} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _ = r.Identify(Presented{Token: token, Now: noon})
				}
			})
		}
	}
}
