package credential

import (
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// Source yields the credential of one provider. A source may be used for any
// number of requests; like the rest of a VM it is not safe for concurrent use.
type Source interface {
	// Headers appends what authenticates one attempt, lower-case names first,
	// each of which replaces what the request carries under that name. An error
	// is of class auth and source postern; neither its message nor its cause
	// holds a value.
	Headers(dst [][2]string, a *Attempt) ([][2]string, *llm.Error)
}

// Attempt is the request that a credential is for, as it is sent.
type Attempt struct {
	Method string
	Host   string // authority, with a port if it is not the scheme's own
	Path   string // with its query
	Body   []byte
	Now    time.Time
	// Key names the header that carries a static key in the target's dialect,
	// and the header's whole value.
	Key func(key string) (name, value string)
}

// static is a list of keys in order of preference; the first is used.
type static struct{ keys []Secret }

func (s *static) Headers(dst [][2]string, a *Attempt) ([][2]string, *llm.Error) {
	name, value := a.Key(s.keys[0].Reveal())
	return append(dst, [2]string{name, value}), nil
}

// host leaves the credential to the proxy, and is what a provider without
// credentials has.
type host struct{}

func (host) Headers(dst [][2]string, _ *Attempt) ([][2]string, *llm.Error) { return dst, nil }
