package pipeline

import (
	"strconv"
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
//   - what the client gets is as long as it was told, and nothing of a provider's
//     that is no answer is in it;
//   - nothing stays behind: no live stream, no bytes in flight, no hold.
//
// Most steps are those of a plausible host, so that walks get far; some are not.
func TestCallbacksInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		late := &delayed{}
		m, client, provider := newModule(rt, late)
		w := &walk{t: rt, m: m, client: client, provider: provider, late: late}
		for range rapid.IntRange(1, 3).Draw(rt, "requests") {
			w.requests = append(w.requests, w.begin())
		}
		step := map[string]func(*rapid.T){
			"": func(*rapid.T) { w.check() }, "stray": w.stray, "end": w.end, "gather": w.gather, "tick": w.tick, "panic": w.panic,
		}
		for i := range 6 { // the plausible way is drawn most often
			step["go on "+strconv.Itoa(i)] = w.goOn
		}
		rt.Repeat(step)
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

// walker is one request of the walk, and what a host keeps of it.
type walker struct {
	s       *fakeStream
	c       Callbacks
	stage   *clientStage
	part    int // of the request: 0 headers, 1 body, 2 left or held
	tries   []*try
	now     *try // the attempt that runs
	begun   bool // the client's answer has begun
	got     []byte
	over    bool // the client's answer is complete
	done    bool
	records int
}

type try struct {
	s    *fakeStream
	p    Callbacks
	kind string
	part int // 0 nothing, 1 headers came, 2 they went on
	held []byte
	done bool
}

func (w *walk) begin() *walker {
	s := &fakeStream{state: map[string]string{}}
	c := w.client.Stream(s)
	return &walker{s: s, c: c, stage: c.(*clientStage)}
}

func (w *walk) pick(t *rapid.T) *walker {
	return w.requests[rapid.IntRange(0, len(w.requests)-1).Draw(t, "which")]
}

func likely(t *rapid.T, label string) bool { return rapid.IntRange(0, 4).Draw(t, label) > 0 }

// raw marks what of a provider's bytes no client may see.
const raw = "RAW"

var (
	bodies = []string{chat, chatStream, chat, chatStream, `{"model":"none","messages":[]}`, `{"model":`, ``, strings.Repeat("x", 5000)}

	kinds = []string{jsonType, events, events, "text/html", ""}

	wholes = []string{wholeJSON, wholeJSON, `{"error":{"message":"x"},"y":"` + raw + `"}`, "<html>" + raw, "{", ""}

	chunks = []string{firstChunk, firstChunk,
		"data: {\"id\":\"a\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n",
		"data: {\"error\":{\"message\":\"x\"},\"y\":\"" + raw + "\"}\n\n", "data: [DONE]\n\n", "data: {\"cho", "\n\n", ": ping\n\n",
		"", "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"m2\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
			"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n",
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"}
)

// goOn makes the next steps of a plausible host for one request.
func (w *walk) goOn(t *rapid.T) {
	r := w.pick(t)
	for range rapid.IntRange(1, 4).Draw(t, "steps") {
		w.next(t, r)
	}
}

func (w *walk) next(t *rapid.T, r *walker) {
	r.s.refuse = ""
	if rapid.IntRange(0, 30).Draw(t, "refuses") == 0 {
		r.s.refuse = rapid.SampledFrom([]string{"set_header", "set_body", "set_property"}).Draw(t, "refuse")
	}
	switch {
	case r.done || r.over || r.s.replies > 0:
	case r.part < 2:
		w.request(t, r)
	case r.stage.r.phase == gathering:
		w.gather(t)
	case r.now == nil:
		w.attempt(r)
	default:
		w.answer(t, r)
	}
	r.s.refuse = ""
}

func (w *walk) request(t *rapid.T, r *walker) {
	if r.part == 0 {
		r.part = 1
		r.s.headers[Request] = [][2]string{{":method", "POST"}, {":path", "/v1/chat/completions"}, {"x-envoy-x", "1"}}
		r.c.RequestHeaders(!likely(t, "body"))
		return
	}
	w.late.wait = !likely(t, "at once")
	r.s.body[Request] = []byte(rapid.SampledFrom(bodies).Draw(t, "body"))
	end := likely(t, "end")
	action := r.c.RequestBody(len(r.s.body[Request]), end)
	if !end && rapid.Bool().Draw(t, "trailers") {
		action, end = r.c.RequestTrailers(), true
	}
	if end && (action == Continue || r.stage.r.phase == gathering) {
		r.part = 2
	}
}

// attempt begins the next try.
func (w *walk) attempt(r *walker) {
	if len(r.tries) > 5 {
		return
	}
	a := &try{s: &fakeStream{state: r.s.state, refuse: r.s.refuse}}
	a.s.headers[Request] = r.s.headers[Request]
	a.s.body[Request] = append([]byte(nil), r.s.body[Request]...)
	a.p = w.provider.Stream(a.s)
	r.tries, r.now = append(r.tries, a), a
	if a.p.RequestHeaders(false) == Pause && a.s.replies == 0 {
		a.p.RequestBody(len(a.s.body[Request]), true)
	}
	w.replied(r, a)
}

// replied plays the reply of a provider stage: it ends the failover.
func (w *walk) replied(r *walker, a *try) bool {
	if a.s.replies == 0 {
		return false
	}
	w.drop(r, a)
	if r.begun {
		r.over = true // cut off
		return true
	}
	w.front(r, [][2]string{{":status", "500"}}, nil, true)
	return true
}

func (w *walk) drop(r *walker, a *try) {
	if !a.done {
		a.done = true
		a.p.Done()
	}
	if r.now == a {
		r.now = nil
	}
}

// answer is the next step of the running attempt's answer.
func (w *walk) answer(t *rapid.T, r *walker) {
	a := r.now
	a.s.refuse = r.s.refuse
	if !likely(t, "answers") {
		w.broken(t, r, a)
		return
	}
	if a.part == 0 {
		a.part, a.kind = 1, rapid.SampledFrom(kinds).Draw(t, "type")
		a.s.headers[Response] = [][2]string{{":status", rapid.SampledFrom([]string{"200", "200", "200", "204", "400", "429", "500", ""}).Draw(t, "status")},
			{"content-type", a.kind}, {"content-length", "7"}, {"x-postern-x", "1"}}
		end := !likely(t, "has body")
		w.onwards(t, r, a, a.p.ResponseHeaders(end), end)
		return
	}
	if rapid.IntRange(0, 9).Draw(t, "trailers") == 0 {
		a.s.body[Response] = a.held
		action := a.p.ResponseTrailers()
		a.held = a.s.body[Response]
		w.onwards(t, r, a, action, true)
		return
	}
	list := wholes
	if a.kind == events {
		list = chunks
	}
	piece := rapid.SampledFrom(list).Draw(t, "chunk")
	a.s.body[Response] = append(a.held, piece...)
	end := strings.Contains(piece, "[DONE]") || !likely(t, "goes on")
	action := a.p.ResponseBody(len(a.s.body[Response]), end)
	a.held = a.s.body[Response]
	w.onwards(t, r, a, action, end)
}

// broken is a reset, or a time-out, of the running attempt.
func (w *walk) broken(t *rapid.T, r *walker, a *try) {
	w.drop(r, a)
	switch {
	case r.begun:
		r.over = true
	case rapid.Bool().Draw(t, "the host gives up"):
		status := rapid.SampledFrom([]string{"503", "504"}).Draw(t, "status")
		w.front(r, [][2]string{{":status", status}}, []byte("upstream "+raw), true)
	}
}

// onwards passes on what a provider stage lets go.
func (w *walk) onwards(t *rapid.T, r *walker, a *try, action Action, end bool) {
	if w.replied(r, a) || action == Pause {
		require.False(w.t, end && action == Pause && a.s.replies == 0, "an answer that has ended is held")
		return
	}
	if _, marked := a.s.Header(Response, retryMark); marked && a.part == 1 && likely(t, "retries") {
		w.drop(r, a)
		return
	}
	a.part = 2
	bytes := a.held
	a.held = nil
	if end {
		w.drop(r, a)
	}
	w.front(r, a.s.headers[Response], bytes, end)
}

// front plays the answer's way through the client stage to the client.
func (w *walk) front(r *walker, headers [][2]string, body []byte, end bool) {
	if !r.begun {
		r.begun = true
		r.s.headers[Response] = headers
		if r.c.ResponseHeaders(end && len(body) == 0) == Pause {
			require.Equal(w.t, 1, r.s.replies)
			r.over = true
			return
		}
	}
	if len(body) > 0 || end {
		r.s.body[Response] = body
		r.c.ResponseBody(len(body), end)
		r.got = append(r.got, r.s.body[Response]...)
	}
	r.over = end
}

// stray is a callback that no plausible host makes now.
func (w *walk) stray(t *rapid.T) {
	r := w.pick(t)
	if r.done || r.stage.r == nil {
		return
	}
	switch rapid.IntRange(0, 3).Draw(t, "callback") {
	case 0:
		r.c.RequestTrailers()
	case 1:
		r.c.RequestBody(0, true)
	case 2:
		w.drop(r, &try{done: true})
	case 3:
		if len(r.tries) > 0 {
			a := r.tries[len(r.tries)-1]
			a.s.body[Response] = nil
			if a.p.ResponseBody(0, false) == Continue && !a.done && a.part == 1 {
				w.onwards(t, r, a, Continue, false)
			}
		}
	}
}

func (w *walk) panic(t *rapid.T) {
	r := w.pick(t)
	if r.stage.r == nil || r.done || !rapid.Bool().Draw(t, "panics") {
		return
	}
	if a := r.now; a != nil && rapid.Bool().Draw(t, "provider") {
		a.s.body[Response] = nil
		a.p.Recovered("a panic")
		a.held = nil
		w.replied(r, a)
		return
	}
	r.c.Recovered("a panic")
}

func (w *walk) end(t *rapid.T) {
	if r := w.pick(t); rapid.IntRange(0, 3).Draw(t, "ends") == 0 {
		w.close(r)
	}
}

func (w *walk) close(r *walker) {
	delete(r.s.state, "postern.audit")
	r.s.refuse = ""
	r.c.Done()
	if _, told := r.s.state["postern.audit"]; told {
		r.records++
	}
	r.done = true
	for _, a := range r.tries {
		w.drop(r, a)
		a.p.Done()
	}
}

func (w *walk) gather(t *rapid.T) {
	if len(w.late.done) == 0 {
		return
	}
	done := w.late.done[rapid.IntRange(0, len(w.late.done)-1).Draw(t, "fact")]
	if !likely(t, "known") {
		done(internalError("a fact is missing"))
		return
	}
	done(nil)
}

func (w *walk) tick(t *rapid.T) {
	vm := w.m.vm.(*fakeVM)
	vm.now = vm.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
	w.client.Tick()
	for _, r := range w.requests {
		if a := r.now; a != nil && a.part == 1 && a.s.resumed[Response] > 0 {
			w.onwards(t, r, a, Continue, false) // a hold has ended
		}
	}
}

func (w *walk) check() {
	for _, r := range w.requests {
		require.LessOrEqual(w.t, r.s.replies, 1, "answered twice")
		require.LessOrEqual(w.t, r.s.resumed[Request], 1, "resumed twice")
		require.LessOrEqual(w.t, r.records, 1, "told twice")
		require.NotContains(w.t, string(r.got), raw, "a provider's bytes reach the client")
		if n, ok := r.s.Header(Response, "content-length"); ok && r.over && r.s.replies == 0 && r.stage.r.err != nil {
			require.Equal(w.t, n, strconv.Itoa(len(r.got)), "%s", r.got)
		}
		for _, a := range r.tries {
			require.LessOrEqual(w.t, a.s.resumed[Response], 1, "an answer was resumed twice")
			require.LessOrEqual(w.t, a.s.replies, 1, "an attempt was answered twice")
		}
	}
	require.GreaterOrEqual(w.t, w.m.inFlight, 0)
	require.LessOrEqual(w.t, w.m.inFlight, w.client.snap.limits.InFlight)
}

func (w *walk) finish() {
	for _, r := range w.requests {
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
