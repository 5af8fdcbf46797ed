package envoy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/upstream"
)

// Requests that follow each other on one connection, without waiting for answers,
// behind bodies that become longer or shorter: each provider sees exactly the
// requests that were sent, and each answer belongs to its request.
func TestPipelined(t *testing.T) {
	t.Parallel()
	for _, framing := range []string{"content-length", "chunked"} {
		t.Run(framing, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", strings.TrimPrefix(shared.envoy.URL, "http://"))
			require.NoError(t, err)
			defer c.Close() //nolint:errcheck // it was read
			require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
			models := []string{"gpt", "claude", "then-claude", "gpt", "first-503", "claude"}
			var sent strings.Builder
			for i, model := range models {
				sent.WriteString(rawRequest(framing, model, "word-"+strconv.Itoa(i)))
			}
			_, err = io.WriteString(c, sent.String())
			require.NoError(t, err)
			in := bufio.NewReader(c)
			for i := range models {
				res, err := http.ReadResponse(in, nil)
				require.NoError(t, err, "answer %d", i)
				text, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.Equal(t, 200, res.StatusCode, "%s", text)
				require.Contains(t, string(text), "word-"+strconv.Itoa(i))
			}
		})
	}
	for _, provider := range []*upstream.Server{shared.openai, shared.anthropic, shared.spare} {
		for _, r := range provider.Requests() {
			require.NotContains(t, r.Path, "smuggled")
		}
	}
}

// rawRequest is a chat whose text looks like a request of its own.
func rawRequest(framing, model, word string) string {
	body := `{"model":"` + model + `","messages":[{"role":"user","content":"` + word +
		` POST /v1/smuggled HTTP/1.1\r\nhost: x\r\n\r\n"}]}`
	head := "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nauthorization: Bearer " + shared.keys["alice"] + "\r\n"
	if framing == "chunked" {
		return head + "transfer-encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	return head + "content-length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}
