package credential

import (
	"strings"
	"time"

	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/sha256"
)

// Outside is what a credential needs of the proxy.
type Outside interface {
	Now() time.Time
	// Env reads the environment of the VM.
	Env(name string) string
	// Call sends a request; done runs once, with status 0 if no answer came,
	// unless Call returns an error.
	Call(x *Exchange, done func(status int, body []byte)) error
	// Tell tells operators.
	Tell(line string)
}

// Source yields the credential of one provider. It may be used for any number
// of requests; like the rest of a VM it is not safe for concurrent use.
type Source struct {
	provider string
	out      Outside
	give     giver // nil: the proxy authenticates, or nobody
	tokens   []*tokens
	carry    carrier
	byok     *byok
	host     bool // the host authenticates,
	signer   bool // and by a signature of AWS
}

// giver makes the headers of one way to authenticate.
type giver interface {
	// ready reports whether a credential is at hand.
	ready(now time.Time) bool
	// check says why none is.
	check(now time.Time) *llm.Error
	headers(dst [][2]string, a *Attempt) ([][2]string, *llm.Error)
	// refused is told that a provider refused what headers gave.
	refused(slot int, e *llm.Error, now time.Time)
}

// Attempt is the request that a credential is for, as it is sent.
type Attempt struct {
	Method string
	Host   string            // authority, with a port if it is not the scheme's own
	Path   string            // with its query
	Sum    [sha256.Size]byte // of the body; only a Source that Signs needs it
	Now    time.Time
	Client Client
	// Key names the header that carries a static key in the target's dialect,
	// and the header's whole value.
	Key func(key string) (name, value string)
	// Slot is set by Headers, for Refused: which of several keys was used.
	Slot int
}

// Signs reports whether Headers needs the digest of the body that leaves.
func (s *Source) Signs() bool {
	_, signs := s.give.(*signer)
	return signs
}

// Ready reports whether a request need not wait for a credential. If it must,
// done runs once, later, whether there is one then or not.
func (s *Source) Ready(c *Client, done func()) bool {
	if len(s.tokens) == 0 || s.brought(c) {
		return true
	}
	now := s.out.Now()
	if s.give.ready(now) {
		return true
	}
	again := func() {
		if s.Ready(c, done) {
			done()
		}
	}
	for _, t := range s.tokens {
		if t.wait(now, again) {
			return false
		}
	}
	return true
}

// Check says why a request cannot be authenticated now; nil when it can. The
// error holds no value, nor does its cause.
func (s *Source) Check(c *Client) *llm.Error {
	switch e := s.judgeOwn(c); {
	case e != nil:
		return e
	case len(s.tokens) == 0 || s.brought(c):
		return nil
	}
	return s.give.check(s.out.Now())
}

// Waits reports whether requests may have to wait for a credential.
func (s *Source) Waits() bool { return len(s.tokens) > 0 }

// Headers appends what authenticates one attempt, lower-case names first, each
// of which replaces what the request carries under that name; ":path" may be
// among them. Errors are as those of Check.
func (s *Source) Headers(dst [][2]string, a *Attempt) ([][2]string, *llm.Error) {
	a.Slot = -1
	if e := s.judgeOwn(&a.Client); e != nil {
		return dst, e
	}
	if key, ok := a.Client.own(s.provider); ok {
		return s.carry.put(dst, a, key), nil
	}
	if s.give == nil {
		return dst, nil
	}
	return s.give.headers(dst, a)
}

// Left appends the names of the headers that the host sets, where it is the host
// that authenticates. They are on the request when the host tries the next target,
// and must not go there.
func (s *Source) Left(dst []string, a *Attempt) []string {
	switch {
	case !s.host:
	case s.signer:
		dst = append(dst, "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token")
	default:
		dst = append(dst, s.carry.put(nil, a, "")[0][0])
	}
	return dst
}

// Refused is told how a provider answered an attempt that it did not serve.
func (s *Source) Refused(slot int, e *llm.Error, now time.Time) {
	if s.give != nil && slot >= 0 {
		s.give.refused(slot, e, now)
	}
}

// Tick renews tokens before they expire, and ends what takes too long. serving
// is whether new requests come: the credentials of an old configuration are not
// renewed.
func (s *Source) Tick(now time.Time, serving bool) {
	for _, t := range s.tokens {
		t.tick(now, serving)
	}
}

// Error is a credential that a configuration asks for and the VM cannot give.
type Error struct {
	Provider string
	Variable string // of the environment
	Problem  string
}

// Error names the provider and the variable, and no value.
func (e *Error) Error() string {
	return "provider " + e.Provider + ": environment variable " + e.Variable + " " + e.Problem
}

// New makes the source of a provider from a checked configuration, and reads
// the variables that it refers to. The errors are those of CheckRefs and *Error.
func New(provider string, c *Config, out Outside) (*Source, error) {
	if err := CheckRefs(c.Credentials); err != nil {
		return nil, err
	}
	s := &Source{provider: provider, out: out, byok: newBYOK(c.Auth.BYOK)}
	if k := c.Auth.Key; k != nil {
		s.carry = carrier(*k)
	}
	if c.ByHost() {
		s.host, s.signer = true, c.Auth.AWS != nil
		return s, nil
	}
	var err error
	switch a := &c.Auth; {
	case a.AWS != nil:
		err = s.aws(a)
	case a.GCP != nil:
		err = s.gcp(a)
	case a.Entra != nil:
		err = s.entra(a)
	case len(c.Credentials) > 0:
		err = s.keys(c)
	}
	return s, err
}

// keys makes the ring of the configured keys.
func (s *Source) keys(c *Config) error {
	r := &ring{carry: s.carry, pause: c.Auth.Rest}
	for _, ref := range c.Credentials {
		url, callout := strings.CutPrefix(ref, calloutPrefix)
		if callout {
			r.slots = append(r.slots, slot{tokens: s.callout(url, &c.Auth)})
			continue
		}
		key, err := s.secret(ref)
		if err != nil {
			return err
		}
		r.slots = append(r.slots, slot{key: key})
	}
	s.give = r
	return nil
}

// bearer makes a ring of the one token that travels as OAuth's do (RFC 6750).
func (s *Source) bearer(t *tokens) {
	s.give = &ring{slots: []slot{{tokens: t}}, carry: carrier{Header: "authorization", Prefix: "Bearer "}}
}

// secret reads a variable that holds a key.
func (s *Source) secret(ref string) (Secret, error) {
	name := strings.TrimPrefix(ref, envPrefix)
	// Keys that come out of files often end in a line break.
	key := strings.Trim(s.out.Env(name), " \t\r\n")
	if problem := judge(key); problem != "" {
		return Secret{}, &Error{Provider: s.provider, Variable: name, Problem: problem}
	}
	return NewSecret(key), nil
}

const maxKey = 16 << 10 // bytes

const notSet = "is not set, or the host does not give it to the module"

// judge says what is wrong with a key that is to stand in a header.
func judge(key string) string {
	switch {
	case key == "":
		return notSet
	case len(key) > maxKey:
		return "is longer than any key"
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return "has a character that no key has"
		}
	}
	return ""
}
