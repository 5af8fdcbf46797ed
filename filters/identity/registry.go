package identity

import (
	"crypto/subtle"
	"errors"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/sha256"
	"github.com/posterngw/postern/filters/wire/date"
)

// Presented is what a request shows of who sends it.
type Presented struct {
	// Token is the API key as the client's dialect carries it, without a
	// scheme; empty if there is none.
	Token string
	// Claim reads a claim that the host has verified, by the name that the
	// configuration gives it; see [Registry.ClaimPath]. Nil is without claims.
	Claim func(name string) (string, bool)
	// Now is when keys are compared with their expiry.
	Now time.Time
}

// Registry knows all principals of one configuration. It does not change.
type Registry struct {
	keys      map[string]*entry
	nobody    entry // what an unknown id is compared with
	claims    []claim
	anonymous *Principal
}

type entry struct {
	hash      [sha256.Size]byte
	principal Principal
	disabled  bool
	expires   time.Time // zero is never
}

// New builds the registry of a decoded configuration.
func New(c *Config) (*Registry, error) {
	r := &Registry{keys: make(map[string]*entry, len(c.Keys))}
	for i := range c.Keys {
		id, k := c.Keys[i].Name, &c.Keys[i].Value
		e, err := newEntry(id, k)
		if err != nil {
			return nil, errors.New("identity: key " + id + ": " + err.Error())
		}
		r.keys[id] = e
	}
	if c.JWT != nil {
		r.claims = newClaims(c.JWT)
	}
	if c.Anonymous != nil {
		p := c.Anonymous.principal("")
		r.anonymous = &p
	}
	return r, nil
}

func newEntry(id string, k *KeyConfig) (*entry, error) {
	if !ValidKeyID(id) {
		return nil, ErrKeyID
	}
	e := &entry{principal: k.principal(id), disabled: k.Disabled}
	var err error
	if e.hash, err = parseHash(k.Hash); err != nil {
		return nil, err
	}
	if k.Expires != "" {
		e.expires, err = date.RFC3339(k.Expires)
	}
	return e, err
}

// Identify says who presents p, or refuses with 401. A key wins over claims,
// and a refused key is final. Where nothing but `anonymous` is configured there
// is nothing that a token could prove: official clients send one all the same,
// and it is passed over. A token in the form of a JSON Web Token is no
// key where claims are configured: it is what the claims were read from. No
// error repeats the token.
func (r *Registry) Identify(p Presented) (Principal, *llm.Error) {
	if len(r.keys) == 0 && len(r.claims) == 0 && r.anonymous != nil {
		return *r.anonymous, nil
	}
	if p.Token != "" && (len(r.claims) == 0 || !isJWT(p.Token)) {
		return r.byKey(p.Token, p.Now)
	}
	who, found, err := r.byClaims(p.Claim)
	switch {
	case err != nil || found:
		return who, err
	case p.Token != "":
		return Principal{}, refuse(invalidToken, "The token is not valid.", "a token in the form of a JWT without verified claims")
	case r.anonymous != nil:
		return *r.anonymous, nil
	}
	return Principal{}, refuse(missingKey, "No API key was presented.", "")
}

// isJWT reports whether a token has the three parts of RFC 7519's compact form.
func isJWT(token string) bool { return strings.Count(token, ".") == 2 }

// byKey hashes and compares for an unknown id too, as for a wrong secret.
func (r *Registry) byKey(token string, now time.Time) (Principal, *llm.Error) {
	id, secret, _ := strings.Cut(token, ".")
	if len(token) > maxToken || len(secret) != secretText {
		return Principal{}, invalid("not in the form of a key")
	}
	e, known := r.keys[id]
	if !known {
		e = &r.nobody
	}
	var text [secretText]byte
	copy(text[:], secret)
	sum := sha256.Sum256(text[:])
	same := subtle.ConstantTimeCompare(sum[:], e.hash[:]) == 1
	switch {
	case !known:
		return Principal{}, invalid("unknown id")
	case !same:
		return Principal{}, invalid("wrong secret for key " + e.principal.Key)
	case e.disabled:
		return Principal{}, refuse(invalidKey, "The API key is disabled.", "key "+e.principal.Key)
	case !e.expires.IsZero() && !now.Before(e.expires):
		return Principal{}, refuse(invalidKey, "The API key has expired.", "key "+e.principal.Key)
	}
	return e.principal, nil
}

// The codes of refusals.
const (
	missingKey   = "missing_api_key"
	invalidKey   = "invalid_api_key"
	invalidToken = "invalid_token"
)

func invalid(cause string) *llm.Error {
	return refuse(invalidKey, "The API key is not valid.", cause)
}

func refuse(code, message, cause string) *llm.Error {
	return &llm.Error{Class: llm.AuthError, Source: llm.FromClient, Status: 401, Code: code, Message: message, Cause: cause}
}
