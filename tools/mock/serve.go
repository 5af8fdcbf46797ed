package mock

import (
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/posterngw/postern/tools/mock/core"
)

// serve answers one request by one of the dialects.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, among []route) {
	body, err := readBody(w, r, s.opts.MaxBody)
	d, endpoint, kind := find(among, r)
	x := &core.Exchange{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(), Header: r.Header,
		Body: body, World: s.world,
	}
	bench, isBench := core.BenchModel(body)
	if !isBench {
		bench, isBench = core.BenchPath(x.Path)
	}
	stray := isStray(kind, r, body)
	var seen *Request
	if !isBench {
		seen = s.record.keep(r, body, d.Name(), stray, s.opts.Clock())
	}
	s.record.begin(x.Path, stray)
	reply, f := s.admit(x, d, kind, err)
	switch {
	case f != core.NoFault:
		reply = d.Refuse(x, d.Fault(f, x))
	case reply.Status != 0:
	case isBench && r.Method == http.MethodPost:
		x.Model, x.Stream = bench.Model, bench.Stream
		reply = s.bench(d, bench)
	default:
		reply = endpoint.Serve(x)
	}
	p := &player{s: s, w: w, rc: http.NewResponseController(w), ctx: r.Context(), x: x, d: d, reply: reply, seen: seen}
	p.play()
}

func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	limited := http.MaxBytesReader(w, r.Body, most)
	if r.ContentLength <= 0 || r.ContentLength > most {
		return io.ReadAll(limited)
	}
	body := make([]byte, r.ContentLength)
	n, err := io.ReadFull(limited, body)
	return body[:n], err
}

// isStray says whether a request is none that a client of the API makes: an
// unknown path or method, or a body where none was sent.
func isStray(kind core.FaultKind, r *http.Request, body []byte) bool {
	return kind != core.NoFault || r.Method == http.MethodPost && len(body) == 0
}

// route is a dialect and its endpoints.
type route struct {
	core.Dialect
	endpoints []core.Endpoint
}

// find picks the dialect and its endpoint. The kind is NoRoute or BadMethod
// when there is none.
func find(among []route, r *http.Request) (core.Dialect, *core.Endpoint, core.FaultKind) {
	var claimed, matched core.Dialect
	var found *core.Endpoint
	kind := core.NoRoute
	for i := range among {
		d := among[i].Dialect
		if claimed == nil && d.Claims(r.Header) {
			claimed = d
		}
		e, k := among[i].match(r)
		if k == core.BadMethod && kind == core.NoRoute {
			kind = k
		}
		if e != nil && (found == nil || claimed == nil || claimed == d) {
			matched, found = d, e
		}
	}
	switch {
	case found != nil:
		return matched, found, core.NoFault
	case claimed != nil:
		return claimed, nil, kind
	}
	return among[len(among)-1].Dialect, nil, kind
}

func (rt *route) match(r *http.Request) (*core.Endpoint, core.FaultKind) {
	kind := core.NoRoute
	at := r.URL.EscapedPath()
	for i := range rt.endpoints {
		e := &rt.endpoints[i]
		ok, err := path.Match(e.Path, at)
		if !ok || err != nil {
			continue
		}
		if e.Method == r.Method {
			return e, core.NoFault
		}
		kind = core.BadMethod
	}
	return nil, kind
}

// admit checks what does not need the body to be understood, in the order of
// the providers: credential, path, size. It sets the scenario, and makes the
// reply itself when the request asks for a behaviour that there is not.
func (s *Server) admit(x *core.Exchange, d core.Dialect, kind core.FaultKind, readErr error) (core.Reply, core.FaultKind) {
	if k := s.keyFault(d, d.Key(x.Header)); kind == core.NoFault && k != core.NoFault {
		kind = k
	}
	if tooLarge := (*http.MaxBytesError)(nil); kind == core.NoFault && errors.As(readErr, &tooLarge) {
		kind = core.TooLarge
	}
	if kind != core.NoFault {
		return core.Reply{}, kind
	}
	s.mu.Lock()
	x.Scenario = s.scenario
	s.mu.Unlock()
	if err := x.Scenario.Parse(x.Header.Get(core.BehaviourHeader)); err != nil {
		f := d.Fault(core.Invalid, x)
		f.Message = err.Error()
		return d.Refuse(x, f), core.NoFault
	}
	return core.Reply{}, core.NoFault
}

func (s *Server) keyFault(d core.Dialect, key string) core.FaultKind {
	accepted, limited := s.opts.Keys[d.Name()]
	switch {
	case strings.TrimSpace(key) == "":
		return core.NoKey
	case limited && !slices.Contains(accepted, key):
		return core.BadKey
	}
	return core.NoFault
}

// maxBenches bounds the precomputed answers that are kept.
const maxBenches = 64

type benchKey struct {
	dialect string
	core.Bench
}

// bench returns the precomputed answer, made at the first request for it.
func (s *Server) bench(d core.Dialect, b core.Bench) core.Reply {
	key := benchKey{d.Name(), b}
	if kept, ok := s.benches.Load(key); ok {
		if r, ok := kept.(core.Reply); ok {
			return r
		}
	}
	r := d.Bench(b)
	s.benchMu.Lock()
	defer s.benchMu.Unlock()
	if s.benchN < maxBenches {
		s.benchN++
		s.benches.Store(key, r)
	}
	return r
}
