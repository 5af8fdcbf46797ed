package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/gateway"
)

// start is when scenarios happen.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Outcome is what a scenario came to: what each request's client got, and what
// the audit records say was used. It must not depend on where bodies are cut.
type Outcome struct {
	Bodies []string
	Usage  []string
}

// Run plays a scenario against a module; nil when everything is as it says. cut
// applies to the bodies of requests and of providers' answers.
func Run(f *File, module hosttest.Module, cut Cutter) (out Outcome, err error) {
	p, err := f.play(module, cut)
	if err != nil {
		return out, err
	}
	for _, s := range p.streams {
		out.add(s)
	}
	return out, nil
}

// play plays a scenario, and leaves what came of it in the player.
func (f *File) play(module hosttest.Module, cut Cutter) (p *player, err error) {
	node, c, errs := f.load()
	if len(errs) > 0 {
		return nil, errs
	}
	h, err := hosttest.New(f.host(gateway.Options{Module: module, Node: node, Config: c, Env: f.Env, Clock: hosttest.NewVirtualClock(start)}))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	p = &player{file: f, host: h, cut: cut, tried: map[string]int{}, called: map[*hosttest.Callout]bool{}}
	p.clusters = upstreams(c)
	for i := range f.Steps {
		if err := p.step(&f.Steps[i]); err != nil {
			return nil, fmt.Errorf("%s: step %d (%s %s): %w", f.Name, i+1, f.Steps[i].Kind, f.Steps[i].Cluster, err)
		}
		if err := p.stray(); err != nil {
			return nil, fmt.Errorf("%s: step %d: %w", f.Name, i+1, err)
		}
	}
	return p, p.sound()
}

// host is the emulated proxy: with as many workers as the requests name.
func (f *File) host(o gateway.Options) hosttest.Config {
	for i := range f.Steps {
		o.Workers = max(o.Workers, f.Steps[i].worker()+1)
	}
	c := gateway.Host(o)
	for name, value := range f.Properties {
		if c.Properties == nil {
			c.Properties = map[string]any{}
		}
		c.Properties[name] = value
	}
	if f.Host != nil {
		f.Host(&c)
	}
	return c
}

// worker is the one that a request names, from 0; -1: any.
func (s *Step) worker() int {
	n, err := strconv.Atoi(s.Cluster)
	if s.Kind != Request || err != nil {
		return -1
	}
	return n - 1
}

func (o *Outcome) add(s *hosttest.Stream) {
	o.Bodies = append(o.Bodies, s.Response().Body())
	var record struct{ Usage json.RawMessage }
	if access := s.AccessLog(); access != nil {
		// A record that is no JSON shows as one without usage.
		_ = json.Unmarshal([]byte(recordOf(access)), &record)
	}
	o.Usage = append(o.Usage, string(record.Usage))
}

// player plays one scenario.
type player struct {
	file     *File
	host     *hosttest.Host
	cut      Cutter
	streams  []*hosttest.Stream
	stream   *hosttest.Stream           // the last of them
	tried    map[string]int             // attempts at each cluster that were looked at
	answered int                        // attempts of the stream that got an answer
	attempt  try                        // that got the last of them
	called   map[*hosttest.Callout]bool // that are attempts
	tries    []try                      // of the stream, callouts after those of the host
	clusters map[string]string          // of providers, by what callouts name

	exchanges []*Exchange
}

func (p *player) step(s *Step) error {
	switch s.Kind {
	case Request:
		return p.request(s)
	case Body:
		p.send(s)
	case Provider:
		return p.provider(s)
	case Chunk, Trailers, Reset:
		return p.more(s)
	case Cut:
		if p.stream.Response().Broken == "" {
			return errors.New("the answer is not broken: " + p.got())
		}
	case Sent:
		return p.sent(s)
	case Called, Callout, Idle:
		return p.callout(s)
	case Response:
		return p.response(&s.Message)
	case Audit:
		return p.audit(s.JSON)
	case Logged:
		return p.logged(s.JSON)
	case Metrics:
		return p.metrics(s.JSON)
	case Abort:
		p.stream.Abort()
	case Advance:
		p.host.Advance(s.Time)
	}
	return nil
}

