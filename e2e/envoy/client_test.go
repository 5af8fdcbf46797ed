package envoy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/e2e/internal/envoytest"
	"github.com/posterngw/postern/tools/mock"
)

// patience bounds a test's request on a machine that does other things besides.
const patience = 60 * time.Second

// client is the official client, as an application has it but for the retries,
// which would hide what is tested.
func client(opts ...option.RequestOption) *openai.Client {
	c := openai.NewClient(append([]option.RequestOption{
		option.WithBaseURL(shared.envoy.URL + "/v1"), option.WithAPIKey(shared.keys["alice"]), option.WithMaxRetries(0),
	}, opts...)...)
	return &c
}

// overHTTP2 is a client that speaks nothing else, without TLS.
func overHTTP2(t *testing.T) *http.Client {
	t.Helper()
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &p}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// behave asks the mock for behaviours.
func behave(list string) option.RequestOption { return option.WithHeader(mock.BehaviourHeader, list) }

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// say is a chat with one question.
func say(model, text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
}

// told is what came of a request.
type told struct {
	answer *openai.ChatCompletion
	err    *openai.Error
	broke  *ssestream.StreamError // an error event in a stream
	res    *http.Response
	id     string // of the request
	// problem is any error, where many requests are made at once.
	problem error
}

// ask sends a whole chat; an error is the client's own type, or the test fails.
func ask(t *testing.T, p openai.ChatCompletionNewParams, opts ...option.RequestOption) told {
	t.Helper()
	var out told
	answer, err := client(opts...).Chat.Completions.New(deadline(t), p, option.WithResponseInto(&out.res))
	out.answer = answer
	out.fail(t, err)
	return out
}

// stream sends a chat whose answer is streamed, and reads it to its end.
func stream(t *testing.T, p openai.ChatCompletionNewParams, opts ...option.RequestOption) (told, *openai.ChatCompletionAccumulator) {
	t.Helper()
	var out told
	s := client(opts...).Chat.Completions.NewStreaming(deadline(t), p, option.WithResponseInto(&out.res))
	defer s.Close() //nolint:errcheck // it was read
	acc := &openai.ChatCompletionAccumulator{}
	for s.Next() {
		require.True(t, acc.AddChunk(s.Current()), "chunk %s", s.Current().RawJSON())
	}
	out.answer = &acc.ChatCompletion
	out.fail(t, s.Err())
	return out, acc
}

func (o *told) fail(t *testing.T, err error) {
	t.Helper()
	if o.res != nil {
		o.id = o.res.Header.Get("x-request-id")
	}
	if err == nil || errors.As(err, &o.broke) {
		return
	}
	require.True(t, errors.As(err, &o.err), "not the client's own error: %T %v\nenvoy's log:\n%s", err, err, shared.envoy.LogTail(20))
	if o.res == nil && o.err.Response != nil {
		o.res, o.id = o.err.Response, o.err.Response.Header.Get("x-request-id")
	}
}

// audit is the audit record of a request.
func audit(t *testing.T, id string) *envoytest.Record {
	t.Helper()
	require.NotEmpty(t, id, "the answer has no x-request-id")
	r, err := shared.envoy.Audit(id)
	require.NoError(t, err, "envoy's log:\n%s", shared.envoy.LogTail(20))
	return r
}

// post sends bytes as they are, for what no official client sends.
func post(t *testing.T, path string, body []byte, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, shared.envoy.URL+path, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("content-type", "application/json")
	req.Header.Set("authorization", "Bearer "+shared.keys["alice"])
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	return do(t, http.DefaultClient, req)
}

func do(t *testing.T, c *http.Client, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := c.Do(req)
	require.NoError(t, err, "envoy's log:\n%s", shared.envoy.LogTail(20))
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(text)
}
