package credential

import (
	"strings"
	"time"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/wire/percent"
)

// Exchange is a request for a token.
type Exchange struct {
	Cluster string
	Headers [][2]string
	Body    []byte
	Timeout time.Duration
}

// endpoint is where an exchange goes.
type endpoint struct {
	cluster string
	at      config.URL
	timeout time.Duration
}

// endpoint is that of a checked URL.
func (a *Auth) endpoint(url string) endpoint {
	e := endpoint{cluster: a.Cluster, timeout: a.Timeout}
	e.at, _ = config.ParseURL(url)
	if e.cluster == "" {
		host, port := e.at.Address()
		e.cluster = "credential/" + host + ":" + port
	}
	return e
}

// get asks for what is there.
func (e *endpoint) get(more ...[2]string) *Exchange { return e.exchange("GET", nil, more) }

// post sends a form.
func (e *endpoint) post(form []byte) *Exchange {
	return e.exchange("POST", form, [][2]string{{"content-type", "application/x-www-form-urlencoded"}})
}

func (e *endpoint) exchange(method string, body []byte, more [][2]string) *Exchange {
	scheme, path := "http", e.at.Path
	if e.at.Secure {
		scheme = "https"
	}
	if path == "" {
		path = "/"
	}
	headers := [][2]string{{":method", method}, {":scheme", scheme}, {":authority", e.at.Host}, {":path", path},
		{"accept", "application/json"}, {"user-agent", "postern"}}
	return &Exchange{Cluster: e.cluster, Headers: append(headers, more...), Body: body, Timeout: e.timeout}
}

// form writes the pairs of a form.
func form(pairs ...string) (dst []byte) {
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(append(dst, pairs[i]...), '=')
		dst = percent.Append(dst, pairs[i+1])
	}
	return dst
}

// reader reads an endpoint's answer; lifetime is that of what does not say when
// it expires.
type reader func(body []byte, now time.Time, lifetime time.Duration) (g grant, problem string)

// fetch makes the tokens of an endpoint, and has the source renew them.
func (s *Source) fetch(a *Auth, read reader, ask func(now time.Time) (*Exchange, error)) *tokens {
	t := &tokens{out: s.out, name: "provider " + s.provider + ": credential", timeout: a.Timeout, ask: ask,
		read: func(body []byte, now time.Time) (grant, string) { return read(body, now, a.Lifetime) }}
	s.tokens = append(s.tokens, t)
	return t
}

// callout makes the tokens of a secret endpoint.
func (s *Source) callout(url string, a *Auth) *tokens {
	at := a.endpoint(url)
	return s.fetch(a, readKey, func(time.Time) (*Exchange, error) { return at.get(), nil })
}

// url is the endpoint of a tenant.
func (e *EntraConfig) url() string {
	return strings.TrimRight(e.Authority, "/") + "/" + e.Tenant + "/oauth2/v2.0/token"
}

// entra asks as an application by its secret (RFC 6749, section 4.4).
func (s *Source) entra(a *Auth) error {
	e := a.Entra
	secret, err := s.secret(e.ClientSecret)
	if err != nil {
		return err
	}
	at := a.endpoint(e.url())
	s.bearer(s.fetch(a, readToken, func(time.Time) (*Exchange, error) {
		return at.post(form("grant_type", "client_credentials", "client_id", e.ClientID,
			"client_secret", secret.Reveal(), "scope", e.Scope)), nil
	}))
	return nil
}
