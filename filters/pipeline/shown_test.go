package pipeline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/filters/pipeline/pipelinetest"
	hosttest "github.com/posterngw/postern/host-test"
)

// prober is a module that does one thing to a stream in each phase.
type prober struct {
	hosttest.BaseGuest
	calls   hosttest.Calls
	guarded bool
	request func(pipeline.Stream)
	body    func(pipeline.Stream)
	answer  func(pipeline.Stream)
}

func (p *prober) run(ctx uint32, f func(pipeline.Stream)) hosttest.Action {
	if s := pipelinetest.Stream(p.calls, ctx); f != nil && p.guarded {
		f(pipeline.Shown(s))
	} else if f != nil {
		f(s)
	}
	return hosttest.Continue
}

func (p *prober) OnRequestHeaders(ctx, _ uint32, _ bool) hosttest.Action {
	if p.body != nil {
		p.calls.SetProperty("wasm_process_req_body", []byte("1"))
	}
	return p.run(ctx, p.request)
}

func (p *prober) OnRequestBody(ctx, _ uint32, _ bool) hosttest.Action { return p.run(ctx, p.body) }

func (p *prober) OnResponseHeaders(ctx, _ uint32, _ bool) hosttest.Action {
	return p.run(ctx, p.answer)
}

// probe sends a request through a host of profile apisix.
func probe(t *testing.T, p prober, answer int) *hosttest.Stream {
	h, err := hosttest.New(hosttest.Config{Profile: hosttest.APISIX(), Downstream: []hosttest.Filter{{Name: "p", Config: []byte("{}"),
		Module: hosttest.NativeGuest(func(c hosttest.Calls) hosttest.Guest { p := p; p.calls = c; return &p })}}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	s := h.NewStream()
	s.RequestHeaders([][2]string{{":method", "POST"}, {":path", "/a"}, {":scheme", "http"}, {":authority", "h"}, {"content-length", "4"}}, false)
	s.RequestBody([]byte("body"), true)
	require.NotNil(t, s.Attempt(), "%v %v", s.Response(), h.Misuse())
	if a := s.Attempt(); a != nil {
		headers := [][2]string{{":status", "200"}, {"openai-project", "p"}}
		for i := range answer {
			headers = append(headers, [2]string{fmt.Sprint("h", i), "v"})
		}
		a.ResponseHeaders(headers, true)
	}
	return s
}

// TestShownStream does what the host does not survive, with and without the guard.
func TestShownStream(t *testing.T) {
	var got string
	for name, c := range map[string]struct {
		p       prober
		headers int
		bad     func(s *hosttest.Stream) bool
	}{
		"the length is kept": {prober{request: func(s pipeline.Stream) { s.RemoveHeader(pipeline.Request, "content-length") }}, 0,
			func(s *hosttest.Stream) bool { return s.Attempts()[0].Smuggled() != "" }},
		"the method is kept": {prober{request: func(s pipeline.Stream) { s.SetHeader(pipeline.Request, ":authority", "localhost") }}, 0,
			func(s *hosttest.Stream) bool { return s.Attempts()[0].Request().Headers.Get(":method") != "POST" }},
		"the path is not encoded": {prober{request: func(s pipeline.Stream) { s.SetHeader(pipeline.Request, ":path", "/b?c=d") }}, 0,
			func(s *hosttest.Stream) bool { return s.Attempts()[0].Request().Headers.Get(":path") != "/b?c=d" }},
		"many headers of an answer": {prober{answer: func(s pipeline.Stream) { got = fmt.Sprint(s.Headers(pipeline.Response)) }}, 30,
			func(*hosttest.Stream) bool { return !strings.Contains(got, "openai-project") }},
		"sizes do not overflow": {prober{body: func(s pipeline.Stream) { s.Body(pipeline.Request, 1, 1<<31-1); got = fmt.Sprint(s.Err()) }}, 0,
			func(*hosttest.Stream) bool { return got != "<nil>" }},
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, c.bad(probe(t, c.p, c.headers)), "the host has this bug")
			c.p.guarded = true
			require.False(t, c.bad(probe(t, c.p, c.headers)), "the guard holds")
		})
	}
}

// TestShownStreamWithoutHost reads the host of a request that has none, and all of
// its headers.
func TestShownStreamWithoutHost(t *testing.T) {
	for name, read := range map[string]func(pipeline.Stream){
		"the host":    func(s pipeline.Stream) { s.Header(pipeline.Request, ":authority") },
		"all headers": func(s pipeline.Stream) { s.Headers(pipeline.Request) },
	} {
		for _, guarded := range []bool{false, true} {
			p := prober{guarded: guarded, request: read}
			h, err := hosttest.New(hosttest.Config{Profile: hosttest.APISIX(), Downstream: []hosttest.Filter{{Name: "p", Config: []byte("{}"),
				Module: hosttest.NativeGuest(func(c hosttest.Calls) hosttest.Guest { p := p; p.calls = c; return &p })}}})
			require.NoError(t, err)
			s := h.NewStream()
			s.RequestHeaders([][2]string{{":method", "GET"}, {":path", "/"}, {":authority", ""}}, true)
			require.Equal(t, guarded, s.Response().Broken == "", name)
			require.NoError(t, h.Close())
		}
	}
}

