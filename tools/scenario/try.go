package scenario

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
)

// load reads the configuration, in the mode that the file is to be played in.
func (f *File) load() (*config.Node, *pipeline.Config, config.Errors) {
	node, c, errs := gateway.Load(f.Name, f.Config)
	if len(errs) > 0 {
		return node, c, errs
	}
	if f.Mode == "" {
		f.Mode = c.Mode
	}
	if f.Mode == c.Mode {
		return node, c, errs
	}
	node.Members = slices.DeleteFunc(node.Members, func(m config.Member) bool { return m.Key == "mode" })
	node.Members = append(node.Members, config.Member{Key: "mode", Value: &config.Node{Kind: config.KindString, Text: string(f.Mode)}})
	c, errs = pipeline.Decode(node, builtin.Dialects())
	return node, c, errs
}

// try is one attempt, by the host or, in paired mode, by a callout of the module.
type try interface {
	cluster() string
	Request() hosttest.Message
	ResponseHeaders(headers [][2]string, end bool)
	ResponseBody(chunk []byte, end bool)
	ResponseTrailers(trailers [][2]string)
	Reset(hosttest.ResetReason)
}

// attempts are those of the stream so far, in order.
func (p *player) attempts() []try {
	if !p.calls() {
		p.tries = p.tries[:0]
	}
	if len(p.tries) == 0 {
		for _, a := range p.stream.Attempts() {
			p.tries = append(p.tries, byHost{a})
		}
	}
	if !p.calls() || p.file.Mode == pipeline.Paired && len(p.tries) == 0 {
		return p.tries
	}
	for _, c := range p.host.Callouts() {
		if name, ok := p.clusters[c.Upstream]; ok && !p.called[c] {
			p.called[c] = true
			p.tries = append(p.tries, &byCallout{c: c, name: name})
		}
	}
	return p.tries
}

// calls reports whether attempts may be callouts.
func (p *player) calls() bool {
	return p.file.Mode == pipeline.Paired || p.file.Mode == pipeline.Callouts
}

// stray finds a request that left although it was asked by callouts.
func (p *player) stray() error {
	if p.file.Mode != pipeline.Callouts || p.stream == nil {
		return nil
	}
	asked := slices.ContainsFunc(p.attempts(), func(t try) bool { _, ok := t.(*byCallout); return ok })
	if n := len(p.stream.Attempts()); n > 1 || n > 0 && asked {
		return fmt.Errorf("%d stray requests", n)
	}
	return nil
}

// upstreams are the clusters of providers, by what callouts to them name.
func upstreams(c *pipeline.Config) map[string]string {
	list := map[string]string{}
	for i := range c.Route.Providers {
		one := &c.Route.Providers[i]
		name := cmp.Or(one.Value.Cluster, one.Name)
		list[name] = name
		if at, err := config.ParseURL(one.Value.URL); err == nil && c.Mode == pipeline.Callouts {
			list[net.JoinHostPort(at.Address())] = name
		}
	}
	return list
}

// recordOf is the audit record that a stream left.
func recordOf(access *hosttest.AccessLog) string {
	return cmp.Or(access.FilterState["wasm.postern.audit"], access.FilterState[pipeline.AuditVariable])
}

// byHost is an attempt of the host.
type byHost struct{ *hosttest.Attempt }

func (a byHost) cluster() string { return a.Cluster }

// byCallout is an attempt whose answer must be whole before it comes.
type byCallout struct {
	c       *hosttest.Callout
	name    string
	headers [][2]string
	body    []byte
}

func (a *byCallout) cluster() string { return a.name }

func (a *byCallout) Request() hosttest.Message {
	return hosttest.Message{Headers: a.c.Headers, Chunks: [][]byte{a.c.Body}, Complete: true}
}

func (a *byCallout) ResponseHeaders(headers [][2]string, end bool) {
	a.headers = headers
	a.end(end)
}

func (a *byCallout) ResponseBody(chunk []byte, end bool) {
	a.body = append(a.body, chunk...)
	a.end(end)
}

func (a *byCallout) ResponseTrailers([][2]string) { a.end(true) }

func (a *byCallout) end(end bool) {
	if end {
		a.c.Respond(a.headers, a.body, nil)
	}
}

func (a *byCallout) Reset(reason hosttest.ResetReason) {
	if a.headers != nil {
		a.c.Break()
		return
	}
	a.c.FailWith(reason)
}

// expected is what an attempt must look like. In paired mode the host's routes
// write the name of the target's host, not the module, and the host is told in
// another way where the request goes.
func (p *player) expected(m *Message) *Message {
	if !p.calls() {
		return m
	}
	paired := *m
	paired.Headers = slices.DeleteFunc(slices.Clone(m.Headers), func(h [2]string) bool {
		return h[0] == ":authority" || strings.HasPrefix(h[0], "x-envoy-")
	})
	return &paired
}
