package credential

import (
	"strings"
	"time"

	"github.com/posterngw/postern/filters/credential/sigv4"
	"github.com/posterngw/postern/filters/llm"
)

// signer signs requests for AWS.
type signer struct {
	// sign is a method of a Signer, which remembers what it derives from the
	// secret: printing a function shows nothing.
	sign   func(dst [][2]string, r *sigv4.Request, k *sigv4.Keys) [][2]string
	keys   grant   // fixed ones
	tokens *tokens // or those that expire; nil: they do not
}

func (s *Source) aws(a *Auth) error {
	s4 := &sigv4.Signer{Region: a.AWS.Region, Service: a.AWS.Service}
	g := &signer{sign: s4.Headers}
	if a.AWS.Container != "" {
		at := a.endpoint(strings.TrimPrefix(a.AWS.Container, calloutPrefix))
		g.tokens = s.fetch(a, readAWS, func(time.Time) (*Exchange, error) { return at.get(), nil })
		s.give = g
		return nil
	}
	id, err := s.secret(a.AWS.AccessKey)
	if err != nil {
		return err
	}
	if g.keys.secret, err = s.secret(a.AWS.SecretKey); err != nil {
		return err
	}
	if a.AWS.SessionToken != "" {
		if g.keys.session, err = s.secret(a.AWS.SessionToken); err != nil {
			return err
		}
	}
	g.keys.id = id.Reveal()
	s.give = g
	return nil
}

func (g *signer) ready(now time.Time) bool { return g.tokens == nil || g.tokens.valid(now) }

func (g *signer) check(now time.Time) *llm.Error {
	if g.ready(now) {
		return nil
	}
	return g.tokens.missing(now)
}

func (g *signer) headers(dst [][2]string, a *Attempt) ([][2]string, *llm.Error) {
	if e := g.check(a.Now); e != nil {
		return dst, e
	}
	with := &g.keys
	if g.tokens != nil {
		with = &g.tokens.held
	}
	a.Slot = 0
	host := [1][2]string{{"host", a.Host}}
	return g.sign(dst, &sigv4.Request{Method: a.Method, Target: a.Path, Header: host[:], Sum: a.Sum, Now: a.Now},
		&sigv4.Keys{ID: with.id, Secret: with.secret.Reveal(), Token: with.session.Reveal()}), nil
}

func (g *signer) refused(_ int, e *llm.Error, now time.Time) {
	if g.tokens != nil && e.Class == llm.AuthError {
		g.tokens.doubt(now)
	}
}
