package credential

import (
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/config"
)

const (
	maxRefs = 16
	// Host is the reference that leaves the credential to the proxy.
	Host          = "host"
	envPrefix     = "env:"
	calloutPrefix = "callout:"
)

// Config is the part of a provider's section that says how requests to it are
// authenticated.
type Config struct {
	Credentials []string // references: "host", "env:NAME", "callout:URL"
	Auth        Auth
}

// Auth says what is done with the references, and what is not done by keys.
type Auth struct {
	Cluster  string
	Timeout  time.Duration
	Lifetime time.Duration
	Rest     time.Duration
	Key      *KeyConfig
	AWS      *AWSConfig
	GCP      *GCPConfig
	Entra    *EntraConfig
	BYOK     *BYOKConfig
}

// Fields is the table of that part, to stand among a provider's own fields.
func Fields(c *Config) []config.Field {
	return []config.Field{
		config.Strings("credentials", &c.Credentials, config.Length(0, maxRefs), config.Check(CheckRefs),
			config.Example("[env:OPENAI_API_KEY]"),
			config.Doc("References to keys, never keys: `env:NAME` reads the environment of the VM, `callout:URL` asks a secret endpoint, "+
				"`host` leaves the credential to the proxy's own filters and stands alone. Several keys are used in turn, and one that the "+
				"provider refuses rests. Without any, and without `auth`, requests are sent without a credential.")),
		config.Object("auth", &c.Auth, authFields,
			config.Doc("How the credential travels, and credentials that are more than a key.")),
		config.Rule(c.check),
	}
}

func authFields(a *Auth) []config.Field {
	return []config.Field{
		config.String("cluster", &a.Cluster, config.Check(config.CheckCluster),
			config.Doc("The host's name for the upstream that tokens and `callout:` keys come from. Default: `credential/HOST:PORT`, which the renderer writes.")),
		config.Duration("timeout", &a.Timeout, config.Default(5*time.Second), config.Range(100*time.Millisecond, time.Minute),
			config.Doc("How long a token endpoint may take. Only requests that come before the first token wait for it.")),
		config.Duration("lifetime", &a.Lifetime, config.Default(5*time.Minute), config.Range(10*time.Second, 24*time.Hour),
			config.Doc("How long an answer is used that does not say when it expires, as the plain text of a `callout:`.")),
		config.Duration("rest", &a.Rest, config.Default(30*time.Second), config.Range(time.Second, maxRest),
			config.Doc("How long one of several keys is passed over that the provider answered with 401, 403 or 429. A longer retry-after is obeyed.")),
		config.Optional("key", &a.Key, keyFields, config.Doc("How keys travel, where it is not as the dialect says.")),
		config.Optional("aws", &a.AWS, awsFields, config.Doc("Signs requests for AWS (Signature Version 4). With `credentials: [host]` the proxy signs (Envoy's aws_request_signing, with its own chain of credentials).")),
		config.Optional("gcp", &a.GCP, gcpFields, config.Doc("Tokens of Google Cloud, from a service account or the metadata server.")),
		config.Optional("entra", &a.Entra, entraFields, config.Doc("Access tokens of Microsoft Entra by client credentials, for Azure OpenAI without keys.")),
		config.Optional("byok", &a.BYOK, byokFields, config.Doc("Lets clients bring their own key for this provider, in the header `x-postern-provider-key: PROVIDER=KEY` (several are separated by commas). "+
			"With `credentials` it takes precedence over them, without it is required. A key that may not be brought is refused, never ignored.")),
	}
}

// CheckRefs reports what is wrong with a list of references. It does not repeat
// a reference: it may be the secret that should not stand there.
func CheckRefs(refs []string) error {
	for i, r := range refs {
		switch {
		case r == Host && len(refs) > 1:
			return config.Problem("`host` stands alone", "the proxy injects the credential, or the module sets a key")
		case r != Host && !validEnv(r) && !validCallout(r):
			return config.Problem("credential "+strconv.Itoa(i+1)+" is not a reference to a key; never write the key itself",
				"write env:NAME, callout:http://127.0.0.1:8200/path or host")
		}
	}
	return nil
}

func validCallout(ref string) bool {
	url, ok := strings.CutPrefix(ref, calloutPrefix)
	return ok && config.CheckURL(url) == nil
}

// validEnv takes the names of POSIX (Base Definitions, section 8.1), of either
// case.
func validEnv(ref string) bool {
	s, ok := strings.CutPrefix(ref, envPrefix)
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return ok && s != "" && len(s) <= config.MaxName
}

// ByHost reports whether the proxy authenticates, and not the module.
func (c *Config) ByHost() bool { return len(c.Credentials) == 1 && c.Credentials[0] == Host }

// Variables are the names of the environment that the module reads.
func (c *Config) Variables() (names []string) {
	refs := append([]string(nil), c.Credentials...)
	if a := c.Auth.AWS; a != nil {
		refs = append(refs, a.AccessKey, a.SecretKey, a.SessionToken)
	}
	if g := c.Auth.GCP; g != nil {
		refs = append(refs, g.ServiceAccount)
	}
	if e := c.Auth.Entra; e != nil {
		refs = append(refs, e.ClientSecret)
	}
	for _, r := range refs {
		if name, ok := strings.CutPrefix(r, envPrefix); ok {
			names = append(names, name)
		}
	}
	return names
}

// Endpoint is where tokens or keys are asked for.
type Endpoint struct {
	Cluster string
	URL     config.URL
}

// Endpoints are those that the module asks, which the host has to know by their
// clusters.
func (c *Config) Endpoints() (list []Endpoint) {
	add := func(url string) {
		e := c.Auth.endpoint(url)
		list = append(list, Endpoint{e.cluster, e.at})
	}
	for _, r := range c.Credentials {
		if url, ok := strings.CutPrefix(r, calloutPrefix); ok {
			add(url)
		}
	}
	if a := c.Auth.AWS; a != nil && a.Container != "" {
		add(strings.TrimPrefix(a.Container, calloutPrefix))
	}
	if g := c.Auth.GCP; g != nil {
		add(g.url())
	}
	if e := c.Auth.Entra; e != nil {
		add(e.url())
	}
	return list
}
