package explain

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/pipeline/pipelinetest"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
)

// Case is a request in a situation.
type Case struct {
	Name      string // of the configuration, for messages
	Config    []byte
	Path      string // default: OpenAI's chat completions
	Headers   [][2]string
	Body      []byte
	Principal string            // the id of a configured key, or attributes: "team=search,user=ada"; empty: nobody
	Health    map[string]Health // by target
	At        time.Time         // zero: a fixed time
}

// Health is how a target is taken to be.
type Health struct {
	State      string `json:"state"`       // closed, open, half_open or ramp; empty: closed
	For        string `json:"for"`         // how long it stays so; default 1m
	Cause      string `json:"cause"`       // error class
	FirstToken string `json:"first_token"` // moving average
	PerToken   string `json:"per_token"`   // moving average
}

// start is when cases happen that do not say when.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Explain decides about a case.
func Explain(c *Case) (*Decision, error) {
	host, headers, err := c.open()
	if err != nil {
		return nil, err
	}
	record := ask(host, headers, c.Body)
	if err := host.Close(); err != nil {
		return nil, err
	}
	d, err := Read([]byte(record))
	if err == nil {
		d.Attempts = nil // it was broken off before anything was sent
	}
	return d, err
}

// ask sends a request as far as its first attempt and returns its record.
func ask(host *hosttest.Host, headers [][2]string, body []byte) string {
	s := host.NewStream()
	s.RequestHeaders(headers, len(body) == 0)
	if len(body) > 0 {
		s.RequestBody(body, true)
	}
	s.Abort()
	if access := s.AccessLog(); access != nil {
		return access.FilterState["wasm.postern.audit"]
	}
	return ""
}

// open makes the proxy in the case's situation, and the request's headers.
func (c *Case) open() (*hosttest.Host, [][2]string, error) {
	node, decoded, errs := gateway.Load(c.Name, c.Config)
	if len(errs) > 0 {
		return nil, nil, errs
	}
	path := c.Path
	if path == "" {
		path = "/v1/chat/completions"
	}
	headers := append([][2]string{{":method", "POST"}, {":path", path}, {":authority", "gateway"}, {":scheme", "http"},
		{"content-type", "application/json"}, {"content-length", strconv.Itoa(len(c.Body))}}, c.Headers...)
	token, err := pose(node, c.Principal)
	if err != nil {
		return nil, nil, err
	}
	if token != "" {
		headers = append(headers, [2]string{"authorization", "Bearer " + token})
	}
	at := c.At
	if at.IsZero() {
		at = start
	}
	preset, err := presets(c.Health, at)
	if err != nil {
		return nil, nil, err
	}
	module := hosttest.NativeGuest(pipelinetest.Guest(func(vm pipeline.VM) func() pipeline.Plugin {
		for name, s := range preset {
			health.Preset(vm, name, &s, at)
		}
		return pipeline.New(vm, builtin.Dialects()).Plugin
	}))
	h, err := hosttest.New(gateway.Host(gateway.Options{Module: module, Node: node, Config: decoded,
		Env: variables(node, map[string]string{}), Clock: hosttest.NewVirtualClock(at)}))
	return h, headers, err
}

// presets reads the targets' health.
func presets(by map[string]Health, now time.Time) (map[string]health.Snapshot, error) {
	list := map[string]health.Snapshot{}
	for name, h := range by {
		s := health.Snapshot{}
		for s.State.String() != h.State && h.State != "" {
			if s.State++; s.State > health.Ramp {
				return nil, fmt.Errorf("health of %s: no state %q", name, h.State)
			}
		}
		for s.Cause.String() != h.Cause {
			if s.Cause++; s.Cause > llm.MalformedAnswer {
				return nil, fmt.Errorf("health of %s: no error class %q", name, h.Cause)
			}
		}
		stays := time.Minute
		for _, d := range []struct {
			text string
			to   *time.Duration
		}{{h.For, &stays}, {h.FirstToken, &s.FirstToken}, {h.PerToken, &s.PerToken}} {
			if d.text == "" {
				continue
			}
			v, err := time.ParseDuration(d.text)
			if err != nil {
				return nil, fmt.Errorf("health of %s: %w", name, err)
			}
			*d.to = v
		}
		s.Until = now.Add(stays)
		list[name] = s
	}
	return list, nil
}

// pose lets a request be the principal's, and returns the key for it: a key that
// is configured gets a new secret, attributes are those of whoever has no key.
func pose(node *config.Node, principal string) (token string, err error) {
	if principal == "" {
		return "", nil
	}
	if key := node.Get("identity").Get("keys").Get(principal); key != nil {
		token, hash, err := identity.NewKey(rand.Reader, principal)
		if err != nil {
			return "", err
		}
		put(key, "hash", text(hash))
		return token, nil
	}
	who := &config.Node{Kind: config.KindMap}
	for _, pair := range strings.Split(principal, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return "", fmt.Errorf("there is no key %q, and it is no attribute (name=value)", pair)
		}
		put(who, strings.TrimSpace(name), text(strings.TrimSpace(value)))
	}
	only := &config.Node{Kind: config.KindMap}
	put(only, "anonymous", who)
	put(node, "identity", only)
	return "", nil
}

func text(s string) *config.Node { return &config.Node{Kind: config.KindString, Text: s} }

func put(n *config.Node, key string, value *config.Node) {
	for i := range n.Members {
		if n.Members[i].Key == key {
			n.Members[i].Value = value
			return
		}
	}
	n.Members = append(n.Members, config.Member{Key: key, Value: value})
}

// variables sets every variable of the environment that a configuration names.
func variables(n *config.Node, env map[string]string) map[string]string {
	if name, ok := strings.CutPrefix(n.Text, "env:"); ok && n.Kind == config.KindString {
		env[name] = "set"
	}
	for i := range n.Members {
		variables(n.Members[i].Value, env)
	}
	for _, item := range n.Items {
		variables(item, env)
	}
	return env
}

// errNoRecord is for a line that is no audit record.
var errNoRecord = errors.New("not an audit record")

// Read reads the decision that a record carries.
func Read(record []byte) (*Decision, error) {
	d := &Decision{}
	if err := json.Unmarshal(record, d); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoRecord, err)
	}
	if d.Record == 0 {
		return nil, errNoRecord
	}
	return d, nil
}
