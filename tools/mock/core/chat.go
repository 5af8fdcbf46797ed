package core

import (
	"errors"
	"mime"
	"sync"

	"github.com/posterngw/postern/tools/mock/strict"
)

// Chat is what a dialect adds to the core for an operation that makes text.
type Chat interface {
	// Catalogue lists the models.
	Catalogue() []Model
	// Check holds a body against the API's field table. The model is nil when
	// there is none of that name.
	Check(x *Exchange, body *strict.Value, m *Model) *Fault
	// Read makes a turn of a body that passed Check. It finds what a field
	// table cannot say and sets x.Stream.
	Read(x *Exchange, body *strict.Value, m *Model) (Turn, *Fault)
}

// Turn is one request for text, understood.
type Turn interface {
	// Prompt is what the core answers.
	Prompt() *Prompt
	// Whole renders the answer as one body.
	Whole(x *Exchange, a *Answer) Reply
	// Stream renders the answer as events.
	Stream(x *Exchange, a *Answer) Reply
}

// ServeChat answers one request for text.
func ServeChat(x *Exchange, d Dialect, c Chat) Reply {
	body, model, f := Open(x, d, c.Catalogue(), c.Check)
	if f != nil {
		return d.Refuse(x, *f)
	}
	turn, f := c.Read(x, body, model)
	if f != nil {
		return d.Refuse(x, *f)
	}
	p := turn.Prompt()
	p.Model = *model
	if p.Input.Input+max(p.MaxTokens, 0) > model.Window {
		return d.Refuse(x, d.Fault(ContextLength, x))
	}
	if x.Scenario.Cached {
		p.Input.CacheRead, p.Input.CacheWrite = p.Input.Input/2, 0
	}
	a := x.World.Compose(p, &x.Scenario)
	render := turn.Whole
	if x.Stream {
		render = turn.Stream
	}
	r := render(x, &a)
	r.Usage = &a.Usage
	return r
}

// Open reads and checks a JSON body: media type, syntax, the behaviours that
// the model's name asks for, the field table, and whether there is such a
// model.
func Open(x *Exchange, d Dialect, catalogue []Model, check func(*Exchange, *strict.Value, *Model) *Fault) (*strict.Value, *Model, *Fault) {
	fail := func(kind FaultKind) (*strict.Value, *Model, *Fault) {
		f := d.Fault(kind, x)
		return nil, nil, &f
	}
	if media, _, err := mime.ParseMediaType(x.Header.Get("content-type")); err != nil || media != "application/json" {
		return fail(BadMediaType)
	}
	body, err := strict.Parse(x.Body)
	if err != nil {
		f := d.Fault(BadJSON, x)
		f.Message = syntaxMessage(err, f.Message)
		return nil, nil, &f
	}
	name := x.Model // from the path, where the API has it there
	if name == "" {
		name = body.Get("model").Str()
	}
	model, err := x.Ask(name, catalogue)
	if err != nil {
		f := d.Fault(Invalid, x)
		f.Message = err.Error()
		return nil, nil, &f
	}
	if f := x.Fails(d); f != nil {
		return nil, nil, f
	}
	if f := check(x, body, model); f != nil {
		return nil, nil, f
	}
	if model == nil {
		return fail(NoModel)
	}
	return body, model, nil
}

// syntaxMessage names a duplicate key. Providers take the last of two; the mock
// refuses, so that nobody relies on which one counts.
func syntaxMessage(err error, otherwise string) string {
	var dup *strict.DuplicateError
	if errors.As(err, &dup) {
		return "duplicate key '" + dup.Path.Bracketed() + "'"
	}
	return otherwise
}

// Fails returns the fault that the scenario asks for, or nil.
func (x *Exchange) Fails(d Dialect) *Fault {
	s := &x.Scenario
	kind := s.Fault
	if s.Flap > 0 && x.World.flaps.fails(x.Model, s.Flap) {
		kind = Unavailable
	}
	if kind == NoFault {
		return nil
	}
	f := d.Fault(kind, x)
	f.RetryAfter = s.RetryAfter
	return &f
}

// maxFlaps bounds how many model names flap at a time.
const maxFlaps = 1024

// flaps counts requests per model name.
type flaps struct {
	mu    sync.Mutex
	count map[string]int
}

func (f *flaps) fails(model string, n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil || len(f.count) > maxFlaps {
		f.count = map[string]int{}
	}
	seen := f.count[model]
	f.count[model]++
	return seen%(2*n) < n
}
