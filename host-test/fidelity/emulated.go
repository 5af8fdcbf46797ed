package fidelity

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/host-test"
)

// Emulate runs a row on hosttest with the given profile and returns its transcript.
func Emulate(row *Row, profile hosttest.Profile, probe hosttest.Module) ([]string, error) {
	w := &emulation{row: row}
	host, err := hosttest.New(w.config(profile, probe))
	if err != nil {
		return nil, err
	}
	w.host = host
	row.Traffic(w)
	lines := w.lines()
	return lines, errors.Join(w.err, host.Close())
}

// emulation is the World of one row on hosttest.
type emulation struct {
	row     *Row
	host    *hosttest.Host
	streams []*hosttest.Stream
	current *hosttest.Stream
	seen    map[any]*message
	calls   []*hosttest.Callout
	done    map[any]bool // attempts and callouts whose upstream has finished its answer
	access  []string
	err     error
}

func (w *emulation) config(profile hosttest.Profile, probe hosttest.Module) hosttest.Config {
	r, s := w.row, w.row.Setup
	w.seen, w.done = map[any]*message{}, map[any]bool{}
	cfg := hosttest.Config{Profile: profile, InternalClients: s.Internal, BufferLimit: s.ConnLimit, Routes: r.routes, AccessLog: func(a *hosttest.AccessLog) {
		w.access = append(w.access, r.plain(readAccess(a).String()))
	}}
	for i, script := range []string{r.Down, r.Second} {
		if script != "" {
			cfg.Downstream = append(cfg.Downstream, r.filter([]string{"down", "second"}[i], script, s.VM, probe))
		}
	}
	if r.Up != "" {
		vm := s.VM
		if s.UpVM != "" {
			vm = s.UpVM
		}
		cfg.Upstream = append(cfg.Upstream, r.filter("up", r.Up, vm, probe))
	}
	cfg.Clusters = map[string]http.RoundTripper{}
	for _, c := range clusters {
		cfg.Clusters[r.cluster(c)] = nil // known, and answered by the row
	}
	return cfg
}

// routes is the route of bootstrap.go: it matches every path without an x-none header.
func (r *Row) routes(h *hosttest.Headers) *hosttest.Route {
	if !strings.HasPrefix(h.Get(":path"), "/") || h.Has("x-none") {
		return nil
	}
	s := r.Setup
	return &hosttest.Route{
		Name: "main", Cluster: r.choose, RefreshClusterOnRetry: s.ByState, IncludeAttemptCount: s.CountAttempts || s.ByState,
		Retry: s.Retry, Timeout: s.Timeout, BufferLimit: s.BufferLimit,
	}
}

func (r *Row) filter(as, script, vm string, probe hosttest.Module) hosttest.Filter {
	if vm == "" {
		vm = sharedVM
	}
	return hosttest.Filter{
		Name: as, VMID: vm, Module: probe, Config: []byte(r.script(as, script)),
		AllowHeadersStop: !r.Setup.NoStop, FailurePolicy: r.Setup.Policy,
	}
}

// choose is the rule that bootstrap.go renders as a matcher: the first target until an attempt was
// made, then the second; a missing second one is the first again.
func (r *Row) choose(state *hosttest.FilterState, h *hosttest.Headers, _ int) string {
	if !r.Setup.ByState {
		return r.cluster("a")
	}
	if h.Get("x-envoy-attempt-count") == "1" {
		if t, ok := state.Get("wasm.t2"); ok {
			return t
		}
	}
	if t, ok := state.Get("wasm.t1"); ok {
		return t
	}
	return r.cluster("a")
}

func (w *emulation) Request(end bool, headers ...string) {
	s := w.host.NewStream()
	w.streams = append(w.streams, s)
	w.current = s
	s.RequestHeaders(w.row.order(request(headers)), end)
	w.refuse()
	w.look()
}

// order puts pseudo headers as the client's codec does.
func (r *Row) order(list [][2]string) [][2]string {
	if r.Setup.ClientHTTP1 {
		list[0], list[1], list[2], list[3] = list[3], list[2], list[0], list[1]
	}
	return list
}

