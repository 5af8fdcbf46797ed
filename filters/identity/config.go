package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/wire/date"
)

const (
	maxKeys      = 100_000
	maxAttribute = 256 // bytes of an attribute's value
	maxClaim     = 256 // bytes of a claim's name
	// jwtAuthn is where Envoy's filter jwt_authn puts what it has verified.
	jwtAuthn = "envoy.filters.http.jwt_authn"
)

// Config is the section `identity`.
type Config struct {
	Keys      []config.Named[KeyConfig]
	JWT       *JWTConfig
	Anonymous *Attributes
}

// Attributes are what the configuration says of a principal.
type Attributes struct {
	Organisation string
	Team         string
	Application  string
	User         string
	Environment  string
}

// KeyConfig is one API key.
type KeyConfig struct {
	Attributes
	Hash     string // "sha256:" and 64 hexadecimal digits
	Disabled bool
	Expires  string // RFC 3339; empty is never
}

// JWTConfig says where the claims are that the host has verified.
type JWTConfig struct {
	Namespace string
	Payload   string
	Claims    Attributes // each attribute's claim
	Optional  []string
}

// Fields is the table of the section `identity`.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.Map("keys", &c.Keys, keyFields, config.In("keys"), config.Length(0, maxKeys),
			config.Doc("API keys by their id. A client presents `id.secret`; only the secret's hash stands here. An id has no dot.")),
		config.Optional("jwt", &c.JWT, jwtFields,
			config.Doc("Who presents no API key is identified by claims that the host has verified (Envoy's filter jwt_authn).")),
		config.Optional("anonymous", &c.Anonymous, anonymousFields,
			config.Doc("The principal of requests that present neither an API key nor claims. Without it they are refused with 401. A refused key is never anonymous.")),
		config.Rule(c.check),
	}
}

func (c *Config) check(r *config.Report) {
	if len(c.Keys) == 0 && c.JWT == nil && c.Anonymous == nil {
		r.Fail(config.Missing, "nobody can be identified: every request would be refused",
			"add keys, jwt, or `anonymous: {}` to let everybody in")
	}
	for i := range c.Keys {
		if id := c.Keys[i].Name; !ValidKeyID(id) {
			r.At("keys", id).Fail(config.Invalid, "a key's id must not have a dot", ErrKeyID.Error())
		}
	}
}

func keyFields(_ string, k *KeyConfig) []config.Field {
	return append([]config.Field{
		config.String("hash", &k.Hash, config.Required(), config.Check(checkHash),
			config.Example("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
			config.Doc("SHA-256 of the secret's text, as `postern keys new` prints it.")),
		config.Bool("disabled", &k.Disabled,
			config.Doc("Refuses the key without removing it.")),
		config.String("expires", &k.Expires, config.Check(checkTime), config.Example(`"2027-06-30T00:00:00Z"`),
			config.Doc("From this time on (RFC 3339) the key is refused. Without it the key does not expire.")),
	}, attributeFields(&k.Attributes, "Value of the principal's attribute", checkAttribute)...)
}

func anonymousFields(a *Attributes) []config.Field {
	return attributeFields(a, "Value of the principal's attribute", checkAttribute)
}

func jwtFields(j *JWTConfig) []config.Field {
	claims := func(a *Attributes) []config.Field {
		return append(attributeFields(a, "Claim that holds the attribute", checkClaim), config.Rule(func(r *config.Report) {
			if *a == (Attributes{}) {
				r.Fail(config.Missing, "no attribute has a claim", "for example user: sub")
			}
		}))
	}
	return []config.Field{
		config.String("namespace", &j.Namespace, config.Default(jwtAuthn), config.Length(1, maxClaim),
			config.Doc("Namespace of the host's dynamic metadata that holds the claims.")),
		config.String("payload", &j.Payload, config.Required(), config.Length(1, maxClaim), config.Example("corp"),
			config.Doc("Key in that namespace: the provider's `payload_in_metadata` in jwt_authn.")),
		config.Object("claims", &j.Claims, claims, config.Required(),
			config.Doc("Claim that each attribute of the principal is read from: a name (`sub`), or a JSON pointer to a claim inside another (`/realm/team`). Claims must be texts.")),
		config.Strings("optional", &j.Optional, config.OneOf(Organisation, Team, Application, User, Environment),
			config.Doc("Attributes whose claim a token may lack. A token that lacks any other is refused.")),
	}
}

// attributeFields is the table of Attributes; what is the start of each line
// in the reference.
func attributeFields(a *Attributes, what string, check func(string) error) []config.Field {
	field := func(name string, p *string) config.Field {
		return config.String(name, p, config.Check(check), config.Doc(what+" `"+name+"`."))
	}
	return []config.Field{
		field(Organisation, &a.Organisation),
		field(Team, &a.Team),
		field(Application, &a.Application),
		field(User, &a.User),
		field(Environment, &a.Environment),
	}
}

func (a *Attributes) principal(key string) Principal {
	return Principal{Organisation: a.Organisation, Team: a.Team, Application: a.Application,
		User: a.User, Environment: a.Environment, Key: key}
}

func checkHash(s string) error {
	_, err := parseHash(s)
	return err
}

func checkTime(s string) error {
	if _, err := date.RFC3339(s); err != nil {
		return config.Problem("not a time of RFC 3339", "for example 2027-06-30T00:00:00Z")
	}
	return nil
}

func checkAttribute(s string) error {
	if !validAttribute(s) {
		return config.Problem("not a value of an attribute", "1 to 256 bytes without control characters")
	}
	return nil
}

// validAttribute bounds what reaches policies, metrics and records.
func validAttribute(s string) bool {
	return s != "" && len(s) <= maxAttribute && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

func checkClaim(s string) error {
	if s == "" || s == "/" || len(s) > maxClaim || strings.Count(s, "/") > 8 && s[0] == '/' {
		return config.Problem("not a claim", "a claim's name of at most 256 bytes, or a pointer of at most 8 names")
	}
	return nil
}
