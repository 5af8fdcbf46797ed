// Package render turns one postern.yaml into what a proxy is deployed with. The
// output is complete, commented and deterministic, and holds no secret: keys
// reach the module by the environment or are injected by the proxy.
//
// It starts nothing, and it does not check a configuration: pipeline.Decode does.
package render

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/route"
	"github.com/posterngw/postern/filters/telemetry"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// Options are what a deployment decides and postern.yaml does not say.
type Options struct {
	Wasm      string // path of the module
	Listen    string // host:port
	Admin     string // host:port of Envoy's admin interface; empty: none
	AccessLog string // path; empty: standard output
	AuditLog  string // path; empty: standard output
	Secrets   string // directory of the SDS files of credentials left to the host
	CA        string // file of certificate authorities for providers
	// Filters are HTTP filters of the host before the client stage: a YAML list,
	// as it is.
	Filters string
	// Dir is where Envoy finds the files of XDS.
	Dir string
	// Before is the file clusters.yaml that XDS replaces; empty: there is none.
	Before []byte
}

func (o *Options) defaults() {
	set := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	set(&o.Wasm, "/etc/postern/postern.wasm")
	set(&o.Listen, "0.0.0.0:8080")
	set(&o.AccessLog, "/dev/stdout")
	set(&o.AuditLog, "/dev/stdout")
	set(&o.Secrets, "/etc/postern/secrets")
	set(&o.CA, "/etc/ssl/certs/ca-certificates.crt")
}

// view is what the template shows.
type view struct {
	Options
	Config         string // the plugin configuration, one line of JSON
	Version        string
	ListenHost     string
	ListenPort     string
	AdminHost      string
	AdminPort      string
	Env            []string
	Clusters       []cluster // of providers
	Endpoints      []cluster // that the module asks for tokens and keys
	Realtime       bool      // WebSockets pass
	Attempts       []int     // second attempt and later, as the header counts them
	BodyBuffer     int
	AnswerBuffer   int
	Patience       int // seconds without a byte in either direction
	StatsTags      []telemetry.StatsTag
	Buckets        []telemetry.Bucket
	ProviderConfig string
	HolderConfig   string
	ClusterHeader  string
	Paired         bool
	Generation     string // of the VM, in files of XDS
}

// cluster is one upstream.
type cluster struct {
	Name, Host, Port string
	Authority        string // host name as requests have it
	Secure           bool
	Filter           string // of the host, that the credential is left to; empty: none
	Header, Prefix   string // of credential_injector
	Region, Service  string // of aws_request_signing
}

// The host's filters that authenticate requests.
const (
	injector  = "credential_injector"
	awsSigner = "aws_request_signing"
)

// IP reports whether the host is an address and not a name.
func (c cluster) IP() bool { return net.ParseIP(c.Host) != nil }

// headroom is how much larger the host's buffers are than the module's limits,
// so that the module refuses first, in the client's dialect.
const headroom = 64 << 10

func newView(node *config.Node, c *pipeline.Config, o Options) (*view, error) {
	v := &view{Options: o, Config: string(yamlconfig.ToJSON(node)), Version: config.Digest(node),
		BodyBuffer: c.Limits.Body + headroom, AnswerBuffer: max(c.Limits.Answer, c.Limits.Body) + headroom,
		StatsTags: telemetry.StatsTags(), Buckets: telemetry.Buckets(), ProviderConfig: pipeline.ProviderConfig,
		HolderConfig: pipeline.HolderConfig, ClusterHeader: pipeline.ClusterHeader, Paired: c.Mode == pipeline.Paired}
	var err error
	if v.ListenHost, v.ListenPort, err = net.SplitHostPort(o.Listen); err != nil {
		return nil, fmt.Errorf("listen address: %w", err)
	}
	if o.Admin != "" {
		if v.AdminHost, v.AdminPort, err = net.SplitHostPort(o.Admin); err != nil {
			return nil, fmt.Errorf("admin address: %w", err)
		}
	}
	for i := range c.Route.Providers {
		if err := v.addProvider(&c.Route.Providers[i]); err != nil {
			return nil, err
		}
	}
	for i := range c.Route.Providers {
		v.Realtime = v.Realtime || c.Route.Providers[i].Value.Realtime == "pass"
	}
	if name := c.State.Variable(); name != "" {
		v.variable(name)
	}
	if c.Mode == pipeline.Observe {
		v.Env = nil // it has no secret of a provider's
	}
	v.Patience = patience(c)
	for n := 1; n < longestPlan(c); n++ {
		v.Attempts = append(v.Attempts, n)
	}
	return v, nil
}

