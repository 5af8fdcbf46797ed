package pipeline

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
)

// exchange is one request driven by hand.
type exchange struct {
	t        *testing.T
	m        *Module
	provider *plugin
	s        *fakeStream
	c        *clientStage
}

func newExchange(t *testing.T, m *Module, client, provider *plugin) *exchange {
	s := &fakeStream{state: map[string]string{}}
	return &exchange{t: t, m: m, provider: provider, s: s, c: client.Stream(s).(*clientStage)}
}

func start(t *testing.T, gather ...Gatherer) *exchange {
	m, client, provider := newModule(t, gather...)
	return newExchange(t, m, client, provider)
}

func (x *exchange) headers(more ...[2]string) Action {
	x.s.headers[Request] = append([][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}}, more...)
	return x.c.RequestHeaders(false)
}

func (x *exchange) body(text string) Action {
	x.s.body[Request] = []byte(text)
	return x.c.RequestBody(len(text), true)
}

// send sends a good request as far as the router.
func (x *exchange) send(body string) {
	require.Equal(x.t, Pause, x.headers())
	require.Equal(x.t, Continue, x.body(body))
	require.Equal(x.t, sent, x.c.r.phase)
}

// attempt begins a try as the host does, up to the whole request.
func (x *exchange) attempt() (*fakeStream, *providerStage) {
	s := &fakeStream{state: x.s.state}
	s.headers[Request], s.body[Request] = x.s.headers[Request], append([]byte(nil), x.s.body[Request]...)
	p := x.provider.Stream(s).(*providerStage)
	if p.RequestHeaders(false) == Pause {
		p.RequestBody(len(s.body[Request]), true)
	}
	return s, p
}

func respond(s *fakeStream, p *providerStage, status int, kind string) Action {
	s.headers[Response] = [][2]string{{":status", strconv.Itoa(status)}, {"content-type", kind}}
	return p.ResponseHeaders(false)
}

func chunk(s *fakeStream, p *providerStage, text string, end bool) Action {
	s.body[Response] = []byte(text)
	return p.ResponseBody(len(text), end)
}

// record ends the request and reads what it left.
func (x *exchange) record() map[string]any {
	x.c.Done()
	var rec map[string]any
	require.NoError(x.t, json.Unmarshal([]byte(x.s.state["postern.audit"]), &rec))
	require.NotContains(x.t, x.m.live, x.c.r.key)
	require.Zero(x.t, x.c.r.admitted)
	delete(x.s.state, "postern.audit")
	x.c.Done()
	require.NotContains(x.t, x.s.state, "postern.audit", "told twice")
	return rec
}

