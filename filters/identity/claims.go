package identity

import (
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/llm"
)

// claim is where one attribute of a principal comes from.
type claim struct {
	attribute string
	name      string
	path      []string
	optional  bool
}

func newClaims(j *JWTConfig) []claim {
	var claims []claim
	for _, m := range []struct{ attribute, name string }{
		{Organisation, j.Claims.Organisation},
		{Team, j.Claims.Team},
		{Application, j.Claims.Application},
		{User, j.Claims.User},
		{Environment, j.Claims.Environment},
	} {
		if m.name != "" {
			claims = append(claims, claim{m.attribute, m.name, claimPath(j, m.name), slices.Contains(j.Optional, m.attribute)})
		}
	}
	return claims
}

// claimPath is the host property that holds a claim: Envoy's attribute
// `metadata` is the stream's dynamic metadata.
func claimPath(j *JWTConfig, name string) []string {
	path := []string{"metadata", "filter_metadata", j.Namespace, j.Payload}
	if name[0] != '/' {
		return append(path, name)
	}
	for token := range strings.SplitSeq(name[1:], "/") {
		path = append(path, config.UnescapeToken(token))
	}
	return path
}

// ClaimPath is the path of the host property that holds a claim, for whoever
// implements Presented.Claim; nil for a claim that no attribute is read from.
// The caller does not change it.
func (r *Registry) ClaimPath(name string) []string {
	for i := range r.claims {
		if r.claims[i].name == name {
			return r.claims[i].path
		}
	}
	return nil
}

// byClaims reads every claim. Without any there is no principal; with some but
// not all that are needed the token is refused, because a principal that lacks
// what policies and budgets ask for would slip through them.
func (r *Registry) byClaims(read func(string) (string, bool)) (who Principal, found bool, err *llm.Error) {
	if read == nil {
		return Principal{}, false, nil
	}
	lacking := ""
	for i := range r.claims {
		c := &r.claims[i]
		v, ok := read(c.name)
		switch {
		case !ok || v == "":
			if !c.optional && lacking == "" {
				lacking = c.name
			}
		case !validAttribute(v):
			return Principal{}, false, refuse(invalidToken, "A claim of the token cannot be used.", "claim "+c.name+" is too long or not a text")
		default:
			*who.slot(c.attribute), found = v, true
		}
	}
	if found && lacking != "" {
		return Principal{}, false, refuse(invalidToken, "The token lacks a claim that is needed here.", "no claim "+lacking)
	}
	return who, found, nil
}
