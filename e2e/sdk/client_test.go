package sdk

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/posterngw/postern/tools/mock"
)

// client is an official client as an application uses it.
type client interface {
	Chat(context.Context, question) (answer, error)
	// Stream hands each piece of text on as it comes, and returns what the
	// client's own accumulator makes of all.
	Stream(context.Context, question, func(string)) (answer, error)
	Embed(ctx context.Context, model string, texts []string) (vectors, error)
	// Fault reads the client's own type of error.
	Fault(error) (fault, bool)
}

// question is what every client can ask in its own words.
type question struct {
	model, text string
	image       bool  // with onePixel
	schema      bool  // the answer must satisfy weatherSchema
	tool        bool  // get_weather must be called
	turn        *turn // what came of the call
}

// turn is a model's turn that called a tool, in the client's own type, and the
// result of each call.
type turn struct {
	message any
	calls   []call
	result  string
}

type call struct{ id, name, args string }

type answer struct {
	text    string
	calls   []call
	turn    any // the client's own type
	model   string
	stop    string
	in, out int64 // all tokens
}

type vectors struct {
	floats [][]float64
	in     int64 // tokens; -1 where the API does not tell
}

// fault is what a client's typed error tells.
type fault struct {
	status int
	kind   string
}

// sdk is a row of clients.
type sdk struct {
	language, name string
	make           func(access) client
	driver         *python // of a client for Python
	// kinds are the client's own names of the errors in faults.
	kinds map[string]fault
	// waits says that the client obeys retry-after.
	waits bool
	needs string // what the client cannot do without help, "" for nothing
}

// access is how a client reaches the gateway.
type access struct {
	url, key string
	watch    *watch // of its requests
	retries  int
}

func (a access) http() *http.Client { return &http.Client{Transport: a.watch} }

// What is asked for, as JSON Schema.
const toolName = "get_weather"

var (
	weatherSchema = map[string]any{
		"type": "object", "required": []string{"city", "degrees"}, "additionalProperties": false,
		"properties": map[string]any{"city": map[string]any{"type": "string"}, "degrees": map[string]any{"type": "integer"}},
	}
	weatherText    = `{"type":"object","required":["city","degrees"],"additionalProperties":false,"properties":{"city":{"type":"string"},"degrees":{"type":"integer"}}}`
	toolProperties = map[string]any{"city": map[string]any{"type": "string"}}
	toolSchema     = map[string]any{"type": "object", "required": []string{"city"}, "properties": toolProperties}
)

// onePixel is a PNG, in base64.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// watch is a transport that asks the mock for behaviours and remembers what came.
type watch struct {
	behaviours []string // of the attempts, in their order; then none
	base       http.RoundTripper

	mu   sync.Mutex
	seen []seen
}

type seen struct {
	at     time.Time
	status int
	id     string // of the request
}

func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if n := len(w.seen); n < len(w.behaviours) {
		r = r.Clone(r.Context())
		r.Header.Set(mock.BehaviourHeader, w.behaviours[n])
	}
	i := len(w.seen)
	w.seen = append(w.seen, seen{at: time.Now()})
	w.mu.Unlock()
	res, err := w.base.RoundTrip(r)
	if err == nil {
		w.mu.Lock()
		w.seen[i].status, w.seen[i].id = res.StatusCode, res.Header.Get("x-request-id")
		w.mu.Unlock()
	}
	return res, err
}

// saw remembers a request that another transport made.
func (w *watch) saw(s seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, s)
}

// attempts are the requests that were made.
func (w *watch) attempts() []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]seen(nil), w.seen...)
}
