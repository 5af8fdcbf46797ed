package credential

import (
	"strings"

	"github.com/posterngw/postern/filters/llm"
)

// OwnHeader is how a client brings its own keys: `PROVIDER=KEY`, several
// separated by commas.
const OwnHeader = "x-postern-provider-key"

// Client is who asks, as far as it matters for a credential.
type Client struct {
	Own string // the value of OwnHeader
	Who interface {
		Attribute(name string) (value string, ok bool)
	}
}

// own is the key that the client brought for a provider. Keys have no commas:
// one that had would be refused by its provider, not sent to another.
func (c *Client) own(provider string) (key string, ok bool) {
	for rest := c.Own; rest != ""; {
		var one string
		one, rest, _ = strings.Cut(rest, ",")
		name, key, named := strings.Cut(one, "=")
		if named && strings.TrimSpace(name) == provider {
			return strings.TrimSpace(key), true
		}
	}
	return "", false
}

// byok is who may bring a key.
type byok struct{ principals [][2]string }

func newBYOK(c *BYOKConfig) *byok {
	if c == nil {
		return nil
	}
	b := &byok{}
	for name, value := range c.Principals {
		b.principals = append(b.principals, [2]string{name, value})
	}
	return b
}

func (b *byok) may(c *Client) bool {
	if b == nil {
		return false
	}
	for _, p := range b.principals {
		if v, _ := c.Who.Attribute(p[0]); v != p[1] {
			return false
		}
	}
	return true
}

// brought reports whether the client's own key is used.
func (s *Source) brought(c *Client) bool {
	_, ok := c.own(s.provider)
	return ok
}

// judgeOwn says why the key that a client brought cannot be used, or that it
// had to bring one.
func (s *Source) judgeOwn(c *Client) *llm.Error {
	key, ok := c.own(s.provider)
	switch {
	case ok && !s.byok.may(c):
		return &llm.Error{Class: llm.PolicyError, Source: llm.FromPostern, Status: 403, Code: "own_key_refused",
			Message: "you may not bring your own key for this provider"}
	case ok && judge(key) != "":
		return &llm.Error{Class: llm.ClientError, Source: llm.FromClient, Status: 400, Code: "own_key_invalid",
			Message: "the key that you bring for this provider cannot be a key"}
	case !ok && s.byok != nil && s.give == nil:
		return &llm.Error{Class: llm.AuthError, Source: llm.FromClient, Status: 401, Code: "own_key_required",
			Message: "bring your own key for this provider, in the header " + OwnHeader}
	}
	return nil
}
