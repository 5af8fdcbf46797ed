package pipeline

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/llm"
)

// The model: whatever order a host calls back in, however streams end, and
// whichever host call fails,
//
//   - a request is answered by the module at most once, and resumed at most once;
//   - it is settled exactly once, and leaves one record;
//   - nothing stays behind: no live stream, no bytes in flight, no hold, no lease
//     in use.
func TestCallbacksInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		late := &delayed{}
		m, client, provider := newModule(rt, late)
		w := &walk{t: rt, m: m, client: client, provider: provider, late: late}
		for range rapid.IntRange(1, 4).Draw(rt, "requests") {
			w.requests = append(w.requests, w.begin())
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":        func(*rapid.T) { w.check() },
			"request": w.request, "attempt": w.attempt, "answer": w.answer,
			"end": w.end, "gather": w.gather, "tick": w.tick, "front": w.front,
		})
		w.finish()
	})
}

// delayed is a gatherer that waits, or not, and may answer twice.
type delayed struct {
	wait bool
	done []func(*llm.Error)
}

func (d *delayed) Gather(_ *llm.Facts, done func(*llm.Error)) {
	if !d.wait {
		done(nil)
		return
	}
	d.done = append(d.done, done)
}

// walk is a random walk through the callbacks of a few requests.
type walk struct {
	t        *rapid.T
	m        *Module
	client   *plugin
	provider *plugin
	late     *delayed
	requests []*walker
}

// walker is one request of the walk.
type walker struct {
	s        *fakeStream
	c        Callbacks
	stage    *clientStage
	attempts []*try
	done     bool
	records  int
}

type try struct {
	s *fakeStream
	p Callbacks
}

func (w *walk) begin() *walker {
	s := &fakeStream{state: map[string]string{}}
	c := w.client.Stream(s)
	return &walker{s: s, c: c, stage: c.(*clientStage)}
}

func (w *walk) pick(t *rapid.T) *walker {
	return w.requests[rapid.IntRange(0, len(w.requests)-1).Draw(t, "which")]
}

var bodies = []string{
	`{"model":"fast","messages":[{"role":"user","content":"hi"}]}`,
	`{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}`,
	`{"model":"none","messages":[]}`, `{"model":`, ``, strings.Repeat("x", 5000),
}

func (w *walk) request(t *rapid.T) {
	r := w.pick(t)
	if r.done {
		return
	}
	r.s.refuse = rapid.SampledFrom([]string{"", "", "", "set_header", "set_body", "set_property"}).Draw(t, "refuse")
	w.late.wait = rapid.Bool().Draw(t, "wait")
	switch rapid.IntRange(0, 2).Draw(t, "part") {
	case 0:
		if r.stage.r == nil {
			r.s.headers[Request] = [][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}, {"x-envoy-x", "1"}}
			r.c.RequestHeaders(rapid.Bool().Draw(t, "end"))
		}
	case 1:
		r.s.body[Request] = []byte(rapid.SampledFrom(bodies).Draw(t, "body"))
		r.c.RequestBody(len(r.s.body[Request]), rapid.Bool().Draw(t, "end"))
	case 2:
		r.c.RequestTrailers()
	}
}

// attempt begins another try, as a host does after the client stage, or after
// any failure.
func (w *walk) attempt(t *rapid.T) {
	r := w.pick(t)
	if r.done || len(r.attempts) > 5 {
		return
	}
	a := &try{s: &fakeStream{state: r.s.state}}
	a.s.body[Request] = r.s.body[Request]
	a.p = w.provider.Stream(a.s)
	r.attempts = append(r.attempts, a)
	if a.p.RequestHeaders(false) == Pause {
		a.p.RequestBody(len(a.s.body[Request]), true)
	}
}

var answers = []string{
	`{"id":"a","model":"m1","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`,
	"data: {\"id\":\"a\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n",
	"data: {\"error\":{\"message\":\"no\"}}\n\n", "data: [DONE]\n\n", "data: {\"cho", "\n\n", "<html>", "",
}

