package hosttest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Handler serves real HTTP over the emulation: each request is a stream on the next worker, its
// attempts and callouts go to Config.Clusters, chunks are flushed as they come, and a client that
// goes away aborts its stream. The host needs clusters and a RealClock.
func (h *Host) Handler() (http.Handler, error) {
	if h.cfg.Clusters == nil {
		return nil, errors.New("hosttest: Handler needs Config.Clusters")
	}
	if _, virtual := h.clock.(*VirtualClock); virtual {
		return nil, errors.New("hosttest: Handler needs a clock that runs: set Config.Clock to RealClock")
	}
	return http.HandlerFunc(h.serve), nil
}

func (h *Host) serve(w http.ResponseWriter, r *http.Request) {
	s := h.newStream(-1)
	f := newFlow(s)
	s.client, s.driver = f, &httpDriver{host: h, flow: f}
	s.protocol, s.peer = envoyProtocol(r), r.RemoteAddr
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // HTTP/2 has it anyway
	pairs, eos := requestPairs(r)
	s.RequestHeaders(pairs, eos)
	if !eos {
		go f.readBody(r)
	}
	stop := context.AfterFunc(r.Context(), func() {
		s.Abort()
		f.reset("client gone")
	})
	broken := f.writeResponse(w, control)
	stop()
	if broken {
		s.Abort()
		panic(http.ErrAbortHandler) // net/http's way to cut a connection; it recovers
	}
}

// envoyProtocol spells the protocol as proxies do.
func envoyProtocol(r *http.Request) string {
	if r.ProtoMajor == 2 {
		return "HTTP/2"
	}
	return r.Proto
}

func requestPairs(r *http.Request) ([][2]string, bool) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	pairs := [][2]string{{":authority", r.Host}, {":path", r.URL.RequestURI()}, {":method", r.Method}, {":scheme", scheme}}
	for _, name := range sortedKeys(r.Header) {
		lower := strings.ToLower(name)
		if hopByHop[lower] {
			continue
		}
		for _, v := range r.Header[name] {
			pairs = append(pairs, [2]string{lower, v})
		}
	}
	if r.ContentLength > 0 && r.Header.Get("Content-Length") == "" {
		pairs = append(pairs, [2]string{"content-length", strconv.FormatInt(r.ContentLength, 10)})
	}
	return pairs, r.Body == nil || r.Body == http.NoBody
}

// flow joins a stream to a connection: a queue towards the client, and waiting for senders while a
// reader is slow.
type flow struct {
	s *Stream

	mu     sync.Mutex
	ready  sync.Cond
	queue  []frame
	size   int
	broken bool
}

// frame is something to write to the client.
type frame struct {
	headers, trailers *Headers
	data              []byte
	eos               bool
}

// highWater is how much may wait for a slow reader before its sender waits too.
const highWater = 256 << 10

func newFlow(s *Stream) *flow {
	f := &flow{s: s}
	f.ready.L = &f.mu
	return f
}

func (f *flow) push(x frame) {
	f.mu.Lock()
	f.queue = append(f.queue, x)
	f.size += len(x.data)
	f.mu.Unlock()
	f.ready.Signal()
}

func (f *flow) headers(h *Headers, eos bool) { f.push(frame{headers: h.Clone(), eos: eos}) }
func (f *flow) data(b []byte, eos bool)      { f.push(frame{data: b, eos: eos}) }
func (f *flow) trailers(t *Headers)          { f.push(frame{trailers: t.Clone(), eos: true}) }

func (f *flow) reset(string) {
	f.mu.Lock()
	f.broken = true
	f.mu.Unlock()
	f.ready.Signal()
}

// next waits for something to write; ok is false when the stream broke.
func (f *flow) next() (x frame, ok bool) {
	f.mu.Lock()
	for len(f.queue) == 0 && !f.broken {
		f.ready.Wait()
	}
	if len(f.queue) == 0 {
		f.mu.Unlock()
		return frame{}, false
	}
	x = f.queue[0]
	f.queue[0] = frame{}
	f.queue = f.queue[1:]
	f.size -= len(x.data)
	f.mu.Unlock()
	f.s.relief.changed()
	return x, true
}

// writeResponse writes until the end; broken says that the answer was cut.
func (f *flow) writeResponse(w http.ResponseWriter, control *http.ResponseController) (broken bool) {
	for {
		x, ok := f.next()
		if !ok {
			return true
		}
		if err := x.write(w); err != nil {
			return true
		}
		if x.eos {
			return false
		}
		if err := control.Flush(); err != nil {
			return true
		}
	}
}

func (x frame) write(w http.ResponseWriter) error {
	if x.headers != nil {
		for _, p := range x.headers.Pairs() {
			if !strings.HasPrefix(p[0], ":") && !hopByHop[p[0]] && p != [2]string{"server", "envoy"} {
				w.Header().Add(p[0], p[1])
			}
		}
		status, err := strconv.Atoi(x.headers.Get(":status"))
		if err != nil || status < 200 || status > 999 {
			status = http.StatusBadGateway
		}
		w.WriteHeader(status)
	}
	for _, p := range x.trailers.Pairs() {
		w.Header().Add(http.TrailerPrefix+p[0], p[1])
	}
	if len(x.data) == 0 {
		return nil
	}
	_, err := w.Write(x.data)
	return err
}

// readBody feeds the request's body to the stream.
func (f *flow) readBody(r *http.Request) {
	scratch := scratchPool.Get().(*[]byte)
	defer scratchPool.Put(scratch)
	for {
		n, err := r.Body.Read(*scratch)
		if n > 0 {
			f.s.RequestBody(append([]byte(nil), (*scratch)[:n]...), false)
		}
		if err != nil {
			f.endBody(r, err)
			return
		}
		for {
			change := f.s.relief.channel()
			if !f.requestCongested() {
				break
			}
			<-change
		}
	}
}

func (f *flow) endBody(r *http.Request, err error) {
	switch {
	case err.Error() != "EOF":
		if !f.s.Ended() {
			f.s.Abort()
			f.reset("request body broken")
		}
	case len(r.Trailer) > 0:
		f.s.RequestTrailers(trailerPairs(r.Trailer))
	default:
		f.s.RequestBody(nil, true)
	}
}

func (f *flow) requestCongested() bool {
	f.s.worker.lock()
	defer f.s.worker.unlock()
	if f.s.ended {
		return false
	}
	if a := f.s.router.current; a != nil {
		if c, ok := a.carrier.(*carriage); ok && c.body != nil && c.body.pending() > highWater {
			return true
		}
	}
	return f.s.congested(true)
}

// wait holds a provider's reader back while the client is slow or a filter keeps more than its
// limit; false means that the attempt is over.
func (f *flow) wait(a *Attempt) bool {
	for {
		change := f.s.relief.channel()
		f.mu.Lock()
		slow := f.size > highWater
		f.mu.Unlock()
		f.s.worker.lock()
		over, full := a.finished, f.s.congested(false)
		f.s.worker.unlock()
		if over {
			return false
		}
		if !slow && !full {
			return true
		}
		<-change
	}
}
