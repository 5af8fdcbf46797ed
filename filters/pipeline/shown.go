package pipeline

import (
	"errors"
	"strings"
)

// shownStream is a stream of a host that shows bodies and changes none, and that
// breaks where it is asked certain things: each method keeps to what it survives
// (seen in wasm-nginx-module 0.7.0).
type shownStream struct {
	Stream
	written bool   // another body was wanted for the request
	over    bool   // the host has no request any more
	lost    error  // what was to be said after that
	calling bool   // a callout is in flight, for which the host holds the request
	reply   *reply // to be sent when the request has been accounted for
}

type reply struct {
	status  int
	headers [][2]string
	body    []byte
	detail  string
}

// answerNames are the headers of answers that are looked at, or taken away, in any
// case: asked for all at once, of more than twenty the first are lost.
var answerNames = [...]string{":status", "content-type", "content-encoding", "content-length", "set-cookie",
	"openai-organization", "openai-project", "anthropic-organization-id",
	modeHeader, degradedHeader, targetHeader, attemptsHeader, reasonHeader, lossHeader, retryMark}

// noHost is the host that a request without one gets.
const noHost = "unknown"

// Headers reads those of answers one by one. A request without a host (HTTP/1.0)
// gets one before: reading all of its headers would end the worker.
func (s *shownStream) Headers(side Side) [][2]string {
	if side == Request {
		if _, there := s.Stream.Header(Request, "host"); !there {
			s.Stream.SetHeader(Request, "host", noHost)
		}
		return s.Stream.Headers(Request)
	}
	pairs := make([][2]string, 0, len(answerNames))
	for _, name := range answerNames {
		if v, ok := s.Stream.Header(Response, name); ok {
			pairs = append(pairs, [2]string{name, v})
		}
	}
	return pairs
}

// Header reads the name of the host elsewhere: a request without one ends the
// worker otherwise.
func (s *shownStream) Header(side Side, name string) (string, bool) {
	if name == ":authority" {
		return s.Stream.Property("http_host")
	}
	return s.Stream.Header(side, name)
}

// SetHeader sets no pseudo header of a request: where it goes is told by
// variables. :authority would overwrite the method, and :path be encoded again.
func (s *shownStream) SetHeader(side Side, name, value string) {
	switch {
	case name == ":path":
		s.Stream.SetProperty("upstream_uri", value)
	case name == ":authority":
		s.Stream.SetProperty("upstream_host", value)
	case side == Request && (name[0] == ':' || name == "content-length" || strings.HasPrefix(name, hostPrefix)):
	default:
		s.Stream.SetHeader(side, name, value)
	}
}

// RemoveHeader keeps the length of a body: without it, the body is the next
// request on the provider's connection. Pseudo headers cannot be removed.
func (s *shownStream) RemoveHeader(side Side, name string) {
	if name != "content-length" && name[0] != ':' {
		s.Stream.RemoveHeader(side, name)
	}
}

// Body asks for no more than is there: sizes that add up to more than 31 bits
// overflow in the host.
func (s *shownStream) Body(side Side, offset, size int) []byte {
	if offset < 0 || size <= 0 || offset > 1<<31-1-size {
		return nil
	}
	return s.Stream.Body(side, offset, size)
}

// SetBody notes that the body which the host has does not serve.
func (s *shownStream) SetBody(side Side, _ []byte) { s.written = s.written || side == Request }

// ClearRouteCache does nothing: the route is the one that led here.
func (s *shownStream) ClearRouteCache() {}

// Resume does nothing: the host goes on by itself after a callout.
func (s *shownStream) Resume(Side) {}

var errOver = errors.New("the request is over")

// SetProperty says nothing about a request that the host has no more.
func (s *shownStream) SetProperty(name, value string) {
	if s.over {
		s.lost = errOver
		return
	}
	s.Stream.SetProperty(name, value)
}

// Err is that, or the host's.
func (s *shownStream) Err() error {
	if err := s.lost; err != nil {
		s.lost = nil
		return err
	}
	return s.Stream.Err()
}

// Reply waits until the request was accounted for; the first counts.
func (s *shownStream) Reply(status int, headers [][2]string, body []byte, detail string) {
	if s.reply == nil {
		s.reply = &reply{status, headers, append([]byte(nil), body...), detail}
	}
}

// send sends the reply.
func (s *shownStream) send() {
	r := s.reply
	if r == nil { // nothing else says anything, and the request must not go on
		r = &reply{status: 500, headers: plainHeaders(), detail: "postern"}
	}
	s.Stream.Reply(r.status, r.headers, r.body, r.detail)
	s.reply = nil
}
