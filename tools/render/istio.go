package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/telemetry"
)

// IstioOptions are what a deployment on Istio decides and postern.yaml does not
// say. They are the first half of the chart's values.
type IstioOptions struct {
	Namespace string       `json:"-"` // of the gateway's pods
	Mode      string       `json:"mode"`
	Image     IstioImage   `json:"image"`
	Gateway   IstioGateway `json:"gateway"`
	Priority  int          `json:"priority"`
	AuditLog  string       `json:"auditLog"`
	Secrets   string       `json:"-"` // folder of the SDS files of credentials left to the proxy
}

// IstioImage is where the module is pulled from.
type IstioImage struct {
	URL        string `json:"url"` // oci://registry/name
	Tag        string `json:"tag"`
	Digest     string `json:"digest"`
	PullSecret string `json:"pullSecret"`
	PullPolicy string `json:"pullPolicy"`
}

// IstioGateway is the gateway that requests come in by.
type IstioGateway struct {
	Name        string            `json:"name"`
	Create      bool              `json:"create"`
	API         string            `json:"api"` // istio or kubernetes
	Class       string            `json:"class"`
	Selector    map[string]string `json:"selector"`
	Port        int               `json:"port"`
	Bind        string            `json:"bind"`
	Hosts       []string          `json:"hosts"`
	Certificate string            `json:"certificate"`
	Egress      string            `json:"-"` // host:port of an egress gateway's Service; empty: none
}

// IstioDefaults are the chart's own.
func IstioDefaults() IstioOptions {
	return IstioOptions{
		Namespace: "istio-ingress", Mode: "native", Priority: 10, AuditLog: "/dev/stdout", Secrets: "/etc/postern/secrets",
		Image: IstioImage{PullPolicy: "IfNotPresent"},
		Gateway: IstioGateway{Name: "postern", Create: true, API: "istio", Class: "istio",
			Selector: map[string]string{"istio": "ingressgateway"}, Port: 8080, Hosts: []string{"*"}},
	}
}

// IstioValues are the chart's values.
type IstioValues struct {
	IstioOptions
	Egress         *IstioService       `json:"egress"`
	Variables      []string            `json:"variables"`
	Config         string              `json:"config"`
	ProviderConfig string              `json:"providerConfig"`
	Providers      []IstioHost         `json:"providers"`
	Endpoints      []IstioHost         `json:"endpoints"`
	Attempts       []int               `json:"attempts"`
	Buffer         int                 `json:"buffer"`
	StatsTags      []map[string]string `json:"statsTags"`
	Buckets        []map[string]any    `json:"buckets"`
}

// IstioService is one port of a Service.
type IstioService struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

// IstioHost is one upstream.
type IstioHost struct {
	Resource    string         `json:"resource"` // name of its ServiceEntry and DestinationRule
	Host        string         `json:"host"`
	Port        int            `json:"port"`
	TLS         bool           `json:"tls"`
	Certificate string         `json:"certificate"` // the name that it must carry
	SNI         string         `json:"sni"`         // empty: the host
	Address     string         `json:"address"`     // where it is, if not by DNS
	TargetPort  int            `json:"targetPort"`  // at the address, if another
	InMesh      bool           `json:"inMesh"`      // a Service of the cluster, known to Istio
	Cluster     string         `json:"cluster"`
	Authority   string         `json:"authority"` // of requests to it
	Signer      *IstioSigner   `json:"signer"`
	Injector    *IstioInjector `json:"injector"`
}

// IstioSigner is Envoy's aws_request_signing.
type IstioSigner struct {
	Service string `json:"service"`
	Region  string `json:"region"`
}

// IstioInjector is Envoy's credential_injector.
type IstioInjector struct {
	Name   string `json:"name"`
	Path   string `json:"path"` // of the SDS file
	Header string `json:"header"`
	Prefix string `json:"prefix"`
}

// WithImage reads an image's reference: oci://registry/name with a tag, a digest
// or both.
func (o *IstioOptions) WithImage(reference string) {
	o.Image.URL, o.Image.Digest, _ = strings.Cut(reference, "@")
	if i := strings.LastIndexByte(o.Image.URL, ':'); i > strings.LastIndexByte(o.Image.URL, '/') {
		o.Image.URL, o.Image.Tag = o.Image.URL[:i], o.Image.URL[i+1:]
	}
}

