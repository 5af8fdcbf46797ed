package identity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

func decode(t *testing.T, text string) (*Config, config.Errors) {
	t.Helper()
	n, errs := config.ParseJSON([]byte(text))
	require.NoError(t, errs.Err())
	c := &Config{}
	return c, config.Decode(n, Fields(c))
}

const zeroHash = "sha256:0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a"

func TestConfig(t *testing.T) {
	c, errs := decode(t, `{
		"keys": {"ci-bot": {"hash": "`+zeroHash+`", "team": "search", "expires": "2027-01-01T00:00:00Z"}},
		"jwt": {"payload": "corp", "claims": {"user": "sub", "team": "/realm/team"}, "optional": ["team"]},
		"anonymous": {"organisation": "acme"}}`)
	require.NoError(t, errs.Err())
	require.Equal(t, jwtAuthn, c.JWT.Namespace)
	require.Equal(t, "search", c.Keys[0].Value.Team)
	r := build(t, c)
	who, err := r.Identify(Presented{Token: "ci-bot." + strings.Repeat("A", 43), Now: noon})
	require.Nil(t, err)
	require.Equal(t, Principal{Team: "search", Key: "ci-bot"}, who)
}

func TestConfigErrors(t *testing.T) {
	secret := "sk-live-0123456789012345678901234567890123456789012345678901234567890"
	tests := []struct{ name, text, want string }{
		{"empty", `{}`, "nobody can be identified"},
		{"unknown key", `{"anonymous": {"organization": "a"}}`, `did you mean "organisation"?`},
		{"no hash", `{"keys": {"a": {}}}`, `/keys/a/hash: missing key "hash"`},
		{"secret in place of its hash", `{"keys": {"a": {"hash": "` + secret + `"}}}`, "/keys/a/hash: not the hash of a key"},
		{"hash with a wrong digit", `{"keys": {"a": {"hash": "sha256:` + strings.Repeat("g", 64) + `"}}}`, "/keys/a/hash: not the hash of a key"},
		{"dot in an id", `{"keys": {"a.b": {"hash": "` + zeroHash + `"}}}`, "/keys/a.b: a key's id must not have a dot"},
		{"two keys of an id", `{"keys": {"a": {"hash": "` + zeroHash + `"}, "a": {"hash": "` + zeroHash + `"}}}`, "/keys/a"},
		{"expiry", `{"keys": {"a": {"hash": "` + zeroHash + `", "expires": "tomorrow"}}}`, "/keys/a/expires: not a time"},
		{"empty attribute", `{"anonymous": {"team": ""}}`, "/anonymous/team: not a value"},
		{"line break in an attribute", `{"anonymous": {"team": "a\nb"}}`, "/anonymous/team: not a value"},
		{"no payload", `{"jwt": {"claims": {"user": "sub"}}}`, `missing key "payload"`},
		{"no claims", `{"jwt": {"payload": "corp", "claims": {}}}`, "no attribute has a claim"},
		{"empty claim", `{"jwt": {"payload": "corp", "claims": {"user": "/"}}}`, "/jwt/claims/user: not a claim"},
		{"unknown optional", `{"jwt": {"payload": "corp", "claims": {"user": "sub"}, "optional": ["usr"]}}`, `did you mean "user"?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, errs := config.ParseJSON([]byte(tt.text))
			if errs.Err() == nil {
				c := &Config{}
				errs = config.Decode(n, Fields(c))
			}
			require.ErrorContains(t, errs.Err(), tt.want)
			require.NotContains(t, errs.Error(), secret)
		})
	}
}

func TestNewChecksItself(t *testing.T) {
	for _, k := range []config.Named[KeyConfig]{
		named("a", "sha256:00"), named("a.b", zeroHash),
		named("a", zeroHash, func(k *KeyConfig) { k.Expires = "soon" }),
	} {
		_, err := New(&Config{Keys: []config.Named[KeyConfig]{k}})
		require.ErrorContains(t, err, "identity: key a")
	}
}

// Every field is described: the reference manual is made from the table.
func TestFieldsAreDescribed(t *testing.T) {
	var walk func(config.Schema)
	walk = func(s config.Schema) {
		for _, f := range s.Fields {
			require.NotEmpty(t, f.Doc, f.Name)
			walk(f)
		}
		if s.Items != nil {
			walk(*s.Items)
		}
	}
	walk(config.Describe(Fields(&Config{})))
}
