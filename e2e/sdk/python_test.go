package sdk

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/posterngw/postern/tools/mock"
)

// python is an official client for Python: python/driver.py asks it what it is
// told to in lines of JSON.
type python struct {
	module string

	process *exec.Cmd
	in      io.WriteCloser

	mu      sync.Mutex
	waiting map[int]chan reply // by the number of the call
	last    int
	ended   bool
}

// pythonModules are the modules of the clients, by the names of their APIs.
var pythonModules = map[string]string{"chat": "chat", "responses": "responses", "anthropic": "messages", "gemini": "generate",
	"converse": "converse", "invoke": "invoke"}

// inPython makes a client one for Python.
func inPython(s sdk) sdk {
	s.language, s.driver = "python", &python{module: pythonModules[s.name], waiting: map[int]chan reply{}}
	s.make = func(a access) client { return pythonClient{s.driver, a} }
	return s
}

// exceptions are the types of what the clients raise, by the status.
var exceptions = map[int]string{400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
	429: "RateLimitError", 502: "InternalServerError"}

// pythonKinds are an API's errors as exceptions of a client for Python.
func pythonKinds(kinds map[string]fault) map[string]fault {
	out := map[string]fault{}
	for name, f := range kinds {
		out[name] = fault{f.status, exceptions[f.status] + " " + f.kind}
	}
	return out
}

// pythonGeminiKinds tell the caller's errors from the server's.
var pythonGeminiKinds = func() map[string]fault {
	out := map[string]fault{}
	for name, f := range geminiKinds {
		class := "ClientError "
		if f.status >= 500 {
			class = "ServerError "
		}
		out[name] = fault{f.status, class + f.kind}
	}
	return out
}()

// order is a line that the driver reads.
type order struct {
	ID         int            `json:"id"`
	Op         string         `json:"op"`
	Access     map[string]any `json:"access,omitempty"`
	Header     string         `json:"header,omitempty"`
	Behaviours []string       `json:"behaviours"`
	Question   map[string]any `json:"question,omitempty"`
}

// reply is a line that it writes: a piece of a stream, or the end of a call.
type reply struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
	Done *struct {
		Answer *struct {
			Text  string
			Calls []struct{ ID, Name, Args string }
			Turn  int
			Model string
			Stop  string
			In    int64
			Out   int64
		} `json:"answer"`
		Vectors *struct {
			Floats [][]float64
			In     int64
		} `json:"vectors"`
		Fault     *pythonFault `json:"fault"`
		Cancelled bool         `json:"cancelled"`
		Attempts  []struct {
			At     float64
			Status int
			ID     string
		} `json:"attempts"`
	} `json:"done"`
}

// pythonFault is an exception; Own says that it is of the client's own type.
type pythonFault struct {
	Own    bool
	Status int
	Kind   string
	Text   string
}

func (f *pythonFault) Error() string { return f.Text }

// start starts the driver.
func (p *python) start() error {
	interpreter := os.Getenv("POSTERN_PYTHON")
	if interpreter == "" {
		return errors.New("$POSTERN_PYTHON must name a Python that has python/requirements.txt (run make e2e-sdk)")
	}
	p.process = exec.Command(interpreter, "python/driver.py", p.module)
	p.process.Stderr = os.Stderr
	in, err := p.process.StdinPipe()
	if err != nil {
		return err
	}
	out, err := p.process.StdoutPipe()
	if err != nil {
		return err
	}
	p.in = in
	if err := p.process.Start(); err != nil {
		return err
	}
	go p.read(out)
	return nil
}

// end stops the driver by the end of what it reads.
func (p *python) end() error { return errors.Join(p.in.Close(), p.process.Wait()) }

// read hands the lines to those who wait for them.
func (p *python) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			fmt.Fprintf(os.Stderr, "python %s: %v in %q\n", p.module, err, line)
			continue
		}
		p.mu.Lock()
		waiting := p.waiting[r.ID]
		p.mu.Unlock()
		if waiting != nil {
			waiting <- r
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	for _, waiting := range p.waiting {
		close(waiting)
	}
}

