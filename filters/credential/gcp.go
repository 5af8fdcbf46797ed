package credential

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/credential/rs256"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/percent"
)

const (
	metadataHost = "metadata.google.internal"
	metadataURL  = "http://" + metadataHost + "/computeMetadata/v1/instance/service-accounts/default/"
	googleURL    = "https://oauth2.googleapis.com/token"
	jwtBearer    = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	jwtLives     = time.Hour // the longest that Google takes
)

// url is where tokens come from.
func (g *GCPConfig) url() string {
	switch {
	case g.TokenURL != "":
		return g.TokenURL
	case g.Audience != "":
		return metadataURL + "identity"
	case g.ServiceAccount == "":
		return metadataURL + "token"
	}
	return googleURL
}

// gcp asks the metadata server, or signs as a service account.
func (s *Source) gcp(a *Auth) error {
	at := a.endpoint(a.GCP.url())
	if a.GCP.ServiceAccount == "" {
		read := readToken
		if a.GCP.Audience != "" {
			read = readKey // the token as it is
			at.at.Path += "?audience=" + string(percent.Append(nil, a.GCP.Audience))
		}
		s.bearer(s.fetch(a, read, func(time.Time) (*Exchange, error) {
			return at.get([2]string{"metadata-flavor", "Google"}), nil
		}))
		return nil
	}
	account, err := s.account(a.GCP)
	if err != nil {
		return err
	}
	s.bearer(s.fetch(a, readToken, func(now time.Time) (*Exchange, error) {
		assertion, err := account.assertion(now)
		if err != nil {
			return nil, err
		}
		return at.post(form("grant_type", jwtBearer, "assertion", assertion)), nil
	}))
	return nil
}

// account is a service account, ready to sign.
type account struct {
	header string // of its JWTs, encoded
	claims string // up to the times
	sign   func(message []byte) ([]byte, error)
}

var accountKeys = jsonx.NewKeys("client_email", "private_key", "private_key_id", "type")

// account reads the key file of a service account.
func (s *Source) account(g *GCPConfig) (*account, error) {
	name := strings.TrimPrefix(g.ServiceAccount, envPrefix)
	wrong := func(problem string) error { return &Error{Provider: s.provider, Variable: name, Problem: problem} }
	file := s.out.Env(name)
	if file == "" {
		return nil, wrong(notSet)
	}
	d, bad := jsonx.Scan([]byte(file), accountKeys, answerLimits)
	switch {
	case bad != nil:
		return nil, wrong("is not the JSON of a key file")
	case text(&d, 3) != "service_account" || text(&d, 0) == "":
		return nil, wrong("is not the key file of a service account")
	}
	key, err := rs256.Parse(text(&d, 1))
	if err != nil {
		return nil, wrong("has a private_key that cannot be used: " + err.Error())
	}
	header := append([]byte(`{"alg":"RS256","typ":"JWT","kid":`), jsonx.Quote(nil, text(&d, 2))...)
	claims := append([]byte(`{"iss":`), jsonx.Quote(nil, text(&d, 0))...)
	claims = append(claims, `,"scope":"`+g.Scope+`","aud":"`+g.url()+`","iat":`...)
	return &account{header: encode(append(header, '}')), claims: string(claims), sign: key.Sign}, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// assertion is a JWT (RFC 7523) that says who asks.
func (a *account) assertion(now time.Time) (string, error) {
	claims := strconv.AppendInt([]byte(a.claims), now.Unix(), 10)
	claims = strconv.AppendInt(append(claims, `,"exp":`...), now.Add(jwtLives).Unix(), 10)
	signed := a.header + "." + encode(append(claims, '}'))
	signature, err := a.sign([]byte(signed))
	return signed + "." + encode(signature), err
}
