package credential

import "github.com/posterngw/postern/filters/config"

// incomparable keeps the compiler from making comparisons of a struct that
// nobody compares: two of a kilobyte each, with the generic code.
type incomparable [0]func()

// KeyConfig says how keys travel.
type KeyConfig struct {
	_      incomparable
	Header string
	Prefix string
	Query  string
}

// AWSConfig is what signing for AWS needs.
type AWSConfig struct {
	_            incomparable
	Region       string
	Service      string
	AccessKey    string // references
	SecretKey    string
	SessionToken string
	Container    string
}

// GCPConfig says where Google's tokens come from.
type GCPConfig struct {
	_              incomparable
	ServiceAccount string // a reference; empty: the metadata server
	Scope          string
	TokenURL       string
	Audience       string // of an identity token; empty: an access token
}

// EntraConfig is an application that Microsoft Entra knows.
type EntraConfig struct {
	_            incomparable
	Tenant       string
	ClientID     string
	ClientSecret string // a reference
	Scope        string
	Authority    string
}

// BYOKConfig says who may bring a key.
type BYOKConfig struct {
	Principals map[string]string
}

func keyFields(k *KeyConfig) []config.Field {
	return []config.Field{
		config.String("header", &k.Header, config.Length(1, 64), config.Check(checkHeader), config.Example("api-key"),
			config.Doc("The header that carries the key.")),
		config.String("prefix", &k.Prefix, config.Length(1, 32), config.Check(checkText), config.Example(`"Bearer "`),
			config.Doc("What stands before the key in that header.")),
		config.String("query", &k.Query, config.Length(1, 64), config.Check(checkText), config.Example("key"),
			config.Doc("The query parameter that carries the key, instead of a header. Prefer a header: paths end up in logs of providers and of proxies on the way.")),
	}
}

func awsFields(a *AWSConfig) []config.Field {
	return []config.Field{
		config.String("region", &a.Region, config.Required(), config.Length(1, 64), config.Check(checkText), config.Example("eu-central-1"),
			config.Doc("The region that the endpoint is in.")),
		config.String("service", &a.Service, config.Default("bedrock"), config.Length(1, 64), config.Check(checkText),
			config.Doc("The name by which the service is signed for.")),
		config.String("access_key", &a.AccessKey, config.Secret("env"), config.Example("env:AWS_ACCESS_KEY_ID"),
			config.Doc("The id of the access key.")),
		config.String("secret_key", &a.SecretKey, config.Secret("env"), config.Example("env:AWS_SECRET_ACCESS_KEY"),
			config.Doc("The secret of the access key.")),
		config.String("session_token", &a.SessionToken, config.Secret("env"), config.Example("env:AWS_SESSION_TOKEN"),
			config.Doc("The session token of temporary keys. It is read once: for keys that expire use `container` or `host`.")),
		config.String("container", &a.Container, config.Check(checkCallout), config.Example("callout:http://169.254.170.2/v2/credentials/ID"),
			config.Doc("Instead of keys, the endpoint that hands out temporary ones as containers get them (ECS, or an agent of one's own).")),
	}
}

func gcpFields(g *GCPConfig) []config.Field {
	return []config.Field{
		config.String("service_account", &g.ServiceAccount, config.Secret("env"), config.Example("env:GCP_SERVICE_ACCOUNT"),
			config.Doc("The JSON key file of a service account, as a variable's value. Without it the metadata server is asked, which needs no key.")),
		config.String("scope", &g.Scope, config.Default("https://www.googleapis.com/auth/cloud-platform"), config.Length(1, 1024), config.Check(checkJSONText),
			config.Doc("What a service account's token is for.")),
		config.String("token_url", &g.TokenURL, config.Check(config.CheckURL), config.Example("https://oauth2.googleapis.com/token"),
			config.Doc("Where tokens come from. Default: Google's token endpoint, or the metadata server's path for the default service account.")),
		config.String("audience", &g.Audience, config.Check(config.CheckURL), config.Example("https://llm-abc-ew.a.run.app"),
			config.Doc("Asks the metadata server for an identity token for this service instead, as services need it that run behind Google's front end (Cloud Run).")),
	}
}

func entraFields(e *EntraConfig) []config.Field {
	return []config.Field{
		config.String("tenant", &e.Tenant, config.Required(), config.Name(), config.Doc("The directory, by its id or domain.")),
		config.String("client_id", &e.ClientID, config.Required(), config.Length(1, 256), config.Doc("The application.")),
		config.String("client_secret", &e.ClientSecret, config.Required(), config.Secret("env"), config.Example("env:ENTRA_CLIENT_SECRET"),
			config.Doc("The application's secret.")),
		config.String("scope", &e.Scope, config.Default("https://cognitiveservices.azure.com/.default"), config.Length(1, 1024),
			config.Doc("What the token is for.")),
		config.String("authority", &e.Authority, config.Default("https://login.microsoftonline.com"), config.Check(config.CheckURL),
			config.Doc("Who issues tokens; national clouds have their own.")),
	}
}

func byokFields(b *BYOKConfig) []config.Field {
	return []config.Field{
		config.StringMap("principals", &b.Principals, config.Length(0, len(attributes)), config.Check(checkPrincipals),
			config.Example("{team: research}"),
			config.Doc("Only principals whose attributes have these values may. Without any, everybody who is identified.")),
	}
}