// send gives an order; its replies come on the channel.
func (p *python) send(o order) (id int, replies chan reply, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return 0, nil, errors.New("the driver has ended")
	}
	if o.ID == 0 {
		p.last++
		o.ID = p.last
		replies = make(chan reply, 256)
		p.waiting[o.ID] = replies
	}
	line, err := json.Marshal(o)
	if err == nil {
		_, err = p.in.Write(append(line, '\n'))
	}
	return o.ID, replies, err
}

func (p *python) forget(id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, id)
}

// pythonClient is the client of one cell.
type pythonClient struct {
	*python
	access access
}

// patienceAfter is how long a call that was taken back may take to end.
const patienceAfter = 10 * time.Second

// ask waits for the end of a call, and hands the pieces of a stream on.
func (c pythonClient) ask(ctx context.Context, op string, question map[string]any, each func(string)) (reply, error) {
	a := &c.access
	id, replies, err := c.send(order{Op: op, Question: question, Header: mock.BehaviourHeader, Behaviours: a.watch.behaviours,
		Access: map[string]any{"url": a.url, "key": a.key, "retries": a.retries}})
	if err != nil {
		return reply{}, err
	}
	defer c.forget(id)
	cancelled := ctx.Done()
	var late <-chan time.Time
	for {
		select {
		case r, ok := <-replies:
			switch {
			case !ok:
				return r, errors.New("the driver has ended")
			case r.Done == nil:
				each(r.Text)
				continue
			}
			return r, c.over(ctx, &r)
		case <-cancelled:
			cancelled, late = nil, time.After(patienceAfter)
			if _, _, err := c.send(order{ID: id, Op: "cancel"}); err != nil {
				return reply{}, err
			}
		case <-late:
			return reply{}, fmt.Errorf("the client does not end: %w", ctx.Err())
		}
	}
}

// over is what came of a call.
func (c pythonClient) over(ctx context.Context, r *reply) error {
	for _, a := range r.Done.Attempts {
		c.access.watch.saw(seen{at: time.Time{}.Add(time.Duration(a.At * float64(time.Second))), status: a.Status, id: a.ID})
	}
	switch {
	case r.Done.Cancelled:
		return ctx.Err()
	case r.Done.Fault != nil:
		return r.Done.Fault
	}
	return nil
}

func (c pythonClient) Chat(ctx context.Context, q question) (answer, error) {
	return c.answer(c.ask(ctx, "chat", q.json(), func(string) {}))
}

func (c pythonClient) Stream(ctx context.Context, q question, each func(string)) (answer, error) {
	return c.answer(c.ask(ctx, "stream", q.json(), each))
}

func (pythonClient) answer(r reply, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	got := r.Done.Answer
	a := answer{text: got.Text, turn: got.Turn, model: got.Model, stop: got.Stop, in: got.In, out: got.Out}
	for _, c := range got.Calls {
		a.calls = append(a.calls, call{c.ID, c.Name, c.Args})
	}
	return a, nil
}

// json is the question as the driver reads it.
func (q *question) json() map[string]any {
	m := map[string]any{"model": q.model, "text": q.text, "image": "", "schema": "", "tool": nil, "turn": nil}
	if q.image {
		m["image"] = onePixel
	}
	if q.schema {
		m["schema"] = weatherText
	}
	if q.tool || q.turn != nil {
		m["tool"] = map[string]any{"name": toolName, "schema": toolSchema}
	}
	if q.turn != nil {
		calls := []map[string]any{}
		for _, c := range q.turn.calls {
			calls = append(calls, map[string]any{"id": c.id, "name": c.name})
		}
		m["turn"] = map[string]any{"message": q.turn.message, "result": q.turn.result, "calls": calls}
	}
	return m
}

func (c pythonClient) Embed(ctx context.Context, model string, texts []string) (vectors, error) {
	switch c.module {
	case "messages", "converse", "invoke":
		return vectors{}, errNoAPI
	}
	r, err := c.ask(ctx, "embed", map[string]any{"model": model, "texts": texts}, func(string) {})
	if err != nil {
		return vectors{}, err
	}
	return vectors{r.Done.Vectors.Floats, r.Done.Vectors.In}, nil
}

func (pythonClient) Fault(err error) (fault, bool) {
	var f *pythonFault
	if !errors.As(err, &f) {
		return fault{}, false
	}
	return fault{f.Status, f.Kind}, f.Own
}
