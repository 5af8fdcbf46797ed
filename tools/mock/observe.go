package mock

import (
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
)

// Usage is what answers cost, in tokens. Input includes CacheRead and
// CacheWrite; Output includes Reasoning.
type Usage = core.Usage

// Request is one request that the mock saw.
type Request struct {
	At            time.Time
	Dialect       string
	Method, Path  string // the path as it was escaped
	Query         string
	Proto         string
	Header        http.Header
	Body          []byte // nil when it was dropped to stay within Options.RememberBytes
	Size          int    // of the body
	Stray         bool   // unknown path or method, or a POST without a body
	Model         string // as asked for
	Stream        bool
	Done          bool // the fields below are final
	Status        int
	Outcome       string // Answered, Reset, Closed, Cut, Aborted
	RequestID     string // that the answer carried
	Billed        *Usage // what the provider would bill; nil for errors
	UsageReported bool   // the usage was sent
}

// Stats are counters since the start, or since Forget.
type Stats struct {
	Requests, Stray, Aborted, InFlight int
	Paths                              map[string]int // requests by path; beyond 256 paths "*"
	Statuses                           map[int]int    // answers by status
	// Billed is the usage by model, as asked for, of every answer that was
	// made, also when it was cut or its usage not sent; Reported is the usage
	// that went out. Beyond 1,024 models "*".
	Billed, Reported map[string]Usage
}

const (
	maxPaths  = 256
	maxModels = 1024
	rest      = "*"
)

// record is the memory of a Server.
type record struct {
	mu        sync.Mutex
	ring      []*Request
	bytes     int
	most      int
	mostBytes int
	stats     Stats
}

func newRecord(most, mostBytes int) *record {
	r := &record{most: most, mostBytes: mostBytes}
	r.stats = newStats()
	return r
}

func newStats() Stats {
	return Stats{
		Paths: map[string]int{}, Statuses: map[int]int{},
		Billed: map[string]Usage{}, Reported: map[string]Usage{},
	}
}

// keep puts a request into the ring.
func (r *record) keep(req *http.Request, body []byte, dialect string, stray bool, now time.Time) *Request {
	seen := &Request{
		At: now, Dialect: dialect, Method: req.Method, Path: req.URL.EscapedPath(),
		Query: req.URL.RawQuery, Proto: req.Proto, Header: req.Header.Clone(),
		Body: body, Size: len(body), Stray: stray,
	}
	seen.Header.Set("Host", req.Host)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring = append(r.ring, seen)
	r.bytes += len(body)
	if drop := len(r.ring) - r.most; drop > 0 {
		for _, old := range r.ring[:drop] {
			r.bytes -= len(old.Body)
		}
		r.ring = append([]*Request{}, r.ring[drop:]...)
	}
	for _, old := range r.ring {
		if r.bytes <= r.mostBytes {
			break
		}
		r.bytes -= len(old.Body)
		old.Body = nil
	}
	return seen
}

func (r *record) begin(path string, stray bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Requests++
	r.stats.InFlight++
	if stray {
		r.stats.Stray++
	}
	if _, known := r.stats.Paths[path]; !known && len(r.stats.Paths) >= maxPaths {
		path = rest
	}
	r.stats.Paths[path]++
}

// finish books what became of a request.
func (r *record) finish(p *player) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.InFlight--
	r.stats.Statuses[p.reply.Status]++
	if p.outcome == Aborted {
		r.stats.Aborted++
	}
	if u := p.reply.Usage; u != nil {
		add(r.stats.Billed, p.x.Model, *u)
		if p.reported {
			add(r.stats.Reported, p.x.Model, *u)
		}
	}
	if p.seen == nil {
		return
	}
	seen := p.seen
	seen.Model, seen.Stream = p.x.Model, p.x.Stream
	seen.Status, seen.Outcome, seen.RequestID = p.reply.Status, p.outcome, p.x.RequestID
	seen.Billed, seen.UsageReported, seen.Done = p.reply.Usage, p.reported, true
}

// amend corrects what was booked when the last bytes did not leave after all.
func (r *record) amend(p *player) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Aborted++
	if u := p.reply.Usage; u != nil && p.reported {
		add(r.stats.Reported, p.x.Model, u.Negated())
	}
	if p.seen != nil {
		p.seen.Outcome, p.seen.UsageReported = Aborted, false
	}
}

func add(m map[string]Usage, model string, u Usage) {
	if _, known := m[model]; !known && len(m) >= maxModels {
		model = rest
	}
	m[model] = m[model].Add(u)
}

// Requests returns the requests seen, oldest first, those under way included.
// Benchmark models are counted, not kept. Headers and bodies are shared: they
// are not to be changed.
func (s *Server) Requests() []Request {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	out := make([]Request, len(s.record.ring))
	for i, seen := range s.record.ring {
		out[i] = *seen
	}
	return out
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	out := s.record.stats
	out.Paths, out.Statuses = maps.Clone(out.Paths), maps.Clone(out.Statuses)
	out.Billed, out.Reported = maps.Clone(out.Billed), maps.Clone(out.Reported)
	return out
}

// Forget drops the requests and counters; requests under way stay in flight.
func (s *Server) Forget() {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	inFlight := s.record.stats.InFlight
	s.record.ring, s.record.bytes, s.record.stats = nil, 0, newStats()
	s.record.stats.InFlight = inFlight
}