// Istio renders the resources for Istio: 1.31 and later in native mode, in one YAML stream.
func Istio(node *config.Node, o IstioOptions) ([]byte, error) {
	v, err := NewIstioValues(node, o)
	if err != nil {
		return nil, err
	}
	return v.Render(o.Namespace)
}

// NewIstioValues derives the chart's values from a configuration. Upstreams get
// the names that Istio gives their clusters.
func NewIstioValues(node *config.Node, o IstioOptions) (*IstioValues, error) {
	if o.Image.URL == "" {
		return nil, fmt.Errorf("istio needs the module's image: oci://registry/name")
	}
	if !slices.Contains([]string{"native", "paired", "observe"}, o.Mode) {
		return nil, fmt.Errorf("on Istio the mode is native, paired or observe, not %q", o.Mode)
	}
	if o.Mode != "native" || node.Get("mode") != nil { // native is what a document without a mode means
		node = with(node, o.Mode, "mode")
	}
	node, err := withIstioClusters(node)
	if err != nil {
		return nil, err
	}
	c, errs := pipeline.Decode(node, builtin.Dialects())
	if len(errs) > 0 {
		return nil, errs
	}
	if err := claimed(c); err != nil {
		return nil, err
	}
	view, err := newView(node, c, Options{Listen: net.JoinHostPort("0.0.0.0", strconv.Itoa(o.Gateway.Port))})
	if err != nil {
		return nil, err
	}
	for _, one := range slices.Concat(view.Clusters, view.Endpoints) {
		if o.Mode == "paired" && one.Filter != "" {
			return nil, fmt.Errorf("provider cluster %s: the proxy adds no credential in paired mode, as nothing is patched into clusters: give the key as env:NAME", one.Name)
		}
	}
	v := &IstioValues{IstioOptions: o, Variables: append([]string{}, view.Env...), Config: view.Config, ProviderConfig: view.ProviderConfig,
		Attempts: append([]int{}, view.Attempts...), Buffer: view.AnswerBuffer,
		Providers: hosts(view.Clusters, o.Secrets), Endpoints: hosts(view.Endpoints, o.Secrets)}
	if err := errors.Join(v.distinct(), v.leave(&o.Gateway)); err != nil {
		return nil, err
	}
	for _, t := range view.StatsTags {
		v.StatsTags = append(v.StatsTags, map[string]string{"tag_name": t.Name, "regex": t.Regex})
	}
	for _, b := range view.Buckets {
		v.Buckets = append(v.Buckets, bucket(b))
	}
	return v, nil
}

// Where Istio puts the claims that a RequestAuthentication has verified
// (pilot/pkg/security/authn).
const (
	istioClaims  = "envoy.filters.http.jwt_authn"
	istioPayload = "payload"
)

// claimed refuses claims that would never be found.
func claimed(c *pipeline.Config) error {
	if j := c.Identity.JWT; j != nil && j.Namespace == istioClaims && j.Payload != istioPayload {
		return fmt.Errorf("identity.jwt.payload: Istio puts the claims that a RequestAuthentication has verified at %q, not at %q", istioPayload, j.Payload)
	}
	return nil
}

// leave reads where applications leave their sidecars for the gateway.
func (v *IstioValues) leave(g *IstioGateway) error {
	if g.Egress == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(g.Egress)
	if err != nil {
		return fmt.Errorf("egress gateway: %w", err)
	}
	n, err := strconv.Atoi(port)
	switch {
	case err != nil:
		return fmt.Errorf("egress gateway: port: %w", err)
	case g.API != "istio":
		return errors.New("an egress gateway is one of Istio's own Gateways")
	case slices.Contains(g.Hosts, "*"):
		return errors.New("an egress gateway needs the names that applications ask for: not every name is to be sent there")
	}
	v.Egress = &IstioService{Host: host, Port: n}
	return nil
}

