package credential

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/llm"
)

// What is asked of each kind of endpoint, and what comes of the answer.
func TestExchanges(t *testing.T) {
	env := map[string]string{"FILE": keyFile(nil), "KEY": "s&cret=1"}
	oauth := `{"token_type":"Bearer","access_token":"ya29.token","expires_in":3599}`
	asBearer := [][2]string{{"authorization", "Bearer ya29.token"}}
	tests := []struct {
		name, text, cluster, method, at, answer string
		headers                                 [][2]string
		form                                    url.Values // but for the assertion
		want                                    [][2]string
	}{
		{"metadata", `{"auth": {"gcp": {}}}`, "credential/metadata.google.internal:80", "GET",
			"http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token", oauth,
			[][2]string{{"metadata-flavor", "Google"}}, nil, asBearer},
		{"an identity", `{"auth": {"gcp": {"audience": "https://llm-abc.a.run.app"}}}`, "credential/metadata.google.internal:80", "GET",
			"http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity?audience=https%3A%2F%2Fllm-abc.a.run.app", "ey.a.b",
			[][2]string{{"metadata-flavor", "Google"}}, nil, [][2]string{{"authorization", "Bearer ey.a.b"}}},
		{"service account", `{"auth": {"gcp": {"service_account": "env:FILE", "token_url": "https://sts.test/token"}, "cluster": "sts"}}`, "sts", "POST",
			"https://sts.test/token", oauth, nil, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}}, asBearer},
		{"entra", `{"auth": {"entra": {"tenant": "contoso.com", "client_id": "app 1", "client_secret": "env:KEY", "authority": "https://login.test/"}}}`,
			"credential/login.test:443", "POST", "https://login.test/contoso.com/oauth2/v2.0/token", oauth, nil,
			url.Values{"grant_type": {"client_credentials"}, "client_id": {"app 1"}, "client_secret": {"s&cret=1"}, "scope": {"https://cognitiveservices.azure.com/.default"}}, asBearer},
		{"a secret endpoint", `{"credentials": ["callout:http://127.0.0.1:8200"], "auth": {"key": {"header": "api-key"}}}`,
			"credential/127.0.0.1:8200", "GET", "http://127.0.0.1:8200/", "the-key\n", nil, nil, [][2]string{{"api-key", "the-key"}}},
		{"a secret endpoint with JSON", `{"credentials": ["callout:http://127.0.0.1:8200/a"]}`,
			"credential/127.0.0.1:8200", "GET", "http://127.0.0.1:8200/a", ` {"key": "the-key", "expires_in": "60"}`, nil, nil, [][2]string{{"authorization", "Bearer the-key"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(env)
			s := source(t, w, tt.text)
			require.True(t, s.Waits())
			goesOn := 0
			require.False(t, ready(s, &goesOn))
			require.Len(t, w.calls, 1)
			x := w.calls[0]
			require.Equal(t, tt.cluster, x.Cluster)
			require.Equal(t, tt.method, x.header(":method"))
			require.Equal(t, tt.at, x.header(":scheme")+"://"+x.header(":authority")+x.header(":path"))
			require.Equal(t, 5*time.Second, x.Timeout)
			for _, h := range tt.headers {
				require.Equal(t, h[1], x.header(h[0]))
			}
			requireForm(t, x, tt.form, w.now)
			w.answer(t, 200, tt.answer)
			require.Equal(t, 1, goesOn)
			got, failed := s.Headers(nil, w.attempt())
			require.Nil(t, failed)
			require.Equal(t, tt.want, got)
		})
	}
}

func requireForm(t *testing.T, x *call, want url.Values, now time.Time) {
	t.Helper()
	if want == nil {
		require.Empty(t, x.Body)
		return
	}
	require.Equal(t, "application/x-www-form-urlencoded", x.header("content-type"))
	got, err := url.ParseQuery(string(x.Body))
	require.NoError(t, err)
	if assertion := got.Get("assertion"); assertion != "" {
		requireAssertion(t, assertion, now)
		got.Del("assertion")
	}
	require.Equal(t, want, got)
}

