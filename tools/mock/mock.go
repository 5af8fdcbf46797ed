package mock

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
)

// Options configure a Server. The zero value accepts any credential (but wants
// one), answers without delay, and gives the same answers every time.
type Options struct {
	// Keys lists the credentials accepted, by dialect ("openai", "anthropic");
	// a dialect that is not in it accepts any.
	Keys map[string][]string
	// Models are names served besides the catalogues; "name*" stands for all
	// that begin so.
	Models []string
	// FirstDelay is waited before the first content of a stream (and before a
	// whole answer), ChunkDelay between two contents.
	FirstDelay, ChunkDelay time.Duration
	// Chunks is the number of content chunks of a streamed text; 0 leaves it
	// to the text.
	Chunks int
	// ParallelTools is the number of tool calls in an answer that calls tools,
	// where parallel calls are allowed; 0: two or more when the prompt asks
	// for them ("both", "each of", "parallel", "at once"), else one.
	ParallelTools int
	// AlternateRoles refuses two messages of one role in a row in the
	// Anthropic dialect, which the API itself merges.
	AlternateRoles bool
	// Seed varies identifiers and texts.
	Seed uint64
	// Clock gives the time for answers; nil: time.Now.
	Clock func() time.Time
	// Sleep waits; nil: a timer. It returns early, with an error, when the
	// context ends.
	Sleep func(context.Context, time.Duration) error
	// MaxBody bounds a request's body in bytes; 0: 32 MiB. Beyond it: 413.
	MaxBody int64
	// Remember bounds how many requests Requests returns; 0: 512.
	Remember int
	// RememberBytes bounds the bodies kept for Requests, all together; 0:
	// 64 MiB.
	RememberBytes int
}

// Server is the mock. As a handler it serves all dialects; Handler serves one.
type Server struct {
	opts    Options
	world   *core.World
	routes  []route
	record  *record
	benches sync.Map // benchKey → core.Reply
	benchN  int
	benchMu sync.Mutex

	mu       sync.Mutex
	scenario core.Scenario // of every request, set by Behave

	life context.Context // ends with Close
	end  context.CancelFunc
}

// New returns a Server.
func New(opts Options) *Server {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Sleep == nil {
		opts.Sleep = sleep
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = 32 << 20
	}
	if opts.Remember <= 0 {
		opts.Remember = 512
	}
	if opts.RememberBytes <= 0 {
		opts.RememberBytes = 64 << 20
	}
	life, end := context.WithCancel(context.Background())
	return &Server{
		opts: opts, life: life, end: end,
		world: &core.World{
			Seed: opts.Seed, Now: opts.Clock, Models: opts.Models,
			Chunks: opts.Chunks, Parallel: opts.ParallelTools, AlternateRoles: opts.AlternateRoles,
		},
		routes: routes(),
		record: newRecord(opts.Remember, opts.RememberBytes),
	}
}

func routes() []route {
	var out []route
	for _, d := range dialects() {
		out = append(out, route{d, d.Endpoints()})
	}
	return out
}

// Dialects returns the names of all dialects.
func Dialects() []string {
	var names []string
	for _, d := range dialects() {
		names = append(names, d.Name())
	}
	return names
}

// Behave sets behaviours for every request from now on, as in the request
// header: "503", "slow=5ms, crlf"; "" ends them.
func (s *Server) Behave(list string) error {
	var scenario core.Scenario
	if err := scenario.Parse(list); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scenario = scenario
	return nil
}

// Close ends every wait of every answer, now and later, so that a listener can
// shut down.
func (s *Server) Close() { s.end() }

// ServeHTTP serves all dialects on one address.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, s.routes)
}

// Handler serves one dialect: every other path is a stray. It fails when there
// is no dialect of that name.
func (s *Server) Handler(dialect string) (http.Handler, error) {
	for i := range s.routes {
		if s.routes[i].Name() == dialect {
			only := s.routes[i : i+1]
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s.serve(w, r, only)
			}), nil
		}
	}
	return nil, fmt.Errorf("mock: no dialect %q; there are %v", dialect, Dialects())
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
