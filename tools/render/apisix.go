package render

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/posterngw/postern/filters/budget"
	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
)

//go:embed apisix.yaml.tmpl
var apisixTemplate string

var apisix = template.Must(template.New("apisix").Funcs(template.FuncMap{"quote": strconv.Quote, "json": compact}).Parse(apisixTemplate))

// APISIXOptions are what a deployment on Apache APISIX decides and postern.yaml
// does not say.
type APISIXOptions struct {
	Wasm string // path of the module
	CA   string // file of certificate authorities for providers
	URI  string // what the route matches
	Port int    // that APISIX listens on
}

// APISIXDefaults are those without flags.
func APISIXDefaults() APISIXOptions {
	return APISIXOptions{Wasm: "/etc/postern/postern.wasm", CA: "/etc/ssl/certs/ca-certificates.crt", URI: "/*", Port: 9080}
}

// apisixView is what the template shows.
type apisixView struct {
	*view
	APISIXOptions
	Workers   int
	Priority  int
	Variables []string
	Shares    []string // what each worker has of each budget
	Route     apisixRoute
	Upstreams []apisixUpstream
}

type apisixRoute struct {
	ID       string         `json:"id"`
	URI      string         `json:"uri"`
	Plugins  apisixPlugins  `json:"plugins"`
	Upstream apisixUpstream `json:"upstream"`
}

// apisixPlugins are in the order in which they run.
type apisixPlugins struct {
	RequestID map[string]any `json:"request-id"`
	Postern   map[string]any `json:"postern"`
	Split     apisixSplit    `json:"traffic-split"`
	Metrics   map[string]any `json:"prometheus"`
}

type apisixSplit struct {
	Rules []apisixRule `json:"rules"`
}

type apisixRule struct {
	Match     []map[string]any `json:"match"`
	Upstreams []map[string]any `json:"weighted_upstreams"`
}

type apisixUpstream struct {
	ID      string         `json:"id,omitempty"`
	Type    string         `json:"type"`
	Scheme  string         `json:"scheme"`
	Host    string         `json:"pass_host"`
	Retries int            `json:"retries"`
	Timeout map[string]int `json:"timeout"`
	Nodes   []apisixNode   `json:"nodes"`
}

type apisixNode struct {
	Host   string `json:"host"`
	Port   int    `json:"port"`
	Weight int    `json:"weight"`
}

// The plugin's place among those of APISIX that work in its phase: after
// limit-count (1002), so that what is over a limit is not asked, and before
// traffic-split (966), which reads where a request passes to.
const apisixPriority = 990

// APISIX renders the files of a gateway on Apache APISIX: its own configuration,
// the resources for standalone mode, and the same for the Admin API.
func APISIX(node *config.Node, c *pipeline.Config, o APISIXOptions) ([]File, error) {
	node, c, err := asCallout(node, c)
	if err != nil {
		return nil, err
	}
	if err := hostOnly(c, &Options{}); err != nil {
		return nil, err
	}
	v, err := newView(node, c, Options{Wasm: o.Wasm, CA: o.CA, Listen: "0.0.0.0:" + strconv.Itoa(o.Port)})
	if err != nil {
		return nil, err
	}
	a := &apisixView{view: v, APISIXOptions: o, Workers: c.Limits.Workers, Priority: apisixPriority,
		Variables: append([]string{pipeline.TargetVariable}, pipeline.LogVariables...)}
	for i := range c.Budget.Budgets {
		b := &c.Budget.Budgets[i]
		a.Shares = append(a.Shares, fmt.Sprintf("%s: %s of %s per %s", b.Name, budget.Amount(c.Share(b.Value.Limit), b.Value.Unit), budget.Amount(b.Value.Limit, b.Value.Unit), b.Value.Window))
	}
	a.resources()
	var files []File
	for _, name := range []string{"config.yaml", "apisix.yaml"} {
		var b strings.Builder
		if err := apisix.ExecuteTemplate(&b, name, a); err != nil {
			return nil, err
		}
		files = append(files, File{Name: name, Text: []byte(b.String())})
	}
	admin, err := a.admin()
	return append(files, File{Name: "admin.json", Text: admin}), err
}

// asCallout is the configuration in the mode that this host needs.
func asCallout(node *config.Node, c *pipeline.Config) (*config.Node, *pipeline.Config, error) {
	with := *node
	with.Members = slices.Clone(node.Members)
	i := slices.IndexFunc(with.Members, func(m config.Member) bool { return m.Key == "mode" })
	switch {
	case i < 0:
		with.Members = append(with.Members, config.Member{Key: "mode", Value: &config.Node{Kind: config.KindString, Text: string(pipeline.Callouts)}})
	case c.Mode != pipeline.Callouts:
		return nil, nil, fmt.Errorf("mode: %s is not to be had on APISIX: write callout, or leave it out", c.Mode)
	}
	c, errs := pipeline.Decode(&with, builtin.Dialects())
	if len(errs) > 0 {
		return nil, nil, errs
	}
	if feature := c.Unhosted(); feature != "" {
		return nil, nil, errors.New(feature)
	}
	return &with, c, nil
}

// resources makes the route and the upstreams. A request that the module has not
// sent anywhere has no upstream that answers.
func (a *apisixView) resources() {
	split := apisixSplit{}
	for i := range a.Clusters {
		c := &a.Clusters[i]
		port, _ := strconv.Atoi(c.Port) // a URL's: it has been checked
		scheme := "http"
		if c.Secure {
			scheme = "https"
		}
		host := c.Host
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		up := a.upstream("postern-"+c.Name, scheme, host, port)
		a.Upstreams = append(a.Upstreams, up)
		split.Rules = append(split.Rules, apisixRule{
			Match:     []map[string]any{{"vars": [][]string{{pipeline.TargetVariable, "==", c.Name}}}},
			Upstreams: []map[string]any{{"upstream_id": up.ID, "weight": 1}},
		})
	}
	a.Route = apisixRoute{ID: "postern", URI: a.URI, Upstream: a.upstream("", "http", "127.0.0.1", 1), Plugins: apisixPlugins{
		RequestID: map[string]any{"header_name": "X-Request-Id", "include_in_response": true},
		Postern:   map[string]any{"conf": literal(a.Config)}, Split: split, Metrics: map[string]any{},
	}}
}

func (a *apisixView) upstream(id, scheme, host string, port int) apisixUpstream {
	return apisixUpstream{ID: id, Type: "roundrobin", Scheme: scheme, Host: "pass",
		Timeout: map[string]int{"connect": 5, "send": 60, "read": a.Patience}, Nodes: []apisixNode{{host, port, 1}}}
}

// literal keeps APISIX from putting variables of the environment into the
// configuration: it replaces ${{NAME}} anywhere in its files. In JSON the first
// sign is only ever in a text, where it may be escaped.
func literal(json string) string { return strings.ReplaceAll(json, "${{", `\u0024{{`) }

// admin lists the requests to the Admin API, in order.
func (a *apisixView) admin() ([]byte, error) {
	type request struct {
		Method string `json:"method"`
		Path   string `json:"path"`
		Body   any    `json:"body"`
	}
	var list []request
	for _, up := range a.Upstreams {
		id := up.ID
		up.ID = ""
		list = append(list, request{"PUT", "/apisix/admin/upstreams/" + id, up})
	}
	list = append(list, request{"PUT", "/apisix/admin/routes/postern", a.Route})
	text, err := json.MarshalIndent(list, "", "  ")
	return append(text, '\n'), err
}

// compact is a value as one line of JSON, which is YAML too.
func compact(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}
