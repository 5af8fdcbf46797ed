package credential

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

func TestReferences(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"env", `["env:OPENAI_API_KEY", "env:_b2"]`, ""},
		{"host", `["host"]`, ""},
		{"none", `[]`, ""},
		{"callout", `["callout:http://127.0.0.1:8200/v1/openai", "env:A"]`, ""},
		{"the key itself", `["env:A", "` + planted + `"]`, "credential 2 is not a reference"},
		{"the key behind env", `["env:` + planted + `"]`, "credential 1 is not a reference"},
		{"the key behind callout", `["callout:` + planted + `"]`, "credential 1 is not a reference"},
		{"the key in a URL", `["callout:http://` + planted + `@vault/a"]`, "credential 1 is not a reference"},
		{"no name", `["env:"]`, "credential 1 is not a reference"},
		{"a digit first", `["env:1A"]`, "credential 1 is not a reference"},
		{"too long a name", `["env:` + strings.Repeat("A", 129) + `"]`, "credential 1 is not a reference"},
		{"host and a key", `["host", "env:A"]`, "`host` stands alone"},
		{"a file", `["file:/etc/key"]`, "credential 1 is not a reference"},
		{"too many", `[` + strings.Repeat(`"env:A", `, 16) + `"env:A"]`, "has 17 entries"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Config
			errs := decode(t, `{"credentials": `+tt.text+`}`, &c)
			if tt.want == "" {
				require.NoError(t, errs.Err())
				return
			}
			require.ErrorContains(t, errs, "/credentials: "+tt.want)
			require.NotContains(t, errs.Error(), planted)
			if _, err := New("openai", &Config{Credentials: c.Credentials}, newWorld(nil)); len(c.Credentials) > 0 {
				require.Error(t, err)
			}
		})
	}
}

func decode(t *testing.T, text string, c *Config) config.Errors {
	t.Helper()
	n, errs := config.ParseJSON([]byte(text))
	require.NoError(t, errs.Err())
	return config.Decode(n, Fields(c))
}