func (p *player) request(s *Step) error {
	m := &s.Message
	words := strings.Fields(m.First)
	if len(words) < 2 {
		return errors.New("not a request line: " + m.First)
	}
	p.stream, p.answered, p.tried, p.tries = p.host.NewStreamOn(s.worker()), 0, map[string]int{}, nil
	p.streams = append(p.streams, p.stream)
	headers := [][2]string{{":method", words[0]}, {":path", words[1]}, {":scheme", "http"}}
	switch {
	case len(words) > 2 && words[2] == "HTTP/1.0":
		headers = append(headers, [2]string{":authority", ""})
	case !has(m.Headers, ":authority"):
		headers = append(headers, [2]string{":authority", "gateway"})
	}
	headers = append(headers, m.Headers...)
	if p.file.Mode == pipeline.Callouts && !has(m.Headers, "x-request-id") { // as a plugin of the host, and as Envoy by itself
		headers = append(headers, [2]string{"x-request-id", fmt.Sprintf("00000000-0000-4000-8000-%012x", len(p.streams))})
	}
	if m.HasBody && !s.Open && !has(m.Headers, "content-length") && !has(m.Headers, "transfer-encoding") {
		headers = append(headers, [2]string{"content-length", strconv.Itoa(len(m.Body))})
	}
	p.stream.RequestHeaders(headers, !m.HasBody && !s.Open)
	if m.HasBody {
		p.send(s)
	}
	return nil
}

// send feeds a part of the request's body.
func (p *player) send(s *Step) {
	chunks := p.pieces(s.Message.Body)
	for i, c := range chunks {
		p.stream.RequestBody([]byte(c), i == len(chunks)-1 && !s.Open)
	}
	if p.file.Mode == pipeline.Paired {
		p.host.Advance(2 * time.Millisecond) // a body of one piece goes with the next tick
	}
}

func has(headers [][2]string, name string) bool {
	for _, h := range headers {
		if h[0] == name {
			return true
		}
	}
	return false
}

// next is the attempt that waits for an answer.
func (p *player) next(cluster string) (try, error) {
	attempts := p.attempts()
	if p.answered >= len(attempts) {
		return nil, fmt.Errorf("no attempt waits for an answer; the client has %s", p.got())
	}
	a := attempts[p.answered]
	if a.cluster() != cluster {
		return nil, fmt.Errorf("attempt %d went to cluster %q", p.answered+1, a.cluster())
	}
	p.answered++
	p.attempt = a
	return a, nil
}

func (p *player) provider(s *Step) error {
	a, err := p.next(s.Cluster)
	if err != nil {
		return err
	}
	switch s.Fault {
	case "refuse":
		a.Reset(hosttest.ConnectFailure)
	case "reset":
		a.Reset(hosttest.RemoteReset)
	case "hang":
	default:
		return p.answer(a, s)
	}
	// Envoy backs off before it tries again.
	p.host.Advance(10 * time.Millisecond)
	return nil
}

func (p *player) answer(a try, s *Step) error {
	m := &s.Message
	words := strings.Fields(m.First)
	if len(words) < 2 {
		return errors.New("not a status line: " + m.First)
	}
	headers := append([][2]string{{":status", words[1]}}, m.Headers...)
	p.began(a, headers, !m.HasBody && !s.Open)
	a.ResponseHeaders(headers, !m.HasBody && !s.Open)
	if m.HasBody {
		p.chunk(a, s)
	}
	p.host.Advance(10 * time.Millisecond)
	return nil
}

// chunk feeds a part of an answer's body.
func (p *player) chunk(a try, s *Step) {
	p.came(s)
	chunks := p.pieces(s.Message.Body)
	for i, c := range chunks {
		a.ResponseBody([]byte(c), i == len(chunks)-1 && !s.Open)
	}
}

// more goes on with the answer that was begun last.
func (p *player) more(s *Step) error {
	if p.attempt == nil || p.attempt.cluster() != s.Cluster {
		return errors.New("no answer was begun there")
	}
	switch s.Kind {
	case Chunk:
		p.chunk(p.attempt, s)
	case Trailers:
		p.came(s)
		p.attempt.ResponseTrailers(s.Message.Headers)
	case Reset:
		p.attempt.Reset(hosttest.RemoteReset)
	}
	p.host.Advance(10 * time.Millisecond)
	return nil
}

