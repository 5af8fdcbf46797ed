// Command measure is a module that does one thing per callback, chosen by the
// plugin configuration ("<thing> [<times>]"), so that a load run shows what the
// thing costs. It decides nothing and protects nothing.
package main

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/proxywasm"
)

func main() {}

func init() {
	proxywasm.Register(func(vm host.VM) host.Plugin { return &plugin{vm: vm} })
}

type plugin struct {
	vm      host.VM
	thing   string
	times   int
	counter uint32
}

func (p *plugin) Configure(raw []byte) bool {
	thing, times, _ := strings.Cut(string(raw), " ")
	p.thing, p.times = thing, 1
	if n, err := strconv.Atoi(times); err == nil {
		p.times = n
	}
	p.counter, _ = p.vm.Metric(host.CounterMetric, "measure")
	return thing != "refuse"
}

func (p *plugin) Stream(s host.Stream) host.Callbacks { return &stage{s: s, p: p} }
func (p *plugin) Tick()                               {}

type stage struct {
	s host.Stream
	p *plugin
}

func (c *stage) RequestHeaders(end bool) host.Action {
	for range c.p.times {
		c.atHeaders()
	}
	if (c.p.thing == "gate" || c.p.thing == "body" || c.p.thing == "rewrite") && !end {
		return host.Pause
	}
	return host.Continue
}

func (c *stage) atHeaders() {
	switch c.p.thing {
	case "header":
		c.s.Header(host.Request, "content-type")
	case "absent":
		c.s.Header(host.Request, "x-absent")
	case "pairs":
		c.s.Headers(host.Request)
	case "property":
		c.s.Property("request", "path")
	case "set":
		c.s.SetHeader(host.Request, "x-set", "value")
	case "path":
		c.s.SetHeader(host.Request, ":path", "/v1/chat")
	case "remove":
		c.s.RemoveHeader(host.Request, "x-absent")
	case "setproperty":
		c.s.SetProperty("measure", "value")
	case "route":
		c.s.ClearRouteCache()
	case "now":
		c.p.vm.Now()
	case "count":
		c.p.vm.Add(c.p.counter, 1)
	}
}

func (c *stage) RequestBody(size int, end bool) host.Action {
	switch c.p.thing {
	case "gate", "body", "rewrite":
		if !end {
			return host.Pause
		}
		c.atBody(size)
	}
	return host.Continue
}

func (c *stage) atBody(size int) {
	if c.p.thing == "gate" {
		return
	}
	b := c.s.Body(host.Request, 0, size)
	if c.p.thing == "rewrite" {
		c.s.SetBody(host.Request, b)
	}
}

func (c *stage) RequestTrailers() host.Action         { return host.Continue }
func (c *stage) ResponseHeaders(end bool) host.Action { return host.Continue }

func (c *stage) ResponseBody(size int, end bool) host.Action {
	if c.p.thing == "tap" {
		c.s.Body(host.Response, 0, size)
	}
	return host.Continue
}

func (c *stage) ResponseTrailers() host.Action      { return host.Continue }
func (c *stage) Done()                              {}
func (c *stage) Recovered(cause string) host.Action { return host.Continue }
