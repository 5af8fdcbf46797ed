package credential

import (
	"strings"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
)

// attributes are those of a principal.
var attributes = []string{identity.Organisation, identity.Team, identity.Application, identity.User, identity.Environment, identity.Key}

func checkPrincipals(m map[string]string) error {
	for name, value := range m {
		known := false
		for _, a := range attributes {
			known = known || a == name
		}
		if !known || value == "" {
			return config.Problem(config.Quote(name)+" is not an attribute of a principal, or has no value", "one of: "+strings.Join(attributes, ", "))
		}
	}
	return nil
}

var errText = config.Problem("has a character that cannot be sent there", "use printable ASCII")

// checkText takes what can stand in a header.
func checkText(s string) error {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return errText
		}
	}
	return nil
}

// checkJSONText takes what stands in JSON as it is.
func checkJSONText(s string) error {
	if strings.ContainsAny(s, `"\`) {
		return errText
	}
	return checkText(s)
}

// checkHeader takes a header's name: none that HTTP itself or the module needs.
func checkHeader(s string) error {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return config.Problem("not a header's name in lower case", "for example api-key")
		}
	}
	switch s {
	case "host", "content-length", "content-type", "transfer-encoding", "connection", "te", "upgrade":
		return config.Problem("this header has a meaning of its own", "for example api-key")
	}
	return nil
}

func checkCallout(ref string) error {
	if !validCallout(ref) {
		return config.Problem("not a reference of the form callout:URL", "for example callout:http://127.0.0.1:8200/path")
	}
	return nil
}

// kind is the name of the way to authenticate that is not by keys; empty
// without one. A second one is reported.
func (c *Config) kind(r *config.Report) (name string) {
	a := &c.Auth
	for _, k := range []struct {
		name  string
		there bool
	}{{"aws", a.AWS != nil}, {"gcp", a.GCP != nil}, {"entra", a.Entra != nil}} {
		switch {
		case !k.there:
		case name == "":
			name = k.name
		default:
			r.At("auth", k.name).Fail(config.Invalid, "a provider has one way to authenticate, and it has "+name+" already", "remove one of them")
		}
	}
	return name
}

// check is the rule of a provider's part.
func (c *Config) check(r *config.Report) {
	kind := c.kind(r)
	byHost := c.ByHost()
	if kind != "" && len(c.Credentials) > 0 && !byHost {
		r.At("credentials").Fail(config.Invalid, "keys beside auth."+kind+" are never used", "remove credentials, or auth."+kind)
	}
	if c.Auth.BYOK != nil && (kind != "" || byHost) {
		r.At("auth", "byok").Fail(config.Invalid, "only keys can be brought, and this provider is authenticated otherwise", "remove byok")
	}
	c.checkKey(r, kind, byHost)
	if a := c.Auth.AWS; a != nil {
		a.check(r.At("auth", "aws"), byHost)
	}
	if byHost && (kind == "gcp" || kind == "entra") {
		r.At("auth", kind).Fail(config.Invalid, "no filter of the host does this for each attempt", "remove `host` from credentials")
	}
	if g := c.Auth.GCP; g != nil && g.Audience != "" && g.ServiceAccount != "" {
		r.At("auth", "gcp", "audience").Fail(config.Invalid, "identity tokens come from the metadata server", "remove audience or service_account")
	}
}

func (c *Config) checkKey(r *config.Report, kind string, byHost bool) {
	k := c.Auth.Key
	if k == nil {
		return
	}
	at := r.At("auth", "key")
	switch {
	case kind != "" || len(c.Credentials) == 0 && c.Auth.BYOK == nil:
		at.Fail(config.Invalid, "there is no key that could travel so", "add credentials, or remove auth.key")
	case k.Query != "" && (k.Header != "" || k.Prefix != ""):
		at.Fail(config.Invalid, "a key travels in a header or in the query", "keep one of them")
	case k.Query == "" && k.Header == "":
		at.Fail(config.Missing, "neither a header nor a query parameter is named", "add header")
	case k.Query != "" && byHost:
		at.Fail(config.Invalid, "the host's injector sets headers only", "name a header, or use env:NAME")
	}
}

func (a *AWSConfig) check(r *config.Report, byHost bool) {
	keys := a.AccessKey != "" || a.SecretKey != "" || a.SessionToken != ""
	switch {
	case byHost && (keys || a.Container != ""):
		r.Fail(config.Invalid, "the host signs, with credentials that it finds itself", "remove the keys, or `host` from credentials")
	case byHost:
	case keys && a.Container != "":
		r.Fail(config.Invalid, "keys come from the environment or from a container endpoint", "keep one of them")
	case a.Container == "" && (a.AccessKey == "" || a.SecretKey == ""):
		r.Fail(config.Missing, "there is nothing to sign with", "add access_key and secret_key, or container, or `credentials: [host]`")
	}
}