// distinct refuses two ports of one host: Istio reads one DestinationRule per
// host, and merges what says the same host of others.
func (v *IstioValues) distinct() error {
	ports := map[string]int{}
	for _, h := range slices.Concat(v.Providers, v.Endpoints) {
		if port, seen := ports[h.Host]; seen && port != h.Port {
			return fmt.Errorf("%s is asked at port %d and at port %d: a host has one port on Istio", h.Host, port, h.Port)
		}
		ports[h.Host] = h.Port
	}
	return nil
}

func bucket(b telemetry.Bucket) map[string]any {
	return map[string]any{"match": map[string]string{"prefix": b.Prefix}, "buckets": b.Bounds}
}

func hosts(clusters []cluster, secrets string) []IstioHost {
	list := []IstioHost{}
	for _, c := range clusters {
		port, _ := strconv.Atoi(c.Port)
		h := IstioHost{Host: c.Host, Port: port, TLS: c.Secure, Certificate: c.Host, InMesh: inMesh(c.Host), Cluster: c.Name, Authority: c.Authority}
		if ip, err := netip.ParseAddr(c.Host); err == nil {
			h.Host, h.Address = istioHost(c.Host, c.Port), ip.String()
		}
		name := strings.ReplaceAll(h.Host, ".", "-") + "-" + c.Port
		h.Resource = "postern-" + name
		switch c.Filter {
		case awsSigner:
			h.Signer = &IstioSigner{Service: c.Service, Region: c.Region}
		case injector:
			h.Injector = &IstioInjector{Name: name, Path: secrets + "/" + name + ".yaml", Header: c.Header, Prefix: c.Prefix}
		}
		list = append(list, h)
	}
	return list
}

// inMesh reports whether a host is a Service of the cluster, by the name that
// Istio knows it by.
func inMesh(host string) bool { return strings.HasSuffix(host, ".svc.cluster.local") }

// istioHost is the name of a host in Istio's registry, where an address alone
// is no name.
func istioHost(host, port string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return strings.NewReplacer(".", "-", ":", "-").Replace(host+":"+port) + ".postern.internal"
	}
	return host
}

// istioCluster is the name of the cluster that Istio makes for a port of a host
// (pilot/pkg/model, BuildSubsetKey).
func istioCluster(at config.URL) string {
	host, port := at.Address()
	return "outbound|" + port + "||" + istioHost(host, port)
}

// withIstioClusters names the clusters of a configuration as Istio does.
func withIstioClusters(node *config.Node) (*config.Node, error) {
	c, errs := pipeline.Decode(node, builtin.Dialects())
	if len(errs) > 0 {
		return nil, errs
	}
	for i := range c.Route.Providers {
		p := &c.Route.Providers[i]
		at, err := config.ParseURL(p.Value.URL)
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", p.Name, err)
		}
		node = with(node, istioCluster(at), "providers", p.Name, "cluster")
		endpoint := ""
		for _, e := range p.Value.Credentials.Endpoints() {
			name := istioCluster(e.URL)
			if endpoint != "" && endpoint != name {
				return nil, fmt.Errorf("provider %s: its tokens and keys come from %s and from %s, and its callouts can have one cluster", p.Name, endpoint, name)
			}
			endpoint = name
		}
		if endpoint != "" {
			node = with(node, endpoint, "providers", p.Name, "auth", "cluster")
		}
	}
	return node, nil
}

// JSON is the values as a file for Helm.
func (v *IstioValues) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}

// with is a node with a text at a path, made where it is missing. The node
// itself stays as it is.
func with(n *config.Node, text string, path ...string) *config.Node {
	if len(path) == 0 {
		return &config.Node{Kind: config.KindString, Text: text}
	}
	changed := config.Node{Kind: config.KindMap}
	if n != nil {
		changed = *n
	}
	changed.Members = slices.Clone(changed.Members)
	at := slices.IndexFunc(changed.Members, func(m config.Member) bool { return m.Key == path[0] })
	if at < 0 {
		at = len(changed.Members)
		changed.Members = append(changed.Members, config.Member{Key: path[0]})
	}
	changed.Members[at].Value = with(changed.Members[at].Value, text, path[1:]...)
	return &changed
}
