package envoy

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
)

// echo is a provider that has WebSockets: it answers the handshake (RFC 6455,
// section 4.2.2) and sends every message back. It remembers the requests.
type echo struct {
	mu   sync.Mutex
	seen []*http.Request
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.seen = append(e.seen, r)
	e.mu.Unlock()
	sum := sha1.Sum([]byte(r.Header.Get("sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n")
	for err = buffered.Flush(); err == nil; err = buffered.Flush() {
		message, closed, failed := readFrame(buffered.Reader)
		if failed != nil || closed {
			return
		}
		_, _ = buffered.Write(frame(message, false))
	}
}

func (e *echo) requests() []*http.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*http.Request(nil), e.seen...)
}

// frame is a whole text message; clients mask theirs (section 5.2).
func frame(text []byte, masked bool) []byte {
	b := []byte{0x81}
	mask := byte(0)
	if masked {
		mask = 0x80
	}
	if len(text) < 126 {
		b = append(b, mask|byte(len(text)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(len(text)))
	}
	if !masked {
		return append(b, text...)
	}
	key := []byte{1, 2, 3, 4}
	b = append(b, key...)
	for i, c := range text {
		b = append(b, c^key[i%4])
	}
	return b
}

// readFrame reads one message of less than 64 KiB.
func readFrame(r *bufio.Reader) (text []byte, closed bool, err error) {
	var head [2]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return nil, false, err
	}
	n := int(head[1] & 0x7f)
	if n == 126 {
		var size [2]byte
		if _, err = io.ReadFull(r, size[:]); err != nil {
			return nil, false, err
		}
		n = int(binary.BigEndian.Uint16(size[:]))
	} else if n == 127 {
		return nil, false, errors.New("the message is too long")
	}
	key := make([]byte, 4)
	if head[1]&0x80 != 0 {
		if _, err = io.ReadFull(r, key); err != nil {
			return nil, false, err
		}
	}
	text = make([]byte, n)
	_, err = io.ReadFull(r, text)
	for i := range text {
		text[i] ^= key[i%4]
	}
	return text, head[0]&0x0f == 8, err
}

// dial asks for a WebSocket and returns the connection with the answer's head.
func dial(t *testing.T, url, path string, headers ...string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	text := "GET " + path + " HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + strings.Join(append(headers, "\r\n"), "\r\n")
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	r := bufio.NewReader(conn)
	answer, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	return conn, r, answer
}

const realtimeConfig = `
version: 1
providers:
  live: {dialect: openai, url: "$URL/v1", credentials: ["env:E2E_OPENAI_KEY"], realtime: $REALTIME}
  other: {dialect: gemini, url: "$URL", credentials: ["env:E2E_SPARE_KEY"]}
models:
  m: {targets: [{provider: live, model: m}]}
identity:
  keys:
    alice: {hash: "$HASH_alice", user: alice}
`

// TestRealtime opens WebSockets through Envoy: with identity and the provider's
// key, and messages go both ways until the client closes; without either, and
// where the configuration refuses them, none reaches the provider.
func TestRealtime(t *testing.T) {
	provider := &echo{}
	server := httptest.NewServer(provider)
	t.Cleanup(server.Close)
	start := func(realtime string) *envoytest.Envoy {
		config := strings.NewReplacer("$URL", server.URL, "$REALTIME", realtime, "$HASH_alice", shared.hashes["alice"]).Replace(realtimeConfig)
		e, err := envoytest.Start(envoytest.Options{Config: config, Env: environment})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, e.Stop()) })
		return e
	}
	const path = "/v1/realtime?model=gpt-realtime"
	key := "Authorization: Bearer " + shared.keys["alice"]

	t.Run("passed", func(t *testing.T) {
		e := start("pass")
		conn, r, answer := dial(t, e.URL, path, key)
		require.Equal(t, http.StatusSwitchingProtocols, answer.StatusCode)
		require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer.Header.Get("sec-websocket-accept"))
		for _, size := range []int{1, 125, 126, 20_000} {
			text := bytes.Repeat([]byte("x"), size)
			_, err := conn.Write(frame(text, true))
			require.NoError(t, err)
			back, closed, err := readFrame(r)
			require.NoError(t, err)
			require.False(t, closed)
			require.Equal(t, text, back)
		}
		require.NoError(t, conn.Close())
		got := provider.requests()
		require.Len(t, got, 1)
		require.Equal(t, path, got[0].URL.RequestURI())
		require.Equal(t, "Bearer sk-e2e-openai", got[0].Header.Get("authorization"))
		rec, err := e.Audit(answer.Header.Get("x-request-id"))
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, rec.Status)
		require.Equal(t, "realtime", rec.Model)
	})
	t.Run("refused", func(t *testing.T) {
		before := len(provider.requests())
		passes, refuses := start("pass"), start("refuse")
		for _, tt := range []struct {
			e       *envoytest.Envoy
			path    string
			headers []string
			status  int
		}{
			{passes, path, nil, http.StatusUnauthorized},
			{passes, "/v1beta/files", []string{key}, http.StatusUpgradeRequired}, // the dialect's providers have none
			{passes, "/v1/models", []string{key}, http.StatusUpgradeRequired},
			{refuses, path, []string{key}, http.StatusForbidden}, // by Envoy: the module is not asked
		} {
			_, _, answer := dial(t, tt.e.URL, tt.path, tt.headers...)
			require.Equal(t, tt.status, answer.StatusCode, tt.path)
			require.NoError(t, answer.Body.Close())
		}
		require.Len(t, provider.requests(), before)
	})
}