// variable lets the VM see a variable of the environment, once.
func (v *view) variable(name string) {
	if !slices.Contains(v.Env, name) {
		v.Env = append(v.Env, name)
	}
}

// addProvider adds the cluster of a provider, and the variables of its keys.
// Providers may share either.
func (v *view) addProvider(p *config.Named[route.ProviderConfig]) error {
	at, err := config.ParseURL(p.Value.URL)
	if err != nil {
		return fmt.Errorf("provider %s: %w", p.Name, err)
	}
	c := newCluster(p.Value.Cluster, at)
	if c.Name == "" {
		c.Name = p.Name
	}
	for _, name := range p.Value.Credentials.Variables() {
		v.variable(name)
	}
	if p.Value.Credentials.ByHost() {
		c.leave(&p.Value)
	}
	if err := v.add(&v.Clusters, p.Name, c); err != nil {
		return err
	}
	for _, e := range p.Value.Credentials.Endpoints() {
		if err := v.add(&v.Endpoints, p.Name, newCluster(e.Cluster, e.URL)); err != nil {
			return err
		}
	}
	return nil
}

func newCluster(name string, at config.URL) cluster {
	host, port := at.Address()
	return cluster{Name: name, Host: host, Port: port, Authority: at.Host, Secure: at.Secure}
}

// add adds a cluster to a list, unless it is there. A name stands for one
// address and one credential.
func (v *view) add(list *[]cluster, provider string, c cluster) error {
	all := slices.Concat(v.Clusters, v.Endpoints)
	i := slices.IndexFunc(all, func(other cluster) bool { return other.Name == c.Name })
	switch {
	case i < 0:
		*list = append(*list, c)
	case all[i] != c:
		return fmt.Errorf("provider %s: cluster %s has another address or credential already", provider, c.Name)
	}
	return nil
}

// leave leaves the provider's credential to a filter of the host.
func (c *cluster) leave(p *route.ProviderConfig) {
	auth := &p.Credentials.Auth
	switch {
	case auth.AWS != nil:
		c.Filter, c.Region, c.Service = awsSigner, auth.AWS.Region, auth.AWS.Service
	case auth.Key != nil:
		c.Filter, c.Header, c.Prefix = injector, auth.Key.Header, auth.Key.Prefix
	default:
		c.Filter = injector
		c.Header, c.Prefix = injection(p)
	}
}

// injection is how a dialect carries a key, for the host's own injector.
func injection(c *route.ProviderConfig) (header, prefix string) {
	const key = "KEY"
	for _, d := range builtin.Dialects() {
		if p := d.Endpoint(); d.Name == c.Dialect && p != nil {
			header, value := p.Credential(&dialect.Target{Flavour: c.Flavour}, key)
			return header, strings.TrimSuffix(value, key)
		}
	}
	return "authorization", "Bearer "
}

// patience is how many seconds a request may be without a byte, so that the host
// does not end what a target's own times still allow.
func patience(c *pipeline.Config) int {
	longest := 4 * time.Minute
	for i := range c.Route.Models {
		for j := range c.Route.Models[i].Value.Targets {
			t := &c.Route.Models[i].Value.Targets[j]
			longest = max(longest, t.Timeout, t.FirstToken, t.Idle, t.Total)
		}
	}
	return int((longest + time.Minute).Seconds())
}

// longestPlan is the most attempts that any model's plan can have.
func longestPlan(c *pipeline.Config) int {
	n := 1
	for i := range c.Route.Models {
		n = max(n, len(c.Route.Models[i].Value.Targets))
	}
	return min(n, route.MaxPlan)
}