// requireAssertion verifies a JWT as Google does.
func requireAssertion(t *testing.T, jwt string, now time.Time) {
	t.Helper()
	parts := strings.Split(jwt, ".")
	require.Len(t, parts, 3)
	var decoded [3][]byte
	for i, p := range parts {
		var err error
		decoded[i], err = base64.RawURLEncoding.DecodeString(p)
		require.NoError(t, err)
	}
	var header, claims map[string]any
	require.NoError(t, json.Unmarshal(decoded[0], &header))
	require.NoError(t, json.Unmarshal(decoded[1], &claims))
	require.Equal(t, map[string]any{"alg": "RS256", "typ": "JWT", "kid": `key"1`}, header)
	require.Equal(t, map[string]any{"iss": "a@x.iam.gserviceaccount.com", "scope": "https://www.googleapis.com/auth/cloud-platform",
		"aud": "https://sts.test/token", "iat": float64(now.Unix()), "exp": float64(now.Unix() + 3600)}, claims)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	require.NoError(t, rsa.VerifyPKCS1v15(&rsaKey().PublicKey, crypto.SHA256, sum[:], decoded[2]))
}

func TestAnswers(t *testing.T) {
	now := newWorld(nil).now
	const lifetime = 5 * time.Minute
	tests := []struct {
		name, body string
		lives      time.Duration
		problem    string
	}{
		{"usual", `{"access_token":"a","expires_in":3599,"token_type":"Bearer"}`, 3599 * time.Second, ""},
		{"a lifetime in quotes", `{"access_token":"a","expires_in":"60"}`, time.Minute, ""},
		{"no lifetime", `{"access_token":"a","token_type":"bearer"}`, lifetime, ""},
		{"a lifetime without end", `{"access_token":"a","expires_in":9223372036854775807}`, maxLifetime, ""},
		{"members that nobody knows", `{"a":{"b":[1]},"access_token":"a","id_token":"b"}`, lifetime, ""},
		{"no JSON", `<html>`, 0, "is no JSON object"},
		{"nothing", ``, 0, "is no JSON object"},
		{"cut", `{"access_token":"a"`, 0, "is no JSON object"},
		{"twice", `{"access_token":"a","access_token":"b"}`, 0, "is no JSON object"},
		{"too long", `{"access_token":"` + strings.Repeat("a", maxAnswer) + `"}`, 0, "is no JSON object"},
		{"no token", `{"expires_in":1}`, 0, "holds no token that can be sent"},
		{"an empty token", `{"access_token":""}`, 0, "holds no token that can be sent"},
		{"a token that is a number", `{"access_token":1}`, 0, "holds no token that can be sent"},
		{"a token that breaks out", `{"access_token":"a\r\nx: y"}`, 0, "holds no token that can be sent"},
		{"a token that does not live", `{"access_token":"a","expires_in":0}`, 0, "does not say how long the token lives"},
		{"a lifetime of words", `{"access_token":"a","expires_in":"soon"}`, 0, "does not say how long the token lives"},
		{"another kind", `{"access_token":"a","token_type":"mac"}`, 0, "holds another kind of token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, problem := readToken([]byte(tt.body), now, lifetime)
			require.Equal(t, tt.problem, problem)
			if problem == "" {
				require.Equal(t, "a", g.secret.Reveal())
				require.Equal(t, now.Add(tt.lives), g.expires)
				return
			}
			require.Equal(t, grant{}, g)
		})
	}
	for body, want := range map[string]string{" key \n": "key", `{"key":"key"}`: "key", `{"key":"a","access_token":"key"}`: "key", "": "", "two words": "", "{": "",
		strings.Repeat("a", maxKey+1): ""} {
		g, problem := readKey([]byte(body), now, lifetime)
		require.Equal(t, want, g.secret.Reveal())
		require.Equal(t, want == "", problem != "")
	}
}

func TestAWSAnswers(t *testing.T) {
	now := newWorld(nil).now
	for body, want := range map[string]string{
		`{"RoleArn":"r","AccessKeyId":"AKID","SecretAccessKey":"s","Token":"t","Expiration":"2026-05-04T09:02:01Z"}`: "",
		`{"AccessKeyId":"AKID","SecretAccessKey":"s"}`:                                                               "",
		`{"AccessKeyId":"AKID","SecretAccessKey":"s","Expiration":"2026-05-04T03:02:01Z"}`:                           "holds keys that have expired",
		`{"AccessKeyId":"AKID","SecretAccessKey":"s","Expiration":"tomorrow"}`:                                       "holds keys that have expired",
		`{"SecretAccessKey":"s"}`:                                     "holds no keys for AWS",
		`{"AccessKeyId":"AKID"}`:                                      "holds no keys for AWS",
		`{"AccessKeyId":"AKID","SecretAccessKey":"s","Token":"a\nb"}`: "holds no keys for AWS",
		`[]`: "is no JSON object",
	} {
		g, problem := readAWS([]byte(body), now, time.Minute)
		require.Equal(t, want, problem, body)
		require.Equal(t, want == "", g.id == "AKID", body)
	}
	g, _ := readAWS([]byte(`{"AccessKeyId":"AKID","SecretAccessKey":"s","Token":"t","Expiration":"2026-05-04T09:02:01Z"}`), now, time.Minute)
	require.Equal(t, []string{"s", "t"}, []string{g.secret.Reveal(), g.session.Reveal()})
	require.Equal(t, now.Add(6*time.Hour), g.expires)
}