func (w *walk) answer(t *rapid.T) {
	r := w.pick(t)
	if len(r.attempts) == 0 {
		return
	}
	a := r.attempts[rapid.IntRange(0, len(r.attempts)-1).Draw(t, "attempt")]
	switch rapid.IntRange(0, 3).Draw(t, "part") {
	case 0:
		a.s.headers[Response] = [][2]string{
			{":status", rapid.SampledFrom([]string{"200", "200", "429", "500", ""}).Draw(t, "status")},
			{"content-type", rapid.SampledFrom([]string{"application/json", "text/event-stream"}).Draw(t, "type")}}
		a.p.ResponseHeaders(rapid.Bool().Draw(t, "end"))
	case 1:
		a.s.body[Response] = append(a.s.body[Response], rapid.SampledFrom(answers).Draw(t, "chunk")...)
		a.p.ResponseBody(len(a.s.body[Response]), rapid.Bool().Draw(t, "end"))
	case 2:
		a.p.ResponseTrailers()
	case 3:
		a.p.Done()
	}
}

// front plays the answer's way through the client stage, the host's own too.
func (w *walk) front(t *rapid.T) {
	r := w.pick(t)
	if r.done {
		return
	}
	switch rapid.IntRange(0, 3).Draw(t, "part") {
	case 0:
		r.s.headers[Response] = [][2]string{{":status", rapid.SampledFrom([]string{"200", "413", "503", "504"}).Draw(t, "status")}}
		r.c.ResponseHeaders(rapid.Bool().Draw(t, "end"))
	case 1:
		r.c.ResponseBody(3, rapid.Bool().Draw(t, "end"))
	case 2:
		r.c.ResponseTrailers()
	case 3:
		if r.stage.r != nil { // a panic comes from a callback
			r.c.Recovered("a panic")
		}
	}
}

func (w *walk) end(t *rapid.T) { w.close(w.pick(t)) }

func (w *walk) close(r *walker) {
	delete(r.s.state, "postern.audit")
	r.s.refuse = ""
	r.c.Done()
	if _, told := r.s.state["postern.audit"]; told {
		r.records++
	}
	r.done = true
}

func (w *walk) gather(t *rapid.T) {
	if len(w.late.done) == 0 {
		return
	}
	done := w.late.done[rapid.IntRange(0, len(w.late.done)-1).Draw(t, "fact")]
	if rapid.Bool().Draw(t, "fails") {
		done(internalError("a fact is missing"))
		return
	}
	done(nil)
}

func (w *walk) tick(t *rapid.T) {
	vm := w.m.vm.(*fakeVM)
	vm.now = vm.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
	w.client.Tick()
}

func (w *walk) check() {
	for _, r := range w.requests {
		require.LessOrEqual(w.t, r.s.replies, 1, "answered twice")
		require.LessOrEqual(w.t, r.s.resumed[Request], 1, "resumed twice")
		require.LessOrEqual(w.t, r.records, 1, "told twice")
		for _, a := range r.attempts {
			require.LessOrEqual(w.t, a.s.resumed[Response], 1, "an answer was resumed twice")
		}
	}
	require.GreaterOrEqual(w.t, w.m.inFlight, 0)
	require.LessOrEqual(w.t, w.m.inFlight, w.client.snap.limits.InFlight)
}

func (w *walk) finish() {
	for _, r := range w.requests {
		for _, a := range r.attempts {
			a.p.Done()
		}
		w.close(r)
		if r.stage.r != nil {
			require.Equal(w.t, 1, r.records, "one record per request")
			require.Equal(w.t, ended, r.stage.r.phase)
		}
	}
	w.check()
	require.Empty(w.t, w.m.live)
	require.Empty(w.t, w.m.holding)
	require.Zero(w.t, w.m.inFlight)
}
