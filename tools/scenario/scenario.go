// Package scenario runs files that describe one or more requests through a
// gateway: a configuration, what the client sends, what each provider answers,
// and what must come of it. The same file runs natively and through the built
// module, whole and cut anywhere.
//
// A file is a txtar archive (golang.org/x/tools/txtar). Its comment says what
// it shows; its sections, in order:
//
//	postern.yaml       the configuration
//	env                NAME=value lines: the VM's environment
//	properties         NAME=value lines: what else the host tells of every request
//	request            what the client sends, as HTTP/1.1 text; as HTTP/1.0 without a host;
//	                   a number after the word chooses the worker
//	body               more of the request's body
//	provider NAME      what cluster NAME answers to the next attempt there, as HTTP/1.1 text,
//	                   or one word: refuse, reset, hang
//	chunk NAME         more of that answer's body
//	trailers NAME      the end of that answer, by trailers
//	reset NAME         the break of that answer
//	sent NAME          what the next attempt at cluster NAME must look like
//	called NAME        what the oldest callout that waits at cluster NAME must look like
//	callout NAME       what cluster NAME answers to it, as HTTP/1.1 text, or one word: refuse, reset
//	idle               no callout may wait
//	response           what the client must get
//	cut                the client's answer was broken off
//	audit              members that the audit record must have, as JSON
//	logged             the same of the record that is a line of the host's log
//	metrics            NAME VALUE lines: the host's metrics; !NAME must be absent
//	abort              the client goes away (after what came so far)
//	advance            lets time pass: a Go duration
//
// Further words in a section's name say how a body travels: `open` (more of it
// follows), `gzip` (compressed), `cr` and `crlf` (with these ends of lines),
// `frames` (its lines are the messages of an AWS event stream: an event's type, or
// `exception` and its type, and the payload; of a `chunk` what it holds). In bodies and header values <<TEXT*N>> is TEXT, N times, and <<hex:…>> are bytes.
//
// After `response` another `request` may follow. In `sent` and `response` the
// first line must be equal, each header given must be there with that value
// (`!name` must be absent), and a body, where one is given, must be equal byte
// for byte but for one final line feed.
//
// Whatever a scenario expects, Run also demands that every message is as long as
// its content-length says, that no header of Postern's own reaches anybody but
// the one that tells of losses, and that every request leaves a record.
//
// In mode observe all requests go to the one cluster `upstream`, as the gateway is
// another's.
//
// The package decides nothing about the gateway; package gateway sets it up.
package scenario

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/filters/pipeline"
	hosttest "github.com/posterngw/postern/host-test"
)

// File is one scenario.
type File struct {
	Name    string
	Comment string
	Config  []byte
	Env     map[string]string
	// Properties are what the host tells of every request beside what it always does.
	Properties map[string]string
	Steps      []Step
	Mode       pipeline.Mode          // to play it in; empty: the configuration's own
	Host       func(*hosttest.Config) // changes the emulated proxy; nil: as package gateway makes it
}

// Kind tells steps apart.
type Kind string

// The kinds of steps, by the name of their section.
const (
	Request  Kind = "request"
	Body     Kind = "body"
	Provider Kind = "provider"
	Chunk    Kind = "chunk"
	Trailers Kind = "trailers"
	Reset    Kind = "reset"
	Cut      Kind = "cut"
	Sent     Kind = "sent"
	Response Kind = "response"
	Audit    Kind = "audit"
	Abort    Kind = "abort"
	Advance  Kind = "advance"
	Called   Kind = "called"
	Callout  Kind = "callout"
	Idle     Kind = "idle"
	Logged   Kind = "logged"
	Metrics  Kind = "metrics"
)

// Step is one section.
type Step struct {
	Kind    Kind
	Cluster string        // of Provider, Chunk, Trailers, Reset, Sent, Called and Callout; of Request the worker
	Message Message       // of Request, Body, Provider, Chunk, Trailers, Sent, Response, Called, Callout
	Open    bool          // of what has a body: more of it follows
	Fault   string        // of Provider: refuse, reset, hang; of Callout: refuse, reset
	JSON    string        // of Audit and Logged; the lines of Metrics
	Time    time.Duration // of Advance
}