func TestReasons(t *testing.T) {
	for body, want := range map[string]string{`{"error":"invalid_client"}`: " invalid_client", `{"error":"Bad secret ` + planted + `"}`: "",
		`{"error":{"message":"x"}}`: "", `{"error":"` + strings.Repeat("a", 41) + `"}`: "", "": ""} {
		require.Equal(t, want, reason([]byte(body)))
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"access_token":"a","expires_in":3599,"token_type":"Bearer"}`))
	f.Add([]byte(`{"AccessKeyId":"AKID","SecretAccessKey":"s","Token":"t","Expiration":"2026-05-04T09:02:01Z"}`))
	f.Add([]byte("plain"))
	f.Fuzz(func(t *testing.T, body []byte) {
		now := newWorld(nil).now
		for _, read := range []reader{readToken, readKey, readAWS} {
			g, problem := read(body, now, time.Minute)
			if problem != "" {
				require.Equal(t, grant{}, g)
				continue
			}
			require.Empty(t, judge(g.secret.Reveal()))
			require.True(t, now.Before(g.expires))
		}
		require.False(t, strings.ContainsAny(reason(body), "\r\n\""))
	})
}

// An AWS request is signed with what the endpoint gave, and with the body's
// digest.
func TestSigning(t *testing.T) {
	w := newWorld(map[string]string{"ID": "AKID", "KEY": "secret", "TOKEN": "session"})
	fixed := source(t, w, `{"auth": {"aws": {"region": "eu-central-1", "access_key": "env:ID", "secret_key": "env:KEY", "session_token": "env:TOKEN"}}}`)
	renewed := source(t, w, `{"auth": {"aws": {"region": "eu-central-1", "container": "callout:http://127.0.0.1:1/x"}}}`)
	require.True(t, fixed.Signs())
	require.True(t, renewed.Signs())
	require.False(t, ready(renewed, new(int)))
	w.answer(t, 200, `{"AccessKeyId":"AKID","SecretAccessKey":"secret","Token":"session"}`)
	a := w.attempt()
	want, failed := fixed.Headers(nil, a)
	require.Nil(t, failed)
	require.Equal(t, [][2]string{{"x-amz-date", "20260504T030201Z"}, {"x-amz-security-token", "session"}}, want[:2])
	require.Regexp(t, "^AWS4-HMAC-SHA256 Credential=AKID/20260504/eu-central-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$", want[2][1])
	got, failed := renewed.Headers(nil, a)
	require.Nil(t, failed)
	require.Equal(t, want, got)
	a.Sum[0]++
	got, _ = fixed.Headers(nil, a)
	require.NotEqual(t, want[2], got[2])

	w.now = w.now.Add(time.Hour)
	_, failed = renewed.Headers(nil, w.attempt())
	require.Equal(t, "credential_unavailable", failed.Code)
	renewed.Refused(0, &llm.Error{Class: llm.AuthError}, w.now)
}

// tokenModel is what tokens must do, told by the clock alone.
type tokenModel struct {
	w       *world
	s       *Source
	waiting map[int]bool // requests by number
	next    int
	came    map[int]bool

	expires  time.Time // of what is held
	failures int
	pause    time.Time // no exchange before
}

func (m *tokenModel) tokens() *tokens { return m.s.tokens[0] }

// request comes: it is served, told at once, or waits.
func (m *tokenModel) request(t *rapid.T) {
	n := m.next
	m.next++
	running := len(m.w.calls) > 0
	valid := m.w.now.Before(m.expires)
	at := m.s.Ready(&Client{}, func() { m.came[n] = true })
	switch {
	case valid || m.failures > 0:
		require.True(t, at, "nobody waits for what is there, or while it fails")
	case m.w.refuse && !running:
		require.True(t, at)
		m.failed()
	default:
		require.False(t, at)
		m.waiting[n] = true
	}
	if !valid && m.failures > 0 && !running && !m.w.now.Before(m.pause) {
		if m.w.refuse {
			m.failed()
		} else {
			require.Len(t, m.w.calls, 1, "one of those that are told begins the next exchange")
		}
	}
	require.LessOrEqual(t, len(m.w.calls), 1, "single flight")
}

func (m *tokenModel) failed() {
	pause := min(firstPause<<min(m.failures, 10), maxPause)
	m.failures++
	m.pause = m.w.now.Add(pause)
}

// ended is called when an exchange has come to its end: everybody goes on.
func (m *tokenModel) ended(t *rapid.T) {
	for n := range m.waiting {
		require.True(t, m.came[n], "request %d hangs", n)
	}
	m.waiting = map[int]bool{}
}

func (m *tokenModel) check(t *rapid.T) {
	e := m.s.Check(&Client{})
	if m.w.now.Before(m.expires) {
		require.Nil(t, e)
		return
	}
	require.NotNil(t, e)
	require.Equal(t, "credential_unavailable", e.Code)
	require.Positive(t, e.After)
}

// The life of a token under any order of requests, answers, failures, silence
// and time.
func TestTokenModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(nil)
		m := &tokenModel{w: w, s: source(t, w, `{"auth": {"gcp": {}}}`), waiting: map[int]bool{}, came: map[int]bool{}}
		var late []*call
		t.Repeat(map[string]func(*rapid.T){
			"request": m.request,
			"answer": func(t *rapid.T) {
				if len(w.calls) == 0 {
					return
				}
				if rapid.Bool().Draw(t, "good") {
					lives := rapid.SampledFrom([]int{5, 60, 299, 3600}).Draw(t, "lives")
					body, _ := json.Marshal(map[string]any{"access_token": "t", "expires_in": lives})
					w.answer(t, 200, string(body))
					m.expires, m.failures, m.pause = w.now.Add(time.Duration(lives)*time.Second), 0, time.Time{}
				} else {
					w.answer(t, rapid.SampledFrom([]int{0, 200, 400, 503}).Draw(t, "status"), "{")
					m.failed()
				}
				m.ended(t)
			},
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 600_000).Draw(t, "ms")) * time.Millisecond)
			},
			"refuse": func(t *rapid.T) { w.refuse = rapid.Bool().Draw(t, "refuse") },
			"late": func(t *rapid.T) {
				for _, c := range late {
					c.done(200, []byte(`{"access_token":"late"}`))
				}
			},
			"tick": func(t *rapid.T) {
				serving := rapid.Bool().Draw(t, "serving")
				began := m.tokens().began
				running := len(w.calls)
				m.s.Tick(w.now, serving)
				if running > 0 && w.now.Sub(began) > 6*time.Second {
					late, w.calls = append(late, w.calls[0]), slices.Delete(w.calls, 0, 1)
					m.failed()
					m.ended(t)
					running = 0
				}
				ahead := m.tokens().renew
				due := running == 0 && serving && !w.now.Before(m.pause) && !w.now.Before(ahead)
				if due && w.refuse {
					m.failed()
					due = false
				}
				require.Equal(t, running > 0 || due, len(w.calls) > 0, "the tick renews ahead of time, and not while it pauses")
				if !m.expires.IsZero() {
					require.True(t, ahead.Before(m.expires) && m.expires.Sub(ahead) <= maxAhead)
				}
			},
			"": m.check,
		})
	})
}

// One request's panic does not keep the others waiting.
func TestPanicOfOne(t *testing.T) {
	w := newWorld(nil)
	s := source(t, w, `{"auth": {"gcp": {}}}`)
	came := 0
	s.Ready(&Client{}, func() { panic("one") })
	ready(s, &came)
	require.Panics(t, func() { w.answer(t, 200, fullAnswer) })
	require.Zero(t, came)
	s.Tick(w.now, true)
	require.Equal(t, 1, came)
}

// Of several keys, one that is there serves, whatever the others do; a request
// waits only when none is, and then until the first that comes.
func TestSeveral(t *testing.T) {
	w := newWorld(map[string]string{"A": "a"})
	s := source(t, w, `{"credentials": ["callout:http://127.0.0.1:1/x", "env:A"]}`)
	require.True(t, ready(s, new(int)))
	require.Empty(t, w.calls)
	s.Tick(w.now, true)
	require.Len(t, w.calls, 1)

	s = source(t, w, `{"credentials": ["callout:http://127.0.0.1:1/x", "callout:http://127.0.0.1:1/y"]}`)
	w.calls = nil
	s.Tick(w.now, true)
	require.Len(t, w.calls, 2)
	came := 0
	require.False(t, ready(s, &came))
	w.answer(t, 500, "")
	require.Zero(t, came, "there is another to wait for")
	w.answer(t, 200, "key")
	require.Equal(t, 1, came)
	require.Nil(t, s.Check(&Client{}))
}

// A provider that refuses a token has it renewed, but not over and over.
func TestDoubt(t *testing.T) {
	w := newWorld(nil)
	s := source(t, w, `{"auth": {"gcp": {}}}`)
	ready(s, new(int))
	w.answer(t, 200, fullAnswer)
	refused := func() int {
		a := w.attempt()
		_, failed := s.Headers(nil, a)
		require.Nil(t, failed)
		s.Refused(a.Slot, &llm.Error{Class: llm.AuthError}, w.now)
		s.Tick(w.now, true)
		return len(w.calls)
	}
	require.Zero(t, refused(), "it is new")
	w.now = w.now.Add(2 * time.Minute)
	require.Equal(t, 1, refused())
	w.answer(t, 200, fullAnswer)
	require.Zero(t, refused())
}

func TestBYOK(t *testing.T) {
	who := principal{"team": "research", "user": "ann"}
	tests := []struct {
		name, text, own, want, code string
	}{
		{"brought", `{"auth": {"byok": {}}}`, "p=own", "Bearer own", ""},
		{"among others", `{"auth": {"byok": {}}}`, "o=other, p = own=1 ,q=x", "Bearer own=1", ""},
		{"as the provider wants it", `{"auth": {"byok": {}, "key": {"header": "api-key"}}}`, "p=own", "own", ""},
		{"instead of the platform's", `{"credentials": ["env:A"], "auth": {"byok": {}}}`, "p=own", "Bearer own", ""},
		{"not brought", `{"credentials": ["env:A"], "auth": {"byok": {}}}`, "o=own", "Bearer a", ""},
		{"required", `{"auth": {"byok": {}}}`, "o=own", "", "own_key_required"},
		{"not to this provider", `{"credentials": ["env:A"]}`, "p=own", "", "own_key_refused"},
		{"not where the host does it", `{"credentials": ["host"]}`, "p=own", "", "own_key_refused"},
		{"by whom it may", `{"auth": {"byok": {"principals": {"team": "research", "user": "ann"}}}}`, "p=own", "Bearer own", ""},
		{"by whom it may not", `{"auth": {"byok": {"principals": {"team": "research", "user": "bob"}}}}`, "p=own", "", "own_key_refused"},
		{"by nobody known", `{"auth": {"byok": {"principals": {"key": "k"}}}}`, "p=own", "", "own_key_refused"},
		{"not a key", `{"auth": {"byok": {}}}`, "p=a b", "", "own_key_invalid"},
		{"empty", `{"credentials": ["env:A"], "auth": {"byok": {}}}`, "p=", "", "own_key_invalid"},
		{"no name", `{"credentials": ["env:A"], "auth": {"byok": {}}}`, "p", "Bearer a", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(map[string]string{"A": "a"})
			s := source(t, w, tt.text)
			a := w.attempt()
			a.Client = Client{Own: tt.own, Who: who}
			e := s.Check(&a.Client)
			got, failed := s.Headers(nil, a)
			require.Equal(t, e, failed)
			if tt.code != "" {
				require.Equal(t, tt.code, e.Code)
				require.Empty(t, got)
				return
			}
			require.Nil(t, e)
			require.Equal(t, tt.want, got[0][1])
			s.Refused(a.Slot, &llm.Error{Class: llm.AuthError}, w.now)
			again, _ := s.Headers(nil, w.attempt())
			require.Equal(t, tt.own != "" && strings.Contains(tt.text, `env:A`), len(again) > 0, "a brought key is not the next request's")
		})
	}
	w := newWorld(nil)
	s := source(t, w, `{"credentials": ["callout:http://127.0.0.1:1/x"], "auth": {"byok": {}}}`)
	require.True(t, s.Ready(&Client{Own: "p=own", Who: who}, nil), "nobody waits for the platform's key who has one")
}

type principal map[string]string

func (p principal) Attribute(name string) (string, bool) { v, ok := p[name]; return v, ok }