// framed adds what an HTTP/1.1 codec shows of a message without a length.
func framed(list [][2]string, body, http1 bool) [][2]string {
	sized := slices.ContainsFunc(list, func(h [2]string) bool { return h[0] == "content-length" })
	switch {
	case !http1 || sized:
		return list
	case !body:
		return append(list, [2]string{"content-length", "0"})
	}
	return append(list, [2]string{"transfer-encoding", "chunked"})
}

func (w *emulation) Client(stream int) { w.current = w.streams[stream-1] }

func (w *emulation) Body(data string, end bool) {
	split(w.current.RequestBody, data, end, w.row.Setup.ClientHTTP1)
	w.look()
}

// split feeds a frame. An HTTP/1.1 codec reports the end of a body by itself.
func split(feed func([]byte, bool), data string, end, http1 bool) {
	if end && http1 {
		feed([]byte(data), false)
		feed(nil, true)
		return
	}
	feed([]byte(data), end)
}

func (w *emulation) Trailers(headers ...string) {
	w.current.RequestTrailers(pairs(headers))
	w.look()
}

func (w *emulation) Abort() {
	w.current.Abort()
	w.look()
}

// attempts are all attempts of the row, in the order of their streams.
func (w *emulation) attempts() []*hosttest.Attempt {
	var all []*hosttest.Attempt
	for _, s := range w.streams {
		all = append(all, s.Attempts()...)
	}
	return slices.DeleteFunc(all, func(a *hosttest.Attempt) bool { return a.Request().Headers == nil })
}

// maxBackoff is how long an attempt is waited for, 1 ms at a time.
const maxBackoff = 30

// attempt waits for the back-off of a retry.
func (w *emulation) attempt(n int) *hosttest.Attempt {
	for range maxBackoff {
		if all := w.attempts(); len(all) >= n {
			return all[n-1]
		}
		w.host.Advance(time.Millisecond)
		w.refuse()
	}
	w.fail("attempt %d was not made", n)
	return nil
}

// refuse is a cluster that accepts no connections.
func (w *emulation) refuse() {
	if !w.row.Setup.Dead {
		return
	}
	for _, s := range w.streams {
		if a := s.Attempt(); a != nil && a.Cluster == w.row.cluster("a") && !a.Finished() && a.Request().Headers != nil {
			a.Reset(hosttest.ConnectFailure)
			w.done[a] = true
		}
	}
}

func (w *emulation) Respond(attempt int, status string, end bool, headers ...string) {
	if a := w.attempt(attempt); a != nil {
		w.done[a] = end
		a.ResponseHeaders(framed(answer(status, headers), !end, w.row.Setup.HTTP1), end)
	}
	w.look()
}

func (w *emulation) Chunk(attempt int, data string, end bool) {
	if a := w.attempt(attempt); a != nil {
		w.done[a] = end
		split(a.ResponseBody, data, end, w.row.Setup.HTTP1)
	}
	w.look()
}

func (w *emulation) EndWith(attempt int, trailers ...string) {
	if a := w.attempt(attempt); a != nil {
		w.done[a] = true
		a.ResponseTrailers(pairs(trailers))
	}
	w.look()
}

func (w *emulation) Reset(attempt int, how Break) {
	reasons := map[Break]hosttest.ResetReason{ResetStream: hosttest.RemoteReset, RefuseStream: hosttest.RefusedStream, CloseUpstream: hosttest.ConnectionClosed}
	if a := w.attempt(attempt); a != nil {
		w.done[a] = true
		a.Reset(reasons[how])
	}
	w.look()
}

// callout is the n-th that was ever made.
func (w *emulation) callout(n int) *hosttest.Callout {
	w.collect()
	if len(w.calls) < n {
		w.fail("callout %d was not made", n)
		return nil
	}
	return w.calls[n-1]
}

func (w *emulation) collect() {
	for _, c := range w.host.Callouts() {
		if !slices.Contains(w.calls, c) {
			w.calls = append(w.calls, c)
		}
	}
}

func (w *emulation) Answer(callout int, status, body string, headers ...string) {
	if c := w.callout(callout); c != nil {
		w.done[c] = true
		c.Respond(answer(status, headers), []byte(body), nil)
	}
	w.look()
}

