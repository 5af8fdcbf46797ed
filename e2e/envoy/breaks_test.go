package envoy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock"
)

// A stream that ends in the middle of an orderly HTTP message, or by the
// provider's own error event, ends for the client with a typed error event.
func TestBrokenStream(t *testing.T) {
	t.Parallel()
	for _, behaviour := range []string{"cut-mid-stream", "stream-error-mid"} {
		for _, s := range sides() {
			t.Run(s.model+"/"+behaviour, func(t *testing.T) {
				t.Parallel()
				got, acc := stream(t, say(s.model, "Tell me a long story about a sally port."), behave(behaviour))
				require.NotNil(t, got.broke, "the stream ended as if it were whole: %+v", acc)
				require.Contains(t, string(got.broke.Event.Data), got.id, "the error names the request")
				require.NotEmpty(t, acc.Choices[0].Message.Content)
				r := audit(t, got.id)
				require.Equal(t, "complete", r.End)
				require.NotEmpty(t, r.Error.Class)
				require.True(t, r.Usage.Estimated || r.Usage.Known, "what was seen is counted: %+v", r.Usage)
				require.NotZero(t, r.Usage.OutputTotal())
			})
		}
	}
}

// When the provider's connection goes in the middle of a stream, Envoy breaks
// the client's off at once, and no filter is asked: the client sees a broken
// answer, never a whole one, and the record says why.
func TestUpstreamReset(t *testing.T) {
	t.Parallel()
	for _, behaviour := range []string{"reset-mid-stream", "close-mid-stream"} {
		for _, s := range sides() {
			t.Run(s.model+"/"+behaviour, func(t *testing.T) {
				t.Parallel()
				id, text, err := read(t, streamOf(s.model, "Tell me a long story about a sally port."), mock.BehaviourHeader+": "+behaviour)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "answer %s", text)
				require.NotContains(t, text, "[DONE]")
				r := audit(t, id)
				require.Equal(t, "upstream_reset", r.End)
				require.True(t, r.Usage.Partial && r.Usage.Estimated, "what was seen is counted: %+v", r.Usage)
				require.NotZero(t, r.Usage.OutputTotal())
				require.Len(t, r.Attempts, 1)
			})
		}
	}
}

func streamOf(model, text string) string {
	return `{"model":"` + model + `","stream":true,"messages":[{"role":"user","content":` + strconv.Quote(text) + `}]}`
}

// read sends a request and reads what comes of its answer.
func read(t *testing.T, body string, headers ...string) (id, text string, err error) {
	t.Helper()
	res := open(t, deadline(t), http.DefaultClient, body, headers...)
	defer res.Body.Close() //nolint:errcheck // it was read
	all, err := io.ReadAll(res.Body)
	return res.Header.Get("x-request-id"), string(all), err
}

// open sends a request and returns at its answer's headers.
func open(t *testing.T, ctx context.Context, c *http.Client, body string, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, shared.envoy.URL+chatPath, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("authorization", "Bearer "+shared.keys["alice"])
	req.Header.Set("content-type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := c.Do(req)
	require.NoError(t, err)
	return res
}

// A client that goes away in mid-stream: the provider is told, the record says
// so, what was seen is counted, and the rest of the reservation is given back.
func TestClientAbort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	res := open(t, ctx, http.DefaultClient, streamOf("metered", "Tell me a story."), mock.BehaviourHeader+": tokens=64, slow=50ms")
	defer res.Body.Close() //nolint:errcheck // it is broken off
	lines := bufio.NewReader(res.Body)
	for seen := 0; seen < 4; {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		if strings.Contains(line, `"content":"`) {
			seen++
		}
	}
	cancel()
	r := audit(t, res.Header.Get("x-request-id"))
	require.Equal(t, "client_abort", r.End)
	require.True(t, r.Usage.Partial && r.Usage.Estimated, "%+v", r.Usage)
	require.NotZero(t, r.Usage.OutputTotal())
	require.Len(t, r.Budgets, 1)
	require.Equal(t, r.Usage.InputTotal()+r.Usage.OutputTotal(), r.Budgets[0].Settled)
	require.Less(t, r.Budgets[0].Settled, r.Budgets[0].Reserved)
	require.Eventually(t, func() bool {
		seen := shared.openai.Of(r.RequestID)
		return len(seen) == 1 && seen[0].Outcome == mock.Aborted
	}, patience, 50*time.Millisecond, "the provider goes on generating")
}