// forever is a gatherer that never has what it was asked for.
type forever struct{ panics bool }

func (f forever) Gather(*llm.Facts, func(*llm.Error)) {
	if f.panics {
		panic("a bug")
	}
}

const oneModel = `{"version":1,"mode":"callout","providers":{"one":{"dialect":"openai","url":"https://one.test/v1"}},"identity":{"anonymous":{}},%s"models":{"m":{"targets":[{"provider":"one","model":"%s"}]}}}`

func callouts(t *testing.T, more, model string, declared []string, gather ...pipeline.Gatherer) *hosttest.Host {
	h, err := hosttest.New(hosttest.Config{Profile: hosttest.APISIX(), Declared: declared, Downstream: []hosttest.Filter{{Name: "p", Config: fmt.Appendf(nil, oneModel, more, model),
		Module: hosttest.NativeGuest(pipelinetest.Guest(func(vm pipeline.VM) func() pipeline.Plugin {
			return pipeline.New(vm, builtin.Dialects(), gather...).Plugin
		}))}}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func ask(h *hosttest.Host) *hosttest.Stream {
	s := h.NewStream()
	body := `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	s.RequestHeaders([][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}, {":scheme", "http"}, {":authority", ""},
		{"content-type", "application/json"}, {"content-length", fmt.Sprint(len(body))}}, false)
	s.RequestBody([]byte(body), true)
	return s
}

// TestCalloutNeverPausesForNothing has the module wait for what never comes, and
// panic: the worker must live, and the client have an answer.
func TestCalloutNeverPausesForNothing(t *testing.T) {
	for _, g := range []forever{{}, {panics: true}} {
		h := callouts(t, "", "x", nil, g)
		s := ask(h)
		require.Equal(t, "500", s.Response().Status())
		require.Contains(t, s.Response().Body(), "internal_error")
		require.Empty(t, s.Attempts())
		require.Empty(t, h.Misuse())
	}
}

// TestCalloutWithoutVariables asks by a callout what could pass, where the host
// cannot be told where it goes; no other request leaves.
func TestCalloutWithoutVariables(t *testing.T) {
	h := callouts(t, "", "m", nil)
	s := ask(h)
	require.Len(t, h.Callouts(), 1)
	h.Callouts()[0].Respond([][2]string{{":status", "200"}, {"content-type", "application/json"}},
		[]byte(`{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}`), nil)
	require.Equal(t, "200", s.Response().Status())
	require.Empty(t, s.Attempts())

	declared := callouts(t, "", "m", []string{pipeline.TargetVariable})
	s = ask(declared)
	require.Empty(t, declared.Callouts())
	require.Len(t, s.Attempts(), 1)
}

// TestCalloutOutlivesItsClient is a client that leaves while its callout is under
// way, which this host does not notice: the answer is accounted for as any other.
func TestCalloutOutlivesItsClient(t *testing.T) {
	h := callouts(t, `"audit":{"records":true},`, "x", []string{pipeline.AuditVariable})
	s := ask(h)
	c := h.Callouts()[0]
	s.Abort()
	c.Respond([][2]string{{":status", "200"}, {"content-type", "application/json"}},
		[]byte(`{"id":"c","model":"x","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`), nil)
	require.Contains(t, s.AccessLog().FilterState[pipeline.AuditVariable], `"usage":{"input":3,"output":1,"known":true}`)
	require.True(t, s.Ended())
	require.Empty(t, s.Attempts())
	require.Empty(t, h.Misuse())
	ask(h)
	require.Len(t, h.Callouts(), 1, "the worker serves on")
}

// TestCalloutAnswersWhatCannotBeRead gives a callout's answer that is broken in
// every way: the client has an error, and the request does not go on by itself.
func TestCalloutAnswersWhatCannotBeRead(t *testing.T) {
	for _, body := range []string{"", "{", "null", "\x00", `{"choices":7}`} {
		h := callouts(t, "", "x", []string{pipeline.TargetVariable})
		s := ask(h)
		require.True(t, h.Callouts()[0].Respond([][2]string{{":status", "200"}, {"content-type", "application/json"}}, []byte(body), nil))
		require.Equal(t, "502", s.Response().Status(), body)
		require.Empty(t, s.Attempts())
		require.Empty(t, h.Misuse())
	}
}

// TestCalloutSharesBudgets has each worker allow its part: here one of two.
func TestCalloutSharesBudgets(t *testing.T) {
	h := callouts(t, `"limits":{"workers":2},"budgets":{"b":{"unit":"requests","window":"day","limit":2}},`, "x", nil)
	ask(h)
	require.Len(t, h.Callouts(), 1)
	require.Equal(t, "429", ask(h).Response().Status())
}