func (w *emulation) BreakCall(callout int) {
	if c := w.callout(callout); c != nil {
		w.done[c] = true
		c.Fail()
	}
	w.look()
}

func (w *emulation) Elapse(d time.Duration, _ string) {
	w.host.Advance(d)
	w.refuse()
	w.look()
}

func (w *emulation) fail(format string, args ...any) {
	w.err = errors.Join(w.err, fmt.Errorf("row %s: "+format, append([]any{w.row.Name}, args...)...))
}

// look takes down what has arrived since the last step.
func (w *emulation) look() {
	w.collect()
	for _, s := range w.streams {
		w.take(s, s.Response())
	}
	for _, a := range w.attempts() {
		m := w.take(a, a.Request())
		m.server = w.row.plain(a.Cluster)
		if m.cut != "" || a.Cancelled() != "" && !w.done[a] {
			m.cut = givenUp
		}
	}
}

// The ways in which messages are broken off.
const (
	givenUp = "given up"
	cut     = "cut"
)

func (w *emulation) take(key any, from hosttest.Message) *message {
	m := w.seen[key]
	if m == nil {
		m = &message{}
		w.seen[key] = m
	}
	body, old := from.Body(), strings.Join(m.pieces, "")
	m.fresh = []byte(body[len(old):])
	m.step()
	if from.Headers != nil {
		m.headers = from.Headers.Pairs()
	}
	if from.Trailers != nil {
		m.trailers = from.Trailers.Pairs()
	}
	m.end = from.Complete
	if from.Broken != "" && !from.Complete {
		m.cut = cut
	}
	return m
}

// lines are the transcript.
func (w *emulation) lines() []string {
	w.look()
	var out []string
	for _, l := range w.host.Logs() {
		if text, ok := strings.CutPrefix(l.Text, w.row.logPrefix()); ok {
			out = append(out, w.row.plain(text))
		}
	}
	for i, a := range w.attempts() {
		m := w.seen[a]
		if w.row.Setup.HTTP1 {
			m.frame(a.Smuggled())
		}
		out = append(out, m.attemptLines(i+1)...)
	}
	for i, c := range w.calls {
		m := &message{headers: c.Headers.Pairs(), fresh: c.Body, trailers: c.Trailers, end: true}
		if !w.done[c] && !slices.Contains(w.host.Callouts(), c) {
			m.cut = givenUp
		}
		out = append(out, m.lines("callout "+strconv.Itoa(i+1))...)
	}
	for i, s := range w.streams {
		m := w.seen[s]
		m.headers = unframed(m.headers)
		if w.row.Setup.ClientHTTP1 {
			m.fresh, m.pieces = []byte(strings.Join(m.pieces, "")), nil
		}
		out = append(out, m.lines("client "+strconv.Itoa(i+1))...)
	}
	return append(out, w.end()...)
}

// end is how the row ended: with the proxy, or with access logs. What a real proxy would not survive
// or would do twice, hosttest reports as misuse.
func (w *emulation) end() []string {
	lines := slices.Clone(w.access)
	for _, m := range w.host.Misuse() {
		if strings.Contains(m, "crashes") {
			return []string{died}
		}
		lines = append(lines, "misuse reported: "+m)
	}
	return lines
}

func readAccess(a *hosttest.AccessLog) logFields {
	return logFields{
		strconv.Itoa(a.Status), a.Flags, a.Details, strconv.Itoa(a.Attempts), a.Cluster,
		a.FilterState["wasm.audit"], strconv.Itoa(a.RequestBytes), strconv.Itoa(a.ResponseBytes),
	}
}

// frame makes of a message as filters left it what an HTTP/1.1 upstream receives.
func (m *message) frame(smuggled string) {
	list := slices.DeleteFunc(slices.Clone(m.headers), func(h [2]string) bool { return h[0] == ":scheme" })
	body := strings.Join(m.pieces, "")
	if m.headers = list; body != "" {
		m.headers = framed(list, true, true)
	}
	m.extra, m.pieces = []byte(smuggled), nil
	m.fresh = []byte(strings.TrimSuffix(body, smuggled))
}
