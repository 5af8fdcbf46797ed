package config_test

import (
	"fmt"
	"time"

	"github.com/posterngw/postern/filters/config"
)

// upstream is a section as a part of the gateway declares it.
type upstream struct {
	URL     string
	Key     string
	Connect time.Duration
	Total   time.Duration
}

func (u *upstream) fields() []config.Field {
	return []config.Field{
		config.String("url", &u.URL, config.Required(), config.Doc("Where the provider is.")),
		config.String("key", &u.Key, config.Secret(), config.Doc("The credential.")),
		config.Duration("connect", &u.Connect, config.Default(5*time.Second)),
		config.Duration("total", &u.Total, config.Default(time.Minute), config.Max(time.Hour)),
		config.Rule(func(r *config.Report) {
			if u.Connect > u.Total {
				r.At("connect").Fail(config.Invalid, "is longer than total", "lower connect or raise total")
			}
		}),
	}
}

func ExampleDecode() {
	var (
		upstreams []config.Named[upstream]
		standard  string
	)
	table := []config.Field{
		config.Map("upstreams", &upstreams, func(_ string, u *upstream) []config.Field { return u.fields() }, config.In("upstreams")),
		config.Ref("default", &standard, "upstreams"),
	}
	node, errs := config.ParseJSON([]byte(`{
  "upstreams": {
    "openai": {"url": "https://api.openai.com", "key": "sk-secret", "conect": "1s"},
    "local": {"url": "http://127.0.0.1:8000", "connect": "2m"}
  },
  "default": "openia"
}`))
	if errs == nil {
		errs = config.Decode(node, table)
	}
	fmt.Println(errs.In("postern.json"))
	// Output:
	// postern.json:3:56: /upstreams/openai/key: expected a reference to a secret, never the secret itself (write host or env:NAME or callout:…)
	// postern.json:3:69: /upstreams/openai/conect: unknown key "conect" (did you mean "connect"?)
	// postern.json:4:58: /upstreams/local/connect: is longer than total (lower connect or raise total)
	// postern.json:6:14: /default: no "openia" in upstreams (did you mean "openai"?)
}
