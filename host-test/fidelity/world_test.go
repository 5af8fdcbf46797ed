package fidelity

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// direct is a World without a proxy: the client talks to the upstream. It shows what the recorder's
// own client and servers do.
func direct(t *testing.T, setup Setup) *real {
	t.Helper()
	s := &stage{}
	u, err := newServer(s, "a", setup.HTTP1)
	require.NoError(t, err)
	w := &real{row: &Row{Name: "direct", Setup: setup}, stage: s, address: u.listener.Addr().String()}
	t.Cleanup(func() {
		w.hangUp()
		u.close()
	})
	return w
}

func TestTheRecordersOwnPeers(t *testing.T) {
	w := direct(t, Setup{})
	w.Request(false, "x-a: 1")
	w.Body("abc", false)
	w.Trailers("x-t: 1")
	w.Respond(1, "200", false, "x-b: 2")
	w.Chunk(1, "one", false)
	w.Chunk(1, "two", false)
	w.EndWith(1, "x-u: 3")
	w.Request(true)
	w.Respond(2, "204", true)
	w.Request(true)
	w.Respond(3, "200", false)
	w.Reset(3, RefuseStream)
	w.Request(false)
	w.Client(2)
	require.NoError(t, w.err)
	head := ":method: POST | :scheme: http | :path: /v1 | :authority: postern.test"
	require.Equal(t, []string{
		"upstream 1 a headers " + head + " | x-a: 1", `upstream 1 a body "abc"`, "upstream 1 a trailers x-t: 1", "upstream 1 a end",
		"upstream 2 a headers " + head, "upstream 2 a end",
		"upstream 3 a headers " + head, "upstream 3 a end",
		"upstream 4 a headers " + head, "upstream 4 a unfinished",
		"client 1 headers :status: 200 | x-b: 2", `client 1 body "one" "two"`, "client 1 trailers x-u: 3", "client 1 end",
		"client 2 headers :status: 204", "client 2 end",
		"client 3 headers :status: 200", "client 3 cut",
		"client 4 unfinished",
	}, w.lines())
}

func TestAMissingStepIsAnError(t *testing.T) {
	w := direct(t, Setup{})
	w.Request(true)
	gone := make(chan struct{})
	close(gone)
	w.gone = gone
	w.Respond(2, "200", true)
	require.ErrorContains(t, w.err, "attempt 2")
	w.Body("nothing happens any more", true)
	require.ErrorContains(t, w.err, "attempt 2")
}

func TestHTTP1Messages(t *testing.T) {
	cases := []struct{ name, text, body, err string }{
		{"length", "A\r\ncontent-length: 3\r\n\r\nabcdef", "abc", ""},
		{"chunks", "A\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc", ""},
		{"no body", "A\r\nHost: h\r\n\r\nabc", "", ""},
		{"cut in a chunk", "A\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", "ab", "unexpected EOF"},
		{"cut between chunks", "A\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n", "ab", "unexpected EOF"},
		{"bad length", "A\r\ncontent-length: x\r\n\r\n", "", "invalid syntax"},
		{"bad chunk", "A\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "", "invalid syntax"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := h1reader{bufio.NewReader(strings.NewReader(c.text))}
			first, headers, err := r.head()
			require.NoError(t, err)
			require.Equal(t, "A", first)
			var body []byte
			err = r.body(headers, func(b []byte) { body = append(body, b...) })
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
			require.Equal(t, c.body, string(body))
		})
	}
}

func TestHTTP1Writer(t *testing.T) {
	var out strings.Builder
	w := &h1writer{to: &out}
	require.NoError(t, w.begin("A", [][2]string{{"x", "1"}}, false))
	require.NoError(t, w.data([]byte("abc"), false))
	require.NoError(t, w.data(nil, true))
	require.Equal(t, "A\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", out.String())
	r := h1reader{bufio.NewReader(strings.NewReader(out.String()))}
	_, headers, err := r.head()
	require.NoError(t, err)
	require.NoError(t, r.body(headers, func([]byte) {}))
	_, err = r.in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

func TestPairs(t *testing.T) {
	require.Equal(t, [][2]string{{":path", "/a:b"}, {"x", "1"}, {"empty", ""}}, pairs([]string{":path: /a:b", "x: 1", "empty:"}))
	require.Equal(t, [2]string{":method", "GET"}, request([]string{"x: 1", ":method: GET"})[0])
}

func TestDiff(t *testing.T) {
	d := diff([]string{"a", "b", "c"}, []string{"a", "x", "c", "y"})
	require.Equal(t, Difference{Envoy: []string{"b"}, Hosttest: []string{"x", "y"}}, d)
	require.Equal(t, Difference{}, diff([]string{"a"}, []string{"a"}))
}

func TestWhatRunsDifferFromIsMasked(t *testing.T) {
	require.Equal(t, "cluster a at *", plain("row", "cluster row-a at 127.0.0.1:4711"))
	m := &message{headers: [][2]string{{":path", "/"}, {"x-request-id", "7"}, {"date", "now"}, {"x-envoy-expected-rq-timeout-ms", "14997"}}, end: true}
	require.Equal(t, "upstream 2 headers :path: / | x-request-id: * | x-envoy-expected-rq-timeout-ms: *", m.attemptLines(2)[0])
}

// TestStaleReasons: a difference without a reason fails, and so does a reason without a difference.
func TestStaleReasons(t *testing.T) {
	row := &Row{Name: "resume-request-running"}
	known := Differences[row.Name]
	require.NoError(t, (&Result{Row: row, Found: known}).explain())
	require.ErrorContains(t, (&Result{Row: row}).explain(), "gone")
	require.ErrorContains(t, (&Result{Row: row, Found: Difference{Envoy: known.Envoy}}).explain(), "without a reason")
	require.ErrorContains(t, (&Result{Row: &Row{Name: "other"}, Found: known}).explain(), "without a reason")
}
