package nginx

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/host-test/fidelity"
)

// row is one behaviour: its files by their kind.
type row struct {
	name  string
	files map[string]string
}

func rows(t *testing.T) (list []row) {
	a, err := txtar.ParseFile("testdata/wasm-nginx-module.txtar")
	require.NoError(t, err)
	for _, f := range a.Files {
		name, kind, _ := strings.Cut(f.Name, "/")
		if len(list) == 0 || list[len(list)-1].name != name {
			list = append(list, row{name, map[string]string{}})
		}
		list[len(list)-1].files[kind] = string(f.Data)
	}
	return list
}

// TestProfile plays the recording to the profile.
func TestProfile(t *testing.T) {
	probe, done, err := fidelity.OpenProbe(context.Background(), "narrow")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, done()) })
	names := map[string]bool{}
	for _, r := range rows(t) {
		require.False(t, names[r.name], "%s is there twice", r.name)
		names[r.name] = true
		t.Run(r.name, func(t *testing.T) {
			got := play(t, r, probe.Module)
			want := strings.Split(strings.TrimSuffix(r.files["seen"], "\n"), "\n")
			if why := differences[r.name]; why != "" {
				require.NotEqual(t, want, got, "no longer different (%s)", why)
				return
			}
			require.Equal(t, want, got)
		})
	}
	for name := range differences {
		require.True(t, names[name], "%s differs and is not there", name)
	}
}

// stage is one row on the profile.
type stage struct {
	row
	host   *hosttest.Host
	seen   []string // of clients, behind all else
	calls  []string
	broken bool
}

func play(t *testing.T, r row, probe hosttest.Module) []string {
	host, err := hosttest.New(hosttest.Config{Profile: hosttest.APISIX(), Declared: []string{"declared"}, Downstream: []hosttest.Filter{{
		Name: "probe", Module: probe, Config: []byte("row " + r.name + "\nas d\n" + r.files["script"]),
	}}})
	require.NoError(t, err)
	defer func() { require.NoError(t, host.Close()) }()
	s := &stage{row: r, host: host}
	var lines []string
	for _, kind := range []string{"request", "request2", "request3"} {
		if text, ok := r.files[kind]; ok {
			lines = append(lines, s.request(t, text)...)
		}
	}
	for _, m := range host.Misuse() {
		s.broken = s.broken || strings.Contains(m, "crashes")
	}
	if s.broken {
		s.seen = append(s.seen, "worker died")
	}
	return slices.Concat(s.logs(), lines, s.calls, s.seen)
}

func (s *stage) logs() (lines []string) {
	for _, l := range s.host.Logs() {
		if text, ok := strings.CutPrefix(l.Text, "PROBE "+s.name+" "); ok {
			lines = append(lines, text)
		}
	}
	return lines
}

// request plays one request and tells what upstreams saw of it.
func (s *stage) request(t *testing.T, text string) (lines []string) {
	leaves := -1
	if first, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "abort ") {
		leaves, _ = strconv.Atoi(first[len("abort "):])
		text = rest
	}
	headers, body := request(t, text)
	stream := s.host.NewStream()
	stream.RequestHeaders(headers, body == "")
	if body != "" {
		stream.RequestBody([]byte(body), true)
	}
	s.callouts(stream, leaves == 0)
	a := stream.Attempt()
	if a != nil {
		s.answer(stream, a, leaves)
	}
	for _, a := range stream.Attempts() {
		lines = append(lines, upstream("upstream", a.Request().Headers, a.Request().Body(), a.Smuggled())...)
	}
	s.client(stream, leaves >= 0)
	return lines
}

// callouts answers those that the request waits for, one after the other.
func (s *stage) callouts(stream *hosttest.Stream, leaves bool) {
	for len(s.host.Callouts()) > 0 {
		c := s.host.Callouts()[0]
		if leaves {
			stream.Abort()
		}
		if strings.HasSuffix(c.Upstream, ":9") || !strings.Contains(c.Upstream, ":") {
			c.Fail() // nobody listens there
			continue
		}
		s.calls = append(s.calls, upstream("callout", c.Headers, string(c.Body), "")...)
		text := s.files["callout"]
		if strings.TrimSpace(text) == "late" {
			s.host.Advance(c.Timeout + time.Second)
			continue
		}
		headers, pieces := answer(text)
		body := strings.Join(pieces, "")
		c.Respond(append(sized(headers, len(body)), [2]string{"connection", "close"}), []byte(body), nil)
	}
}