// A client that goes away before there is any answer costs nothing.
func TestClientAbortBeforeAnswer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	before := len(shared.openai.Requests())
	go func() {
		_, _ = client(behave("hang")).Chat.Completions.New(ctx, say("metered", "abort me early")) // it is broken off
	}()
	var id string
	require.Eventually(t, func() bool {
		for _, r := range shared.openai.Requests()[before:] {
			if strings.Contains(string(r.Body), "abort me early") {
				id = r.Header.Get("x-request-id")
			}
		}
		return id != ""
	}, patience, 50*time.Millisecond)
	cancel()
	r := audit(t, id)
	require.Equal(t, "client_abort", r.End)
	require.Len(t, r.Budgets, 1)
	require.Less(t, r.Budgets[0].Settled, r.Budgets[0].Reserved)
}

// A client that reads slowly gets everything, in the end.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	narrow := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if tcp, ok := c.(*net.TCPConn); ok && err == nil {
			err = tcp.SetReadBuffer(64 << 10)
		}
		return c, err
	}}
	t.Cleanup(narrow.CloseIdleConnections)
	for _, s := range sides() {
		t.Run(s.model, func(t *testing.T) {
			t.Parallel()
			res := open(t, deadline(t), &http.Client{Transport: narrow}, streamOf(s.model, "x"), mock.BehaviourHeader+": tokens=8000")
			defer res.Body.Close() //nolint:errcheck // it was read
			var text strings.Builder
			piece := make([]byte, 64<<10)
			for {
				n, err := io.ReadFull(res.Body, piece)
				text.Write(piece[:n])
				if err != nil {
					require.Contains(t, []error{io.EOF, io.ErrUnexpectedEOF}, err) // of the last piece
					break
				}
				time.Sleep(30 * time.Millisecond)
			}
			require.True(t, strings.HasSuffix(text.String(), "data: [DONE]\n\n"), "%.500s\n%s", text.String(), shared.envoy.Access(res.Header.Get("x-request-id")))
			require.Greater(t, strings.Count(text.String(), "\ndata: "), 1000)
			r := audit(t, res.Header.Get("x-request-id"))
			require.Equal(t, "complete", r.End)
			require.EqualValues(t, 8000, r.Usage.OutputTotal())
		})
	}
}

// Two hundred streams at once, in both dialects: each has its own answer.
func TestConcurrentStreams(t *testing.T) {
	t.Parallel()
	const n = 200
	transport := &http.Transport{MaxIdleConnsPerHost: n}
	t.Cleanup(transport.CloseIdleConnections)
	c := client(option.WithHTTPClient(&http.Client{Transport: transport}), behave("first=1s"))
	both := sides()
	got := make([]told, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			s := c.Chat.Completions.NewStreaming(deadline(t), say(both[i%2].model, word(i)), option.WithResponseInto(&got[i].res))
			acc := &openai.ChatCompletionAccumulator{}
			for s.Next() {
				acc.AddChunk(s.Current())
			}
			got[i].answer, got[i].problem = &acc.ChatCompletion, s.Err()
		})
	}
	all.Wait()
	for i := range got {
		require.NoError(t, got[i].problem, "stream %d", i)
		require.Len(t, got[i].answer.Choices, 1, "stream %d", i)
		require.Contains(t, got[i].answer.Choices[0].Message.Content, word(i))
		got[i].id = got[i].res.Header.Get("x-request-id")
		accounted(t, both[i%2], got[i], nil)
	}
}

func word(i int) string { return "quote number " + strconv.Itoa(i) + " please" }
