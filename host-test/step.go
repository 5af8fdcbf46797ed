package hosttest

import (
	"slices"
	"strings"
)

// Message is what has left the proxy on one side: towards the client, or towards a provider.
type Message struct {
	Headers  *Headers // nil until they were sent
	Chunks   [][]byte // the body as it was written
	Trailers *Headers
	Complete bool   // the end was sent
	Broken   string // why the message was cut, "" if it was not
}

// Status is the :status of an answer, "" before there is one.
func (m Message) Status() string { return m.Headers.Get(":status") }

// Body is the whole body so far.
func (m Message) Body() string { return string(slices.Concat(m.Chunks...)) }

// recorder keeps one side of a stream. It runs under the worker's lock.
type recorder struct {
	m      Message
	access *AccessLog
}

func (r *recorder) headers(h *Headers, eos bool) { r.m.Headers, r.m.Complete = h.Clone(), eos }

func (r *recorder) data(b []byte, eos bool) {
	if len(b) > 0 {
		r.m.Chunks = append(r.m.Chunks, slices.Clone(b))
	}
	r.m.Complete = eos
}

func (r *recorder) trailers(t *Headers) { r.m.Trailers, r.m.Complete = t.Clone(), true }

func (r *recorder) reset(reason string) { r.m.Broken = reason }

func (r *recorder) ended(log *AccessLog) { r.access = log }

func (r *recorder) message() Message {
	m := r.m
	m.Chunks = slices.Clone(m.Chunks)
	return m
}

// AccessLog is what the host's access log can show of a stream, after every on_log.
type AccessLog struct {
	Status        int
	Flags         string // DC, UF, UC, UT, …, several as "URX,UC"; "" is none
	Details       string // %RESPONSE_CODE_DETAILS%
	Cluster       string // of the latest choice, "" without a route
	Attempts      int
	FilterState   map[string]string // %FILTER_STATE(wasm.name:PLAIN)%
	RequestBytes  int
	ResponseBytes int
}

// accessLog is the stream's line of the access log.
func (s *Stream) accessLog() *AccessLog {
	return &AccessLog{
		Status: s.code, Flags: strings.Join(s.flags, ","), Details: s.details,
		Cluster: s.router.cluster, Attempts: len(s.router.attempts),
		FilterState: s.state.clone(), RequestBytes: s.requestBytes, ResponseBytes: s.responseBytes,
	}
}

// silentDriver carries attempts nowhere: a test answers them.
type silentDriver struct{}

func (silentDriver) headers(*Attempt, *Headers, bool) {}
func (silentDriver) data(*Attempt, []byte, bool)      {}
func (silentDriver) trailers(*Attempt, *Headers)      {}
func (silentDriver) cancel(a *Attempt, reason string) {
	if !a.rec.m.Complete {
		a.rec.reset(reason)
	}
}

// NewStream opens a stream that a test drives step by step, on the next worker.
func (h *Host) NewStream() *Stream { return h.NewStreamOn(-1) }

// NewStreamOn opens a stream on a worker of choice, counted from 0.
func (h *Host) NewStreamOn(worker int) *Stream {
	h.tracing.Store(true)
	s := h.newStream(worker)
	s.rec = &recorder{}
	s.client, s.driver = s.rec, silentDriver{}
	return s
}

// Response is what the client has got so far.
func (s *Stream) Response() Message {
	s.worker.lock()
	defer s.worker.unlock()
	if s.rec == nil {
		return Message{}
	}
	return s.rec.message()
}

// Attempts are the tries so far.
func (s *Stream) Attempts() []*Attempt {
	s.worker.lock()
	defer s.worker.unlock()
	return slices.Clone(s.router.attempts)
}

// Attempt is the try that runs now, nil if there is none.
func (s *Stream) Attempt() *Attempt {
	s.worker.lock()
	defer s.worker.unlock()
	return s.router.current
}

// AccessLog is nil until the stream has ended.
func (s *Stream) AccessLog() *AccessLog {
	s.worker.lock()
	defer s.worker.unlock()
	if s.rec == nil {
		return nil
	}
	return s.rec.access
}

// FilterState is a copy of the stream's filter state.
func (s *Stream) FilterState() map[string]string {
	s.worker.lock()
	defer s.worker.unlock()
	return s.state.clone()
}

// SetProperty gives this stream a property, by dotted path (see Config.Properties for the types).
func (s *Stream) SetProperty(path string, value any) {
	s.worker.lock()
	defer s.worker.unlock()
	if s.properties == nil {
		s.properties = map[string]any{}
	}
	s.properties[path] = value
}

// ID numbers the stream within its host.
func (s *Stream) ID() uint32 { return s.id }

// Request is what has left the proxy for this attempt's provider.
func (a *Attempt) Request() Message {
	a.stream.worker.lock()
	defer a.stream.worker.unlock()
	if a.rec == nil {
		return Message{}
	}
	return a.rec.message()
}

// Smuggled is the part of the request's body that the provider takes for the beginning of its next
// request, "" if the message is well framed (HTTP/1.1 upstreams).
func (a *Attempt) Smuggled() string {
	m := a.Request()
	hook := a.stream.host.profile.rules.smuggled
	if m.Headers == nil || hook == nil {
		return ""
	}
	return hook(m.Headers, m.Body())
}

// Cancelled says why the proxy gave the attempt up towards its provider, "" if it did not.
func (a *Attempt) Cancelled() string {
	a.stream.worker.lock()
	defer a.stream.worker.unlock()
	return a.cancelled
}

// Finished says that nothing of this attempt reaches the client any more.
func (a *Attempt) Finished() bool {
	a.stream.worker.lock()
	defer a.stream.worker.unlock()
	return a.finished
}

// Raw calls the guest of a filter out of turn, whatever the state of the stream: odd sizes,
// callbacks after done. The index counts through downstream filters. The action is not obeyed.
func (s *Stream) Raw(filter int, cb Callback, args Args) uint32 {
	s.worker.lock()
	defer s.worker.unlock()
	if s.chain == nil || filter >= len(s.chain.filters) {
		return 0
	}
	ctx := s.chain.filters[filter].ctx
	result := ctx.invoke(cb, args)
	ctx.vm.leave()
	return result
}