func (s *stage) answer(stream *hosttest.Stream, a *hosttest.Attempt, leaves int) {
	text := s.files["answer"]
	if strings.TrimSpace(text) == "close" {
		a.Reset(hosttest.ConnectionClosed)
		return
	}
	headers, pieces := answer(text)
	headers = sized(headers, len(strings.Join(pieces, "")))
	length, sent := length(headers), 0
	a.ResponseHeaders(headers, length == 0)
	for i, p := range pieces {
		if i == leaves {
			stream.Abort()
		}
		sent += len(p)
		a.ResponseBody([]byte(p), sent == length)
	}
	if sent < length && leaves < 0 {
		a.Reset(hosttest.ConnectionClosed)
	}
}

// sized adds the length of an answer that does not say it.
func sized(headers [][2]string, n int) [][2]string {
	if length(headers) < 0 {
		headers = append(headers, [2]string{"content-length", strconv.Itoa(n)})
	}
	return headers
}

func length(headers [][2]string) int {
	n := -1
	for _, h := range headers {
		if h[0] == "content-length" {
			n, _ = strconv.Atoi(h[1])
		}
	}
	return n
}

// request reads an HTTP/1 request; its client also says who it is and closes the connection.
func request(t *testing.T, text string) (headers [][2]string, body string) {
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	line := strings.Fields(lines[0])
	require.Len(t, line, 3, text)
	authority := ""
	for _, l := range append(lines[1:], "x-probe: 1", "connection: close") {
		if name, value, _ := strings.Cut(l, ": "); name == "host" {
			authority = value
		} else {
			headers = append(headers, [2]string{name, value})
		}
	}
	headers = append([][2]string{{":method", line[0]}, {":path", line[1]}, {":scheme", "http"}, {":authority", authority}}, headers...)
	return headers, strings.TrimRight(body, "\n")
}

// answer reads an HTTP/1 answer; "" is the usual one.
func answer(text string) (headers [][2]string, pieces []string) {
	if text == "" {
		text = "HTTP/1.1 200 OK\nx-u: 1\n\none\n"
	}
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	headers = [][2]string{{":status", lines[0][len("HTTP/1.1 "):len("HTTP/1.1 200")]}}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ": ")
		headers = append(headers, [2]string{strings.ToLower(name), value})
	}
	if body = strings.TrimSuffix(body, "\n"); body != "" {
		pieces = strings.Split(body, "~\n")
	}
	return headers, pieces
}

// unseen are headers that the recording leaves out: of the connection, and what nginx adds.
var unseen = []string{"connection", "x-probe", "upgrade", "server", "date"}

func shown(h *hosttest.Headers, hidden ...string) string {
	var list []string
	for _, p := range h.Pairs() {
		if !strings.HasPrefix(p[0], ":") && !slices.Contains(unseen, p[0]) && !slices.Contains(hidden, p[0]) {
			list = append(list, p[0]+": "+p[1])
		}
	}
	if host := h.Get(":authority"); host != "" {
		list = append(list, "host: "+host)
	}
	slices.Sort(list)
	return strings.Join(append([]string{""}, list...), " | ")
}

// upstream is a request as its upstream took it.
func upstream(who string, h *hosttest.Headers, body, smuggled string) []string {
	h = h.Clone()
	if who == "callout" && !h.Has("content-length") {
		h.Add("content-length", "0") // what APISIX's client adds to a POST
	}
	lines := []string{fmt.Sprintf("%s %s %s%s", who, h.Get(":method"), h.Get(":path"), shown(h))}
	if body = strings.TrimSuffix(body, smuggled); body != "" {
		lines = append(lines, who+" body "+strconv.Quote(body))
	}
	if smuggled != "" {
		lines = append(lines, who+" smuggled "+strconv.Quote(smuggled))
	}
	return lines
}

// client is the answer as the client took it.
func (s *stage) client(stream *hosttest.Stream, left bool) {
	m := stream.Response()
	switch {
	case left:
		s.seen = append(s.seen, "client left")
		return
	case m.Headers == nil:
		s.seen = append(s.seen, "client broken")
		return
	}
	s.seen = append(s.seen, "client "+m.Status()+shown(m.Headers, "content-length"))
	switch body := m.Body(); {
	case strings.HasPrefix(body, "<html>"):
		status, _ := strconv.Atoi(m.Status())
		if strings.Contains(body, http.StatusText(status)) {
			s.seen = append(s.seen, "client body of nginx")
		}
	case body != "":
		s.seen = append(s.seen, "client body "+strconv.Quote(body))
	}
}
