package credential

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

// planted is a key whose text must turn up nowhere.
const planted = "sk-CANARY-0123456789"

// world is a proxy: a clock, an environment, and exchanges that a test answers.
type world struct {
	now    time.Time
	env    func(string) string // not a map, which printing would show
	calls  []*call
	told   []string
	refuse bool
}

type call struct {
	*Exchange
	done func(status int, body []byte)
}

func newWorld(env map[string]string) *world {
	return &world{now: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), env: func(name string) string { return env[name] }}
}

func (w *world) Now() time.Time         { return w.now }
func (w *world) Env(name string) string { return w.env(name) }
func (w *world) Tell(line string)       { w.told = append(w.told, line) }
func (w *world) Call(x *Exchange, done func(int, []byte)) error {
	if w.refuse {
		return errors.New("bad argument")
	}
	w.calls = append(w.calls, &call{x, done})
	return nil
}

// answer answers the oldest exchange.
func (w *world) answer(t require.TestingT, status int, body string) {
	require.NotEmpty(t, w.calls, "nothing is asked")
	c := w.calls[0]
	w.calls = w.calls[1:]
	c.done(status, []byte(body))
}

func (c *call) header(name string) string {
	for _, h := range c.Headers {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// parse reads a provider's part of a configuration.
func parse(t require.TestingT, text string) *Config {
	n, errs := config.ParseJSON([]byte(text))
	require.NoError(t, errs.Err())
	c := &Config{}
	require.NoError(t, config.Decode(n, Fields(c)).Err())
	return c
}

// source makes the source of a provider called "p".
func source(t require.TestingT, w *world, text string) *Source {
	s, err := New("p", parse(t, text), w)
	require.NoError(t, err)
	return s
}

func bearer(key string) (string, string) { return "authorization", "Bearer " + key }

// attempt is a request at the world's time.
func (w *world) attempt() *Attempt {
	return &Attempt{Method: "POST", Host: "api.test", Path: "/v1/chat?x=1", Now: w.now, Key: bearer}
}

// ready reports whether a request need not wait, and counts when it goes on.
func ready(s *Source, goesOn *int) bool {
	return s.Ready(&Client{}, func() { *goesOn++ })
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// keyFile is that of a service account.
func keyFile(change func(map[string]string)) string {
	der, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	if err != nil {
		panic(err)
	}
	m := map[string]string{"type": "service_account", "project_id": "x", "private_key_id": `key"1`, "client_email": "a@x.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "https://elsewhere.test/token"}
	if change != nil {
		change(m)
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func requireHidden(t require.TestingT, secrets []string, texts ...string) {
	for _, text := range texts {
		for _, s := range secrets {
			require.False(t, strings.Contains(text, s), "%q is shown in %q", s, text)
		}
	}
}
