package core

import (
	"strings"
	"time"
)

// Scenario is what behaviours add up to for one request. The zero value is a
// provider in good health.
type Scenario struct {
	Fault      FaultKind
	RetryAfter time.Duration
	Flap       int

	// How the answer is sent.
	HeaderDelay, FirstDelay time.Duration
	DripSize                int
	DripWait                time.Duration
	Cut                     Cut
	CutWait                 time.Duration
	StreamError             StreamError
	HTML                    int
	EmptyBody, Malformed    bool
	Gzip                    bool

	// How events are framed.
	LineEnd                           string
	BOM, Comments, NoSpace, MultiLine bool

	// What the answer says.
	Pings                 int
	Unknown               bool
	Huge                  int
	Tokens, Chunks        int
	Parallel              int
	Cached                bool
	Filtered, Refused     bool
	EmptyChoices, NoUsage bool
}

// Cut says where an answer is broken off.
type Cut uint8

// The cuts.
const (
	NoCut Cut = iota
	ResetBefore
	CloseBefore
	HangBefore
	ResetMid
	CloseMid
	EndMid
	HangMid
)

// StreamError says where a stream is broken off by an error event.
type StreamError uint8

// The places.
const (
	NoStreamError StreamError = iota
	ErrorFirst
	ErrorOpened
	ErrorMid
)

// Parse adds behaviours, separated by commas, to the scenario.
func (s *Scenario) Parse(list string) error {
	for _, spec := range strings.Split(list, ",") {
		if strings.TrimSpace(spec) == "" {
			continue
		}
		if err := s.apply(spec); err != nil {
			return err
		}
	}
	return nil
}

// SplitModel takes the behaviours out of a model name: "gpt-4o!slow=5ms!crlf"
// is gpt-4o with two of them, "mock-429" and "mock-error-429" are models of
// their own with one.
func SplitModel(name string) (base string, specs []string) {
	parts := strings.Split(name, "!")
	base, specs = parts[0], parts[1:]
	if spec, ok := strings.CutPrefix(base, "mock-"); ok {
		spec = strings.TrimPrefix(spec, "error-")
		if known(spec) {
			specs = append([]string{spec}, specs...)
		}
	}
	return base, specs
}

// Ask takes up the model that a request names: it notes it, adds the behaviours
// in its name to the scenario and looks up what is left in the catalogue. The
// model is nil when the catalogue has no such model.
func (x *Exchange) Ask(name string, catalogue []Model) (*Model, error) {
	x.Model = name
	base, specs := SplitModel(name)
	for _, spec := range specs {
		if err := x.Scenario.apply(spec); err != nil {
			return nil, err
		}
	}
	for i := range catalogue {
		if m := catalogue[i]; m.ID == base || m.Snapshot == base {
			m.Snapshot = either(m.Snapshot, m.ID)
			return &m, nil
		}
	}
	if !x.World.serves(base) && (len(specs) == 0 || !strings.HasPrefix(base, "mock-")) {
		return nil, nil
	}
	return &Model{ID: base, Snapshot: base, Display: base, Window: defaultWindow,
		Reasons: strings.Contains(base, "reason")}, nil
}

const defaultWindow = 128_000

func (w *World) serves(base string) bool {
	for _, name := range w.Models {
		prefix, open := strings.CutSuffix(name, "*")
		if base == name || open && strings.HasPrefix(base, prefix) {
			return true
		}
	}
	return false
}

func either(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// Reframes says whether events are written in another form than usual.
func (s *Scenario) Reframes() bool {
	return s.LineEnd != "" || s.BOM || s.Comments || s.NoSpace || s.MultiLine
}