// pieces cuts a body. An empty one is one empty piece: it must end, too.
func (p *player) pieces(body string) []string {
	if body == "" {
		return []string{""}
	}
	return p.cut(body)
}

func (p *player) sent(s *Step) error {
	n := 0
	for _, a := range p.attempts() {
		if a.cluster() != s.Cluster {
			continue
		}
		if n++; n > p.tried[s.Cluster] {
			p.tried[s.Cluster] = n
			got := a.Request()
			if got.Headers == nil {
				return fmt.Errorf("nothing has left for it; the client has %s", p.got())
			}
			return match(p.expected(&s.Message), got.Headers.Get(":method")+" "+got.Headers.Get(":path"), got)
		}
	}
	return fmt.Errorf("nothing was sent there; the client has %s", p.got())
}

func (p *player) response(m *Message) error {
	got := p.stream.Response()
	return match(m, got.Status(), got)
}

// match compares what was sent with what was expected.
func match(want *Message, first string, got hosttest.Message) error {
	var errs []error
	wanted := strings.TrimPrefix(want.First, "HTTP/1.1 ")
	if w, _, _ := strings.Cut(wanted+" ", " HTTP/1.1"); strings.TrimSpace(w) != first && !strings.HasPrefix(wanted+" ", first+" ") {
		errs = append(errs, fmt.Errorf("first line: got %q, want %q", first, want.First))
	}
	for _, h := range want.Headers {
		if v := got.Headers.Get(h[0]); v != h[1] {
			errs = append(errs, fmt.Errorf("header %s: got %q, want %q", h[0], v, h[1]))
		}
	}
	for _, name := range want.Absent {
		if got.Headers.Has(name) {
			errs = append(errs, fmt.Errorf("header %s is there: %q", name, got.Headers.Get(name)))
		}
	}
	if want.HasBody && strings.TrimSuffix(got.Body(), "\n") != strings.TrimSuffix(want.Body, "\n") {
		errs = append(errs, fmt.Errorf("body:\n got %q\nwant %q", got.Body(), want.Body))
	}
	if n := got.Headers.Get("content-length"); got.Complete && n != "" && n != strconv.Itoa(len(got.Body())) {
		errs = append(errs, fmt.Errorf("content-length is %s, the body has %d bytes", n, len(got.Body())))
	}
	return errors.Join(errs...)
}

func (p *player) got() string {
	m := p.stream.Response()
	return m.Status() + " " + m.Body()
}

func (p *player) audit(text string) error {
	access := p.stream.AccessLog()
	if access == nil {
		return errors.New("the stream has not ended")
	}
	return Audited(text, recordOf(access))
}

// auditLine begins the line of a record that reached no access log.
const auditLine = "postern: audit "

func (p *player) logged(expectation string) error {
	record := ""
	for _, line := range p.host.Logs() {
		if text, ok := strings.CutPrefix(line.Text, auditLine); ok {
			record = text
		}
	}
	if record == "" {
		return errors.New("no record was logged")
	}
	return Audited(expectation, record)
}

// metrics lets the module tell the host what it has counted, and looks.
func (p *player) metrics(lines string) error {
	p.host.Advance(2 * time.Second)
	var errs []error
	for line := range strings.Lines(lines) {
		name, want, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, absent := strings.CutPrefix(name, "!")
		got, there := p.host.Metric(name)
		if there == absent || !absent && strconv.FormatUint(got.Value, 10) != want {
			errs = append(errs, fmt.Errorf("metric %s is %d (there: %v), want %q", name, got.Value, there, want))
		}
	}
	return errors.Join(errs...)
}

// Audited compares an audit record with the text of a section `audit`.
func Audited(expectation, record string) error {
	var want, got map[string]any
	if err := json.Unmarshal([]byte(expectation), &want); err != nil {
		return fmt.Errorf("expectation: %w", err)
	}
	if err := json.Unmarshal([]byte(record), &got); err != nil {
		return fmt.Errorf("record %q: %w", record, err)
	}
	return subset("", want, got)
}