func TestConfig(t *testing.T) {
	const aws = `"access_key": "env:A", "secret_key": "env:B"`
	tests := []struct{ name, text, want string }{
		{"two kinds", `{"auth": {"gcp": {}, "entra": {"tenant": "t", "client_id": "c", "client_secret": "env:A"}}}`, "/auth/entra: a provider has one way to authenticate, and it has gcp already"},
		{"keys and a kind", `{"credentials": ["env:A"], "auth": {"gcp": {}}}`, "/credentials: keys beside auth.gcp are never used"},
		{"byok and a kind", `{"auth": {"gcp": {}, "byok": {}}}`, "/auth/byok: only keys can be brought"},
		{"byok and host", `{"credentials": ["host"], "auth": {"byok": {}}}`, "/auth/byok: only keys can be brought"},
		{"byok for a stranger", `{"auth": {"byok": {"principals": {"teem": "a"}}}}`, `"teem" is not an attribute`},
		{"byok for nobody", `{"auth": {"byok": {"principals": {"team": ""}}}}`, `"team" is not an attribute`},
		{"a way without a key", `{"auth": {"key": {"header": "a"}}}`, "/auth/key: there is no key"},
		{"two ways", `{"credentials": ["env:A"], "auth": {"key": {"header": "a", "query": "b"}}}`, "/auth/key: a key travels in a header or in the query"},
		{"no way", `{"credentials": ["env:A"], "auth": {"key": {}}}`, "/auth/key: neither a header nor"},
		{"a prefix of nothing", `{"credentials": ["env:A"], "auth": {"key": {"prefix": "Key "}}}`, "/auth/key: neither a header nor"},
		{"the host's query", `{"credentials": ["host"], "auth": {"key": {"query": "key"}}}`, "/auth/key: the host's injector sets headers only"},
		{"a header of HTTP", `{"credentials": ["env:A"], "auth": {"key": {"header": "content-length"}}}`, "/auth/key/header: this header has a meaning"},
		{"no header", `{"credentials": ["env:A"], "auth": {"key": {"header": "X-Key"}}}`, "/auth/key/header: not a header's name"},
		{"a header in a prefix", `{"credentials": ["env:A"], "auth": {"key": {"header": "a", "prefix": "x\r\ny"}}}`, "/auth/key/prefix: has a character"},
		{"nothing to sign with", `{"auth": {"aws": {"region": "r"}}}`, "/auth/aws: there is nothing to sign with"},
		{"half a key", `{"auth": {"aws": {"region": "r", "access_key": "env:A"}}}`, "/auth/aws: there is nothing to sign with"},
		{"two origins", `{"auth": {"aws": {"region": "r", ` + aws + `, "container": "callout:http://127.0.0.1/a"}}}`, "/auth/aws: keys come from the environment or from"},
		{"the host and keys", `{"credentials": ["host"], "auth": {"aws": {"region": "r", ` + aws + `}}}`, "/auth/aws: the host signs"},
		{"no region", `{"auth": {"aws": {` + aws + `}}}`, "/auth/aws/region"},
		{"an inline secret", `{"auth": {"aws": {"region": "r", "access_key": "env:A", "secret_key": "` + planted + `"}}}`, "/auth/aws/secret_key"},
		{"an inline endpoint", `{"auth": {"aws": {"region": "r", "container": "http://127.0.0.1"}}}`, "/auth/aws/container: not a reference"},
		{"the host at Google", `{"credentials": ["host"], "auth": {"gcp": {}}}`, "/auth/gcp: no filter of the host"},
		{"an identity of a key file", `{"auth": {"gcp": {"audience": "https://a.test", "service_account": "env:A"}}}`, "/auth/gcp/audience: identity tokens come from"},
		{"a scope that breaks out", `{"auth": {"gcp": {"scope": "a\",\"b\":\""}}}`, "/auth/gcp/scope: has a character"},
		{"the host at Entra", `{"credentials": ["host"], "auth": {"entra": {"tenant": "t", "client_id": "c", "client_secret": "env:A"}}}`, "/auth/entra: no filter of the host"},
		{"a tenant that breaks out", `{"auth": {"entra": {"tenant": "a?b", "client_id": "c", "client_secret": "env:A"}}}`, "/auth/entra/tenant"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			errs := decode(t, tt.text, &Config{})
			require.ErrorContains(t, errs, tt.want)
			require.NotContains(t, errs.Error(), planted)
		})
	}
	for name, text := range everyKind {
		require.NoError(t, decode(t, text, &Config{}).Err(), name)
	}
	for _, text := range []string{`{"credentials": ["host"], "auth": {"aws": {"region": "r"}}}`,
		`{"auth": {"gcp": {"audience": "https://a.test"}}}`, `{"credentials": ["host"], "auth": {"key": {"header": "api-key"}}}`} {
		require.NoError(t, decode(t, text, &Config{}).Err(), text)
	}
	require.Empty(t, config.Verify(Fields(&Config{})))
}

// What the renderer needs to know: variables, and the endpoints that are asked.
func TestReach(t *testing.T) {
	type at struct{ cluster, host, port string }
	google := at{"credential/oauth2.googleapis.com:443", "oauth2.googleapis.com", "443"}
	tests := []struct {
		name, text string
		env        []string
		endpoints  []at
	}{
		{"keys", `{"credentials": ["env:A", "callout:http://127.0.0.1:1/x", "env:B"]}`, []string{"A", "B"}, []at{{"credential/127.0.0.1:1", "127.0.0.1", "1"}}},
		{"a cluster of one's own", `{"credentials": ["callout:https://[::1]/x"], "auth": {"cluster": "vault"}}`, nil, []at{{"vault", "::1", "443"}}},
		{"gcp", `{"auth": {"gcp": {"service_account": "env:F"}}}`, []string{"F"}, []at{google}},
		{"metadata", `{"auth": {"gcp": {}}}`, nil, []at{{"credential/metadata.google.internal:80", "metadata.google.internal", "80"}}},
		{"entra", `{"auth": {"entra": {"tenant": "t", "client_id": "c", "client_secret": "env:S"}}}`, []string{"S"}, []at{{"credential/login.microsoftonline.com:443", "login.microsoftonline.com", "443"}}},
		{"aws", `{"auth": {"aws": {"region": "r", "access_key": "env:A", "secret_key": "env:B", "session_token": "env:C"}}}`, []string{"A", "B", "C"}, nil},
		{"container", `{"auth": {"aws": {"region": "r", "container": "callout:http://169.254.170.2/v2"}}}`, nil, []at{{"credential/169.254.170.2:80", "169.254.170.2", "80"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, tt.text)
			require.Equal(t, tt.env, c.Variables())
			var got []at
			for _, e := range c.Endpoints() {
				host, port := e.URL.Address()
				got = append(got, at{e.Cluster, host, port})
			}
			require.Equal(t, tt.endpoints, got)
		})
	}
}
