package fidelity

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// message is what one side received of a request or an answer.
type message struct {
	headers, trailers [][2]string
	fresh             []byte   // body that came since the last step
	pieces            []string // body by steps
	end               bool
	cut               string // how it was broken off, "" if it was not
	extra             []byte // bytes behind the end of an HTTP/1.1 request: smuggled
	server            string // the cluster that received it
	whole             bool   // not told in pieces: the steps of HTTP/1.1 cannot be told apart
}

// step closes a step: what came since the last one is one piece, however many frames it took.
func (m *message) step() {
	if len(m.fresh) > 0 && !m.whole {
		m.pieces = append(m.pieces, string(m.fresh))
		m.fresh = nil
	}
}

// attemptLines print what an upstream received of the n-th attempt.
func (m *message) attemptLines(n int) []string {
	lines := m.lines(fmt.Sprintf("upstream %d", n))
	if n > 1 || strings.Contains(lines[0], "x-envoy-attempt-count: 2") {
		for i := range lines {
			lines[i] = remaining.ReplaceAllString(lines[i], "$1*")
		}
	}
	return lines
}

// lines print a message; name is "client 1".
func (m *message) lines(name string) []string {
	var out []string
	if m.server != "" {
		name += " " + m.server
	}
	if m.headers != nil {
		out = append(out, name+" headers "+printHeaders(m.headers))
	}
	pieces := m.pieces
	if len(m.fresh) > 0 {
		pieces = append(pieces[:len(pieces):len(pieces)], string(m.fresh))
	}
	if len(pieces) > 0 {
		out = append(out, name+" body "+printPieces(pieces))
	}
	if m.trailers != nil {
		out = append(out, name+" trailers "+printHeaders(m.trailers))
	}
	if len(m.extra) > 0 {
		out = append(out, name+" smuggled "+strconv.Quote(string(m.extra)))
	}
	switch {
	case m.cut != "":
		out = append(out, name+" "+m.cut)
	case m.end:
		out = append(out, name+" end")
	default:
		out = append(out, name+" unfinished")
	}
	return out
}

func printPieces(pieces []string) string {
	out := make([]string, len(pieces))
	for i, p := range pieces {
		if out[i] = strconv.Quote(p); len(p) > 200 {
			out[i] = fmt.Sprintf("(%d bytes)", len(p))
		}
	}
	return strings.Join(out, " ")
}

// masked are headers whose values differ from run to run.
var masked = map[string]bool{"x-request-id": true, "x-envoy-upstream-service-time": true, "x-forwarded-for": true}

// addresses of upstreams differ too.
var addresses = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+:\d+`)

// remaining is what is left of a timeout at a further attempt: it depends on the machine's speed.
var remaining = regexp.MustCompile(`(x-envoy-expected-rq-timeout-ms: )\d+`)

// unemulated are headers that Envoy adds when it writes an answer, behind every filter.
var unemulated = map[string]bool{"date": true, "server": true}

func printHeaders(list [][2]string) string {
	out := make([]string, 0, len(list))
	for _, h := range list {
		switch {
		case unemulated[h[0]]:
		case masked[h[0]]:
			out = append(out, h[0]+": *")
		default:
			out = append(out, h[0]+": "+h[1])
		}
	}
	return strings.Join(out, " | ")
}

// pairs reads "name: value" lines.
func pairs(headers []string) [][2]string {
	out := make([][2]string, len(headers))
	for i, h := range headers {
		// A pseudo header begins with a colon of its own.
		name, value, _ := strings.Cut(strings.TrimPrefix(h, ":"), ":")
		if strings.HasPrefix(h, ":") {
			name = ":" + name
		}
		out[i] = [2]string{name, strings.TrimSpace(value)}
	}
	return out
}

// request completes a request's headers, pseudo headers first.
func request(headers []string) [][2]string {
	list := [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", "/v1"}, {":authority", "postern.test"}}
	for _, h := range pairs(headers) {
		at := -1
		for i := range list[:4] {
			if list[i][0] == h[0] {
				at = i
			}
		}
		if at >= 0 {
			list[at][1] = h[1]
		} else {
			list = append(list, h)
		}
	}
	return list
}

// answer completes an answer's headers.
func answer(status string, headers []string) [][2]string {
	return append([][2]string{{":status", status}}, pairs(headers)...)
}

// plain removes from a line what is named after the row only to keep rows apart.
func plain(row, line string) string {
	return addresses.ReplaceAllString(strings.ReplaceAll(line, row+"-", ""), "*")
}

// logFields are what an access log line has, in this order.
type logFields struct{ status, flags, details, attempts, cluster, audit, received, sent string }

// String prints the line; absent values are dashes.
func (f logFields) String() string {
	return fmt.Sprintf("access %s flags=%s details=%s attempts=%s cluster=%s audit=%s received=%s sent=%s",
		f.status, dash(f.flags), dash(f.details), f.attempts, dash(f.cluster), dash(f.audit), f.received, f.sent)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