const (
	chat       = `{"model":"fast","messages":[{"role":"user","content":"hi"}]}`
	chatStream = `{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}`
	wholeJSON  = `{"id":"a","model":"m1","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
	firstChunk = "data: {\"id\":\"a\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n"
	events     = "text/event-stream"
	jsonType   = "application/json"
)

// TestSnapshotOfARequest: a request in flight keeps the configuration that it
// began with when a new one comes, be it to a new plugin or to its own.
func TestSnapshotOfARequest(t *testing.T) {
	m, before, provider := newModule(t)
	other := strings.ReplaceAll(testConfig, `"m1"`, `"other"`)
	for name, after := range map[string]*plugin{"a new plugin": m.Plugin().(*plugin), "the same": before} {
		t.Run(name, func(t *testing.T) {
			require.True(t, before.Configure([]byte(testConfig)))
			old := newExchange(t, m, before, provider)
			old.headers()
			require.True(t, after.Configure([]byte(other)))
			require.Equal(t, Continue, old.body(chat))
			young := newExchange(t, m, after, provider)
			young.send(chat)
			s, _ := old.attempt()
			require.Contains(t, string(s.body[Request]), `"m1"`)
			s, _ = young.attempt()
			require.Contains(t, string(s.body[Request]), `"other"`)
			a, b := old.record()["config"], young.record()["config"]
			require.NotEqual(t, a, b)
			require.Equal(t, b, after.snap.Version)
		})
	}
}

// declaring is a stream of a host whose variables must be declared.
type declaring struct{ *fakeStream }

func (s declaring) SetProperty(name, value string) {
	if s.fakeStream.SetProperty(name, value); name == undeclared {
		s.err = errors.New("not found")
	}
}

// TestBudgetsOutliveAConfiguration: also where the host has no shared data, and each
// worker keeps its own.
func TestBudgetsOutliveAConfiguration(t *testing.T) {
	const config = `{"version":1,"mode":"callout","providers":{"one":{"dialect":"openai","url":"https://one.test/v1"}},"identity":{"anonymous":{}},
"models":{"m1":{"targets":[{"provider":"one","model":"m1"}]}},"budgets":{"calls":{"unit":"requests","window":"day","limit":2}}}`
	m, _, _ := newModule(t)
	passed := 0
	for range 4 { // a route of APISIX changed
		p := m.Plugin().(*plugin)
		require.True(t, p.Configure([]byte(config)), "%v", m.vm.(*fakeVM).logs)
		body := `{"model":"m1","messages":[]}`
		s := &fakeStream{state: map[string]string{}, headers: [2][][2]string{{{":method", "POST"}, {":path", "/v1/chat/completions"}, {"host", "h"},
			{"content-type", "application/json"}, {"content-length", strconv.Itoa(len(body))}}}, body: [2][]byte{[]byte(body)}}
		w := p.newCallout(declaring{s})
		require.Equal(t, Continue, w.RequestHeaders(true), "%v", w.c.r.err)
		if w.RequestBody(len(body), true) == Continue {
			passed++
		}
	}
	require.Equal(t, 2, passed)
}

// TestBudgetsOfAnOldConfiguration: what a request uses after its configuration
// was replaced, and the plugin that had it is gone, counts for the new one.
func TestBudgetsOfAnOldConfiguration(t *testing.T) {
	tight := strings.Replace(testConfig, `"limit":100000`, `"limit":200,"chunk":1,"lease_ttl":"5s"`, 1)
	m, before, provider := newModule(t)
	require.True(t, before.Configure([]byte(tight)))
	after := m.Plugin().(*plugin)
	require.True(t, after.Configure([]byte(tight)))
	vm := m.vm.(*fakeVM)
	for _, wait := range []time.Duration{0, 30 * time.Second} { // also when the host has ticked in between
		old := newExchange(t, m, before, provider)
		old.send(chat)
		vm.now = vm.now.Add(wait)
		after.Tick()
		s, p := old.attempt()
		respond(s, p, 200, jsonType)
		chunk(s, p, strings.ReplaceAll(wholeJSON, `"prompt_tokens":1,`, `"prompt_tokens":20,`), true)
		old.record()
	}
	for range 30 { // the leases of the old one expire
		vm.now = vm.now.Add(time.Second)
		after.Tick()
	}
	young := newExchange(t, m, after, provider)
	young.headers()
	require.Equal(t, Pause, young.body(chat))
	require.Equal(t, "budget_exceeded", young.record()["error"].(map[string]any)["code"])
	require.Len(t, m.serving, 1)
}

func TestRefusedConfigurations(t *testing.T) {
	m, client, _ := newModule(t)
	for name, text := range map[string]string{
		"no JSON":        `{`,
		"unknown key":    `{"version":1,"unknown":1}`,
		"small bound":    strings.Replace(testConfig, `"in_flight":65536`, `"in_flight":65536,"body":131072`, 1),
		"missing secret": strings.Replace(testConfig, "env:KEY", "env:NONE", 1),
	} {
		serves := client.snap
		require.False(t, client.Configure([]byte(text)), name)
		require.Same(t, serves, client.snap, name)
	}
	require.NotContains(t, strings.Join(m.vm.(*fakeVM).logs, "\n"), "sk-provider")
	none := New(newVM(), []*dialect.Dialect{{Name: "mute"}, openai.New()})
	require.False(t, none.Plugin().Configure([]byte(testConfig)), "a dialect that is not built in")
}

func TestGatherLate(t *testing.T) {
	slow := &delayed{wait: true}
	for name, test := range map[string]struct {
		act     func(x *exchange)
		replies int
		resumed int
		end     string
	}{
		"comes":           {func(x *exchange) { slow.done[0](nil) }, 0, 1, "client_abort"},
		"comes twice":     {func(x *exchange) { slow.done[0](nil); slow.done[0](nil); slow.done[0](internalError("late")) }, 0, 1, "client_abort"},
		"fails":           {func(x *exchange) { slow.done[0](internalError("no fact")) }, 1, 0, "local_reply"},
		"fails, comes":    {func(x *exchange) { slow.done[0](internalError("no fact")); slow.done[0](nil) }, 1, 0, "local_reply"},
		"host refuses":    {func(x *exchange) { x.s.refuse = "set_property"; slow.done[0](nil); x.s.refuse = "" }, 1, 0, "local_reply"},
		"body is gone":    {func(x *exchange) { x.s.body[Request] = nil; slow.done[0](nil) }, 1, 0, "local_reply"},
		"panic meanwhile": {func(x *exchange) { x.c.Recovered("boom"); slow.done[0](nil) }, 1, 0, "trap"},
		"host answers": {func(x *exchange) {
			x.s.headers[Response] = [][2]string{{":status", "408"}}
			x.c.ResponseHeaders(false)
			slow.done[0](nil)
		}, 0, 0, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			slow.done = nil
			x := start(t, slow)
			x.headers()
			require.Equal(t, Pause, x.body(chat))
			require.Equal(t, gathering, x.c.r.phase)
			require.Equal(t, Pause, x.c.RequestTrailers())
			test.act(x)
			require.Equal(t, test.replies, x.s.replies)
			require.Equal(t, test.resumed, x.s.resumed[Request])
			require.Equal(t, test.end, x.record()["end"])
		})
	}
	t.Run("after the end", func(t *testing.T) {
		slow.done = nil
		x := start(t, slow)
		x.headers()
		x.body(chat)
		x.record()
		slow.done[0](nil)
		require.Zero(t, x.s.resumed[Request]+x.s.replies)
	})
	t.Run("at once, failing", func(t *testing.T) {
		x := start(t, failing{})
		x.headers()
		require.Equal(t, Pause, x.body(chat))
		require.Equal(t, 1, x.s.replies)
	})
}

// failing is a gatherer that fails at once.
type failing struct{}

func (failing) Gather(_ *llm.Facts, done func(*llm.Error)) { done(internalError("no fact")) }

// TestStrayAttempts: a provider stage that finds no request, or one whose plan is
// at its end, sends nothing.
func TestStrayAttempts(t *testing.T) {
	x := start(t)
	s, p := x.attempt()
	require.Equal(t, 1, s.replies)
	require.Equal(t, Continue, p.ResponseHeaders(false))
	require.Equal(t, Continue, p.ResponseBody(1, false))
	require.Equal(t, Continue, p.ResponseTrailers())
	p.Done()

	x.send(chat)
	for range 2 {
		s, p = x.attempt()
		require.Zero(t, s.replies)
		p.Done()
	}
	s, p = x.attempt()
	require.Equal(t, 1, s.replies)
	p.Done()
	require.Len(t, x.c.r.attempts, 2)
	x.s.headers[Response] = [][2]string{{":status", "500"}}
	x.c.ResponseHeaders(true)
	require.Equal(t, "internal_error", x.record()["error"].(map[string]any)["code"])
}

func TestTrailersEndRequests(t *testing.T) {
	x := start(t)
	x.headers()
	x.s.body[Request] = []byte(chat)
	require.Equal(t, Pause, x.c.RequestBody(len(chat), false))
	require.Equal(t, Continue, x.c.RequestTrailers())
	require.Equal(t, Continue, x.c.RequestTrailers())
	s := &fakeStream{state: x.s.state}
	p := x.provider.Stream(s).(*providerStage)
	require.Equal(t, Pause, p.RequestHeaders(false), "targets of two dialects: each attempt encodes")
	s.body[Request] = x.s.body[Request]
	require.Equal(t, Pause, p.RequestBody(len(s.body[Request]), false))
	require.Equal(t, Continue, p.RequestTrailers())
	require.Contains(t, string(s.body[Request]), `"m1"`)
	x.record()

	m, client, provider := newModule(t)
	require.True(t, client.Configure([]byte(strings.Replace(testConfig, `,{"provider":"two","model":"m2","priority":1}`, "", 1))))
	x = newExchange(t, m, client, provider)
	x.send(chat)
	s = &fakeStream{state: x.s.state}
	p = x.provider.Stream(s).(*providerStage)
	require.Equal(t, Continue, p.RequestHeaders(false), "one target: the client stage has encoded")
	require.Equal(t, Continue, p.RequestBody(3, false))
	require.Equal(t, Continue, p.RequestTrailers())
	x.record()
}

// TestForgottenByTheHost: a stream that the host never ended gives back what it
// holds after a time, and has its record when its end comes after all.
func TestForgottenByTheHost(t *testing.T) {
	x := start(t)
	x.send(chat)
	vm := x.m.vm.(*fakeVM)
	vm.now = vm.now.Add(maxAge + time.Second)
	x.m.tick()
	require.Empty(t, x.m.live)
	require.Equal(t, ended, x.c.r.phase)
	s, _ := x.attempt()
	require.Equal(t, 1, s.replies, "its state is gone")
	require.Equal(t, "client_abort", x.record()["end"])
}

func TestAnswersOfTheHost(t *testing.T) {
	for _, test := range []struct {
		status, want int
		code, class  string
	}{
		{413, 413, "request_too_large", "client"}, {503, 503, "upstream_unavailable", "provider"},
		{504, 504, "upstream_timeout", "timeout"}, {408, 408, "upstream_timeout", "timeout"},
		{500, 500, "upstream_unavailable", "provider"}, {403, 403, "refused_by_host", "client"},
	} {
		for _, bare := range []bool{false, true} {
			x := start(t)
			x.headers()
			x.s.headers[Response] = [][2]string{{":status", strconv.Itoa(test.status)}, {"content-encoding", "gzip"}, {"content-length", "9"}}
			x.c.ResponseHeaders(bare)
			text := string(x.c.replaced)
			require.Contains(t, text, `"code":"`+test.code+`"`)
			if bare {
				require.Equal(t, 1, x.s.replies)
			} else {
				x.s.body[Response] = []byte("host's own")
				x.c.ResponseBody(10, false)
				require.Equal(t, text, string(x.s.body[Response]))
				x.c.ResponseBody(10, true)
				require.Empty(t, x.s.body[Response])
				length, _ := x.s.Header(Response, "content-length")
				require.Equal(t, strconv.Itoa(len(text)), length)
				_, coded := x.s.Header(Response, "content-encoding")
				require.False(t, coded)
			}
			rec := x.record()
			require.EqualValues(t, test.want, rec["status"])
			require.EqualValues(t, len(text), rec["bytes_out"])
			require.Equal(t, test.class, rec["error"].(map[string]any)["class"])
		}
	}
}

// TestPause: how long to wait is said in seconds, and in the header of the API.
func TestPause(t *testing.T) {
	r := &request{api: &dialect.API{}}
	require.Equal(t, append(plainHeaders(), [2]string{"retry-after", "2"}), r.answerHeaders(1500*time.Millisecond))
	r.api.Pause = "x-pause"
	require.Equal(t, append(plainHeaders(), [2]string{"x-pause", "1500"}, [2]string{"retry-after", "2"}), r.answerHeaders(1500*time.Millisecond))
	require.Equal(t, plainHeaders(), r.answerHeaders(0))
}

// TestMarkedForNobody: the host does not go to the next target although an answer
// is marked; the client gets the error, and nothing of the mark.
func TestMarkedForNobody(t *testing.T) {
	x := start(t)
	x.send(chat)
	s, p := x.attempt()
	s.headers[Response] = [][2]string{{":status", "429"}, {"retry-after", "7"}, {"content-encoding", "gzip"}}
	p.ResponseHeaders(false)
	s.body[Response] = []byte("RAW")
	require.Equal(t, Pause, p.ResponseBody(3, false))
	require.Equal(t, Continue, p.ResponseTrailers())
	_, marked := s.Header(Response, retryMark)
	require.True(t, marked)
	x.s.headers[Response] = s.headers[Response]
	require.Equal(t, Continue, x.c.ResponseHeaders(false))
	for _, name := range []string{retryMark, "content-encoding"} {
		_, there := x.s.Header(Response, name)
		require.False(t, there, name)
	}
	after, _ := x.s.Header(Response, "retry-after")
	require.Equal(t, "7", after)
	x.s.body[Response] = []byte("RAW")
	x.c.ResponseBody(3, false)
	require.Contains(t, string(x.s.body[Response]), "rate_limit_exceeded")
	require.Equal(t, Continue, chunk(s, p, "RAW", true))
	require.Empty(t, s.body[Response])
	x.c.ResponseTrailers()
	require.EqualValues(t, 429, x.record()["status"])
}

// TestTargetsThatCannot: what a target of another dialect cannot carry leaves it
// out of the plan, and where none is left the client is told.
func TestTargetsThatCannot(t *testing.T) {
	twice := `{"model":"fast","n":2,"messages":[{"role":"user","content":"hi"}]}`
	x := start(t)
	x.send(twice)
	require.Len(t, x.c.r.plan.Targets, 1)
	require.Equal(t, "unsupported_parameter", x.record()["excluded"].([]any)[0].(map[string]any)["reason"])
	for _, targets := range []string{`{"provider":"two","model":"m2"}`, `{"provider":"two","model":"m2"},{"provider":"two","model":"m3"}`} {
		m, client, provider := newModule(t)
		require.True(t, client.Configure([]byte(strings.Replace(testConfig,
			`{"provider":"one","model":"m1"},{"provider":"two","model":"m2","priority":1}`, targets, 1))))
		x = newExchange(t, m, client, provider)
		x.headers()
		require.Equal(t, Pause, x.body(twice))
		rec := x.record()
		require.EqualValues(t, 400, rec["status"])
		budgets, _ := rec["budgets"].([]any)
		for _, b := range budgets {
			require.NotContains(t, b, "settled", "nothing was used")
		}
	}
}

func TestStreamsOfOneVM(t *testing.T) {
	m, client, provider := newModule(t)
	var live []*exchange
	for range 9 {
		x := newExchange(t, m, client, provider)
		x.headers()
		live = append(live, x)
	}
	require.Equal(t, 1, live[8].s.replies, "limits.streams is 8")
	require.EqualValues(t, 1, m.refusals)
	for _, x := range live {
		x.c.Done()
	}
	require.Empty(t, m.live)
}

func TestNoRecords(t *testing.T) {
	for _, metrics := range []string{"true", "false"} {
		m, client, provider := newModule(t)
		require.True(t, client.Configure([]byte(strings.Replace(testConfig, `"version":1`,
			`"version":1,"audit":{"records":false},"telemetry":{"metrics":`+metrics+`}`, 1))), m.vm.(*fakeVM).logs)
		x := newExchange(t, m, client, provider)
		x.send(chat)
		x.c.Done()
		require.NotContains(t, x.s.state, "postern.audit")
		require.Empty(t, m.live, "settled all the same")
		client.Tick()
		require.Equal(t, metrics == "true", strings.Contains(strings.Join(m.vm.(*fakeVM).metrics, " "), "requests;"))
	}
}

func TestClaims(t *testing.T) {
	m, client, provider := newModule(t)
	require.True(t, client.Configure([]byte(strings.Replace(testConfig, `{"anonymous":{"team":"search"}}`,
		`{"jwt":{"payload":"corp","claims":{"user":"sub"}}}`, 1))), m.vm.(*fakeVM).logs)
	x := newExchange(t, m, client, provider)
	x.s.state["metadata.filter_metadata.envoy.filters.http.jwt_authn.corp.sub"] = "alice"
	x.send(chat)
	require.Equal(t, "alice", x.record()["principal"].(map[string]any)["user"])
}

// foreign is a client dialect whose keys come in a header of its own.
type foreign struct{ dialect.Client }

func (foreign) Token(l *dialect.Line) (token, header string) {
	return l.Header("x-other-key"), "x-other-key"
}

func TestForeignKeysStay(t *testing.T) {
	d := openai.New()
	d.APIs[0].Client = foreign{d.APIs[0].Client}
	m := New(newVM(), []*dialect.Dialect{d, anthropic.New()})
	client := m.Plugin().(*plugin)
	require.True(t, m.Plugin().Configure([]byte(ProviderConfig)))
	require.True(t, client.Configure([]byte(testConfig)))
	x := newExchange(t, m, client, nil)
	x.headers([2]string{"x-other-key", "secret"})
	_, there := x.s.Header(Request, "x-other-key")
	require.False(t, there)
}

// TestRecordAsLogLine: where filter state cannot be written, the record is a line.
func TestRecordAsLogLine(t *testing.T) {
	x := start(t)
	x.headers()
	x.s.err = hostError(nil0{})
	x.s.refuse = "set_property"
	x.c.Done()
	logs := x.m.vm.(*fakeVM).logs
	require.Contains(t, logs[len(logs)-1], `postern: audit {"record":1`)
}

// nil0 is an error without content.
type nil0 struct{}

func (nil0) Error() string { return "earlier" }

// TestNoWebSockets: an upgrade is refused at its headers, since no end of a body
// would come.
func TestNoWebSockets(t *testing.T) {
	x := start(t)
	require.Equal(t, Pause, x.headers([2]string{"upgrade", "WebSocket"}))
	require.EqualValues(t, 426, x.record()["status"])
}

// TestNoProviderStage: an answer to a request that left by a cluster without a
// provider stage is nobody's: it met neither its target's address nor its key.
func TestNoProviderStage(t *testing.T) {
	x := start(t)
	x.send(chat)
	x.s.state["response.code_details"] = "via_upstream"
	x.s.headers[Response] = [][2]string{{":status", "200"}, {"content-type", jsonType}}
	require.Equal(t, Continue, x.c.ResponseHeaders(false))
	status, _ := x.s.Header(Response, ":status")
	require.Equal(t, "503", status)
	x.s.body[Response] = []byte(wholeJSON)
	x.c.ResponseBody(len(wholeJSON), true)
	require.Contains(t, string(x.s.body[Response]), `"code":"partner_missing"`)
}

// TestProbeEnds: what is found out of the host is asked no more once it is known.
func TestProbeEnds(t *testing.T) {
	first := start(t)
	first.send(chat)
	require.Contains(t, first.s.asked, "request.total_size", "it is not known yet whether bodies come")
	vm := first.m.vm.(*fakeVM)
	vm.reads = nil
	second := newExchange(t, first.m, first.c.snap.plugin(first.m), first.provider)
	second.send(chat)
	require.NotContains(t, second.s.asked, "request.total_size")
	require.NotContains(t, vm.reads, staged)
	require.NotContains(t, vm.reads, probeKey)
}

// plugin is a client stage of the snapshot.
func (sn *Snapshot) plugin(m *Module) *plugin { return &plugin{m: m, snap: sn} }
