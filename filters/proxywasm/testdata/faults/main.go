// Command faults is a module for tests: its stages do what the request header
// x-do says, "<callback> <what>": panic in several ways, or report what they
// read by a local reply. The plugin configuration can say the same for the
// plugin's own callbacks.
package main

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/host"
	"github.com/posterngw/postern/filters/proxywasm"
)

func main() {}

func init() {
	proxywasm.Register(func(vm host.VM) host.Plugin {
		if machine == nil {
			machine = vm
			panics, _ := vm.Metric(host.CounterMetric, "panics")
			proxywasm.OnPanic(func(string, string) { vm.Add(panics, 1) })
		}
		return &plugin{}
	})
}

var machine host.VM

type plugin struct{ config string }

func (p *plugin) Configure(raw []byte) bool {
	p.config = string(raw)
	switch p.config {
	case "configure":
		panic(p.config)
	case "tick":
		machine.TickEvery(100)
	}
	return true
}

func (p *plugin) Stream(s host.Stream) host.Callbacks {
	if p.config == "stream" {
		panic(p.config)
	}
	return &stage{s: s}
}

func (p *plugin) Tick() { panic("tick") }

type stage struct {
	s        host.Stream
	at, what string
	held     int
	tapped   int
}

var none *stage

func (c *stage) do(at string) host.Action {
	if c.at != at {
		return host.Continue
	}
	switch c.what {
	case "panic", "twice":
		panic("on demand")
	case "nil":
		none.at = "" // a memory fault is a panic as well
	case "bounds":
		_ = c.at[c.held+100]
	case "deep":
		deep(0)
	case "reads":
		return c.reads()
	case "body":
		return c.body()
	}
	return host.Continue
}

// deep panics far up the stack, after it has grown.
func deep(n int) int {
	var room [256]byte
	if n == 2000 {
		panic("deep")
	}
	room[n%256] = byte(n)
	return deep(n+1) + int(room[0])
}

// reads answers with all that it can read.
func (c *stage) reads() host.Action {
	value, present := c.s.Header(host.Request, "x-value")
	_, absent := c.s.Header(host.Request, "x-absent")
	path, _ := c.s.Property("request", "path")
	_, missing := c.s.Property("no", "such")
	got := []string{
		value, strconv.FormatBool(present), strconv.FormatBool(absent), path, strconv.FormatBool(missing),
		strconv.Itoa(len(c.s.Headers(host.Request))), machine.Env("PLACE"), machine.Now().UTC().Format("2006-01-02"),
	}
	if err := c.s.Err(); err != nil {
		got = append(got, err.Error())
	}
	c.s.Reply(200, [][2]string{{"x-a", "1"}, {"x-b", "2"}}, []byte(strings.Join(got, "|")), "reads")
	return host.Pause
}

// body turns the held body round.
func (c *stage) body() host.Action {
	b := c.s.Body(host.Request, 0, c.held)
	turned := make([]byte, len(b))
	for i := range b {
		turned[len(b)-1-i] = b[i]
	}
	c.s.SetHeader(host.Request, "content-length", strconv.Itoa(len(turned)))
	c.s.SetBody(host.Request, turned)
	return host.Continue
}

func (c *stage) RequestHeaders(end bool) host.Action {
	do, _ := c.s.Header(host.Request, "x-do")
	c.at, c.what, _ = strings.Cut(do, " ")
	action := c.do("request_headers")
	if c.at == "request_body" && !end {
		return host.Pause
	}
	return action
}

func (c *stage) RequestBody(size int, end bool) host.Action {
	if c.at == "request_body" && !end {
		return host.Pause
	}
	c.held = size
	return c.do("request_body")
}

func (c *stage) RequestTrailers() host.Action     { return c.do("request_trailers") }
func (c *stage) ResponseHeaders(bool) host.Action { return c.do("response_headers") }
func (c *stage) ResponseTrailers() host.Action    { return c.do("response_trailers") }
func (c *stage) ResponseBody(size int, _ bool) host.Action {
	c.tapped += len(c.s.Body(host.Response, 0, size))
	return c.do("response_body")
}

func (c *stage) Done() {
	c.s.SetProperty("tapped", strconv.Itoa(c.tapped))
	c.do("done")
}

func (c *stage) Recovered(cause string) host.Action {
	if c.what == "twice" {
		panic("again")
	}
	c.s.Reply(500, nil, []byte("recovered: "+cause), "recovered")
	return host.Pause
}