// Message is HTTP/1.1 text taken apart.
type Message struct {
	First   string // the request or status line
	Headers [][2]string
	Absent  []string
	Body    string
	HasBody bool
}

// Read parses the file at path.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Parse parses a scenario; name is for errors.
func Parse(name string, text []byte) (*File, error) {
	a := txtar.Parse(text)
	f := &File{Name: name, Comment: strings.TrimSpace(string(a.Comment)), Env: map[string]string{}, Properties: map[string]string{}}
	for _, part := range a.Files {
		if err := f.section(part.Name, string(part.Data)); err != nil {
			return nil, fmt.Errorf("%s: section %q: %w", name, part.Name, err)
		}
	}
	if f.Config == nil {
		return nil, fmt.Errorf("%s: no section postern.yaml", name)
	}
	return f, nil
}

func (f *File) section(name, data string) error {
	switch name {
	case "postern.yaml":
		f.Config = []byte(data)
		return nil
	case "env":
		return assignments(data, f.Env)
	case "properties":
		return assignments(data, f.Properties)
	}
	words := strings.Fields(name)
	step, err := parseStep(Kind(words[0]), data)
	if err != nil {
		return err
	}
	for _, word := range words[1:] {
		if err := step.travel(word); err != nil {
			return err
		}
	}
	f.Steps = append(f.Steps, step)
	return nil
}

// travel applies a further word of a section's name.
func (s *Step) travel(word string) error {
	m := &s.Message
	switch word {
	case "open":
		s.Open = true
	case "gzip":
		m.Body = compress(m.Body)
	case "frames":
		m.Body = frames(m.Body)
	case "cr":
		m.Body = strings.ReplaceAll(m.Body, "\n", "\r")
	case "crlf":
		m.Body = strings.ReplaceAll(m.Body, "\n", "\r\n")
	default:
		if s.Cluster != "" {
			return fmt.Errorf("unknown word %q", word)
		}
		s.Cluster = word
	}
	return nil
}

// assignments reads NAME=value lines.
func assignments(data string, into map[string]string) error {
	for line := range strings.Lines(data) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			return fmt.Errorf("not NAME=value: %q", line)
		}
		into[name] = value
	}
	return nil
}

func parseStep(kind Kind, data string) (Step, error) {
	s := Step{Kind: kind}
	var err error
	switch kind {
	case Request, Sent, Response, Called:
		s.Message, err = parseMessage(data)
	case Provider, Callout:
		if word := strings.TrimSpace(data); !strings.Contains(word, " ") {
			s.Fault = word
			break
		}
		s.Message, err = parseMessage(data)
	case Body, Chunk:
		s.Message, err = parseMessage("\n\n" + data)
	case Trailers:
		s.Message, err = parseMessage("\n" + data)
	case Audit, Logged, Metrics:
		s.JSON = data
	case Advance:
		s.Time, err = time.ParseDuration(strings.TrimSpace(data))
	case Abort, Reset, Cut, Idle:
	default:
		err = fmt.Errorf("unknown kind of section")
	}
	return s, err
}

func parseMessage(data string) (Message, error) {
	head, body, hasBody := strings.Cut(data, "\n\n")
	lines := strings.Split(strings.TrimRight(head, "\n"), "\n")
	m := Message{First: lines[0], HasBody: hasBody, Body: strings.TrimSuffix(body, "\n")}
	// A stream's body ends in a blank line, which belongs to it.
	if strings.HasSuffix(body, "\n\n") {
		m.Body = body
	}
	var err error
	if m.Body, err = expand(m.Body); err != nil {
		return m, err
	}
	for _, line := range lines[1:] {
		if name, ok := strings.CutPrefix(line, "!"); ok {
			m.Absent = append(m.Absent, strings.ToLower(name))
			continue
		}
		at := strings.Index(line[min(1, len(line)):], ":") + 1 // a pseudo header begins with one
		if at <= 0 {
			return m, fmt.Errorf("not a header: %q", line)
		}
		value, err := expand(strings.TrimSpace(line[at+1:]))
		if err != nil {
			return m, err
		}
		m.Headers = append(m.Headers, [2]string{strings.ToLower(line[:at]), value})
	}
	return m, nil
}
