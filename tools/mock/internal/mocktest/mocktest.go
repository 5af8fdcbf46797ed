// Package mocktest helps the tests of the mock: it sends requests and reads
// bodies and event streams. It does not judge answers, and nothing but tests
// imports it.
package mocktest

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
)

// J is a JSON object.
type J = map[string]any

// Client sends requests to a mock of its own.
type Client struct {
	T      testing.TB
	Mock   *mock.Server
	URL    string
	Header http.Header
}

// Fixed is the time of mocks made by New.
var Fixed = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// OpenAI are the headers of a request in the OpenAI dialect.
func OpenAI() http.Header {
	return http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer sk-test-0123456789"}}
}

// Anthropic are the headers of a request in the Anthropic dialect.
func Anthropic() http.Header {
	return http.Header{
		"Content-Type": {"application/json"}, "X-Api-Key": {"sk-ant-test"}, "Anthropic-Version": {"2023-06-01"},
	}
}

// Gemini are the headers of a request in the Gemini dialect.
func Gemini() http.Header {
	return http.Header{"Content-Type": {"application/json"}, "X-Goog-Api-Key": {"key"}}
}

// New starts a mock with a fixed clock.
func New(t testing.TB, opts mock.Options, header http.Header) *Client {
	if opts.Clock == nil {
		opts.Clock = func() time.Time { return Fixed }
	}
	m := mock.New(opts)
	srv := httptest.NewServer(m)
	t.Cleanup(func() {
		m.Close()
		srv.CloseClientConnections()
		srv.Close()
	})
	return &Client{T: t, Mock: m, URL: srv.URL, Header: header}
}

// Request builds a request; a body that is no string is sent as JSON.
func (c *Client) Request(method, path string, body any) *http.Request {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(c.T, err)
		r = strings.NewReader(string(raw))
	}
	req, err := http.NewRequest(method, c.URL+path, r)
	require.NoError(c.T, err)
	req.Header = c.Header.Clone()
	return req
}

// Do sends a request and returns the answer and its whole body.
func (c *Client) Do(req *http.Request) (*http.Response, []byte) {
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.T, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.T, err)
	return resp, body
}

// Post sends a body and wants this status; it returns the answer as JSON.
func (c *Client) Post(path string, body any, status int) J {
	resp, raw := c.Do(c.Request("POST", path, body))
	require.Equal(c.T, status, resp.StatusCode, string(raw))
	return Decode(c.T, raw)
}

// Stream sends a body and returns the events of the answer.
func (c *Client) Stream(path string, body any) []Event {
	resp, raw := c.Do(c.Request("POST", path, body))
	require.Equal(c.T, 200, resp.StatusCode, string(raw))
	require.Equal(c.T, "text/event-stream; charset=utf-8", resp.Header.Get("content-type"))
	return Events(c.T, string(raw))
}

// Decode reads a JSON object.
func Decode(t testing.TB, raw []byte) J {
	var out J
	require.NoError(t, json.Unmarshal(raw, &out), string(raw))
	return out
}

// Event is one event of a stream.
type Event struct {
	Name string
	Data string
}

// JSON reads the data of an event.
func (e Event) JSON(t testing.TB) J { return Decode(t, []byte(e.Data)) }

// Events reads an event stream by the letter of the format (WHATWG HTML,
// section 9.2.6): any line end, comments, several data lines, a byte order mark.
func Events(t testing.TB, raw string) []Event {
	raw = strings.TrimPrefix(raw, "\ufeff")
	raw = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(raw)
	var out []Event
	var name string
	var data []string
	scan := bufio.NewScanner(strings.NewReader(raw))
	scan.Buffer(nil, 64<<20)
	for scan.Scan() {
		field, value, _ := strings.Cut(scan.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case scan.Text() == "":
			if len(data) > 0 {
				out = append(out, Event{name, strings.Join(data, "\n")})
			}
			name, data = "", nil
		case field == "event":
			name = value
		case field == "data":
			data = append(data, value)
		}
	}
	require.NoError(t, scan.Err())
	require.Empty(t, data, "an event without an end")
	return out
}

// At follows keys and indexes into a JSON value; it returns nil where there is
// nothing.
func At(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(J)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

// Text is At for strings.
func Text(v any, path ...any) string {
	s, _ := At(v, path...).(string)
	return s
}

// Num is At for numbers.
func Num(v any, path ...any) int {
	f, _ := At(v, path...).(float64)
	return int(f)
}

// Len is the length of the array at a path.
func Len(v any, path ...any) int {
	l, _ := At(v, path...).([]any)
	return len(l)
}
