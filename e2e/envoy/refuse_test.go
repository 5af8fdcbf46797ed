package envoy

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"
)

// TestTypedErrors: what the gateway refuses arrives as the official client's
// own error, whole or streamed.
func TestTypedErrors(t *testing.T) {
	t.Parallel()
	key := func(id string) []option.RequestOption {
		return []option.RequestOption{option.WithAPIKey(shared.keys[id])}
	}
	wrong := strings.Repeat("A", 43)
	for name, c := range map[string]struct {
		model  string
		opts   []option.RequestOption
		status int
		typ    string
		code   string
		policy string // of the audit record
	}{
		"unknown key id":        {"gpt", []option.RequestOption{option.WithAPIKey("nobody." + wrong)}, 401, "invalid_request_error", "invalid_api_key", ""},
		"wrong secret":          {"gpt", []option.RequestOption{option.WithAPIKey("alice." + wrong)}, 401, "invalid_request_error", "invalid_api_key", ""},
		"no key of ours":        {"gpt", []option.RequestOption{option.WithAPIKey("sk-something")}, 401, "invalid_request_error", "invalid_api_key", ""},
		"no key":                {"gpt", []option.RequestOption{option.WithHeaderDel("authorization")}, 401, "invalid_request_error", "missing_api_key", ""},
		"disabled key":          {"gpt", key("carol"), 401, "invalid_request_error", "invalid_api_key", ""},
		"denied model":          {"forbidden", nil, 403, "request_forbidden", "policy_denied", "no-forbidden"},
		"denied boundary":       {"outside", key("bob"), 403, "request_forbidden", "policy_denied", "stay-inside"},
		"unknown model":         {"gpt-99", nil, 404, "invalid_request_error", "model_not_found", ""},
		"provider's name of it": {"gpt-4o", nil, 404, "invalid_request_error", "model_not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := func(got told) {
				require.NotNil(t, got.err)
				require.Equal(t, c.status, got.err.StatusCode)
				require.Equal(t, c.typ, got.err.Type, got.err.RawJSON())
				require.Equal(t, c.code, got.err.Code, got.err.RawJSON())
				r := audit(t, got.id)
				require.Equal(t, "local_reply", r.End)
				require.Equal(t, c.status, r.Status)
				require.Equal(t, c.code, r.Error.Code)
				require.Equal(t, c.policy, r.Error.Policy)
				require.Empty(t, r.Attempts)
				require.Empty(t, shared.openai.Of(got.id))
			}
			check(ask(t, say(c.model, "x"), c.opts...))
			got, _ := stream(t, say(c.model, "x"), c.opts...)
			check(got)
		})
	}
}

// An exhausted budget is a 429 that tells the official client not to come back
// with money, and names the budget in the record.
func TestBudget(t *testing.T) {
	t.Parallel()
	var last told
	for range 2 {
		last = ask(t, say("limited", "x"))
		require.Nil(t, last.err)
	}
	last = ask(t, say("limited", "x"))
	require.NotNil(t, last.err)
	require.Equal(t, 429, last.err.StatusCode)
	require.Equal(t, "insufficient_quota", last.err.Type, last.err.RawJSON())
	require.Equal(t, "budget_exceeded", last.err.Code, last.err.RawJSON())
	r := audit(t, last.id)
	require.Equal(t, "two-a-day", r.Error.Policy)
	require.Equal(t, "quota_exhausted", r.Error.Class)
}

// refusal is the body of an error answer.
type refusal struct {
	Error struct {
		Message   string
		Type      string
		Code      string
		Param     string
		RequestID string `json:"request_id"`
	}
}

// refused checks an error in the client's dialect.
func refused(t *testing.T, res *http.Response, text string, status int, code string) refusal {
	t.Helper()
	require.Equal(t, status, res.StatusCode, text)
	require.Equal(t, "application/json", res.Header.Get("content-type"))
	var body refusal
	require.NoError(t, json.Unmarshal([]byte(text), &body), text)
	require.Equal(t, code, body.Error.Code, text)
	require.NotEmpty(t, body.Error.Message)
	require.NotEmpty(t, body.Error.Type)
	require.Equal(t, res.Header.Get("x-request-id"), body.Error.RequestID, "the error names the request")
	return body
}

const chatPath = "/v1/chat/completions"

func TestBadBodies(t *testing.T) {
	t.Parallel()
	deep := `{"model":"gpt","messages":[{"role":"user","content":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}]}`
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		param  string
	}{
		"breaks off":            {`{"model":"gpt","messages":[`, 400, "invalid_json", ""},
		"not JSON":              {`model=gpt`, 400, "invalid_json", ""},
		"trailing":              {`{"model":"gpt","messages":[]} {}`, 400, "invalid_json", ""},
		"twice the model":       {`{"model":"gpt","messages":[],"model":"forbidden"}`, 400, "duplicate_key", "model"},
		"twice, disguised":      {`{"model":"gpt","messages":[],"\u006dodel":"forbidden"}`, 400, "duplicate_key", "model"},
		"twice, disguised, led": {`{"\u006d\u006fdel":"gpt","messages":[],"model":"forbidden"}`, 400, "duplicate_key", "model"},
		"twice stream":          {`{"model":"gpt","stream":false,"messages":[],"stream":true}`, 400, "duplicate_key", "stream"},
		"too deep":              {deep, 400, "nesting_too_deep", ""},
		"empty":                 {``, 400, "missing_body", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, text := post(t, chatPath, []byte(c.body))
			body := refused(t, res, text, c.status, c.code)
			require.Equal(t, c.param, body.Error.Param)
			require.Equal(t, "local_reply", audit(t, body.Error.RequestID).End)
		})
	}
}

func TestUnknownPath(t *testing.T) {
	t.Parallel()
	res, text := post(t, "/v1/engines/gpt/completions", []byte(`{}`))
	refused(t, res, text, 404, "unknown_path")
}

// A body beyond the limit is refused in the client's dialect, with a length and
// without.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	large := chat("gpt", 1<<20+100)
	res, text := post(t, chatPath, large)
	refused(t, res, text, 413, "request_too_large")

	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, shared.envoy.URL+chatPath, struct{ *bytes.Reader }{bytes.NewReader(large)})
	require.NoError(t, err)
	req.ContentLength = -1
	req.Header.Set("authorization", "Bearer "+shared.keys["alice"])
	res, text = do(t, http.DefaultClient, req)
	refused(t, res, text, 413, "request_too_large")
}

// chat is a chat request whose body has exactly n bytes.
func chat(model string, n int) []byte {
	head, tail := `{"model":"`+model+`","messages":[{"role":"user","content":"`, `"}]}`
	return []byte(head + strings.Repeat("a", n-len(head)-len(tail)) + tail)
}

func TestCompressedRequest(t *testing.T) {
	t.Parallel()
	res, text := post(t, chatPath, zipped(t, chat("gpt", 5000)), "content-encoding: gzip")
	require.Equal(t, 200, res.StatusCode, text)
	seen := shared.openai.Of(res.Header.Get("x-request-id"))
	require.Len(t, seen, 1)
	require.Empty(t, seen[0].Header.Get("content-encoding"))
	require.True(t, json.Valid(seen[0].Body))

	res, text = post(t, chatPath, []byte("\x28\xb5\x2f\xfd"), "content-encoding: zstd")
	refused(t, res, text, 415, "unsupported_encoding")
	res, text = post(t, chatPath, []byte("no gzip"), "content-encoding: gzip")
	require.Equal(t, 400, res.StatusCode, text)
	// 64 MiB of one letter are 64 KiB compressed.
	res, text = post(t, chatPath, zipped(t, chat("gpt", 64<<20)), "content-encoding: gzip")
	refused(t, res, text, 413, "request_too_large")
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// What a principal may use is what it is shown.
func TestModels(t *testing.T) {
	t.Parallel()
	names := func(id string) []string {
		page, err := client(option.WithAPIKey(shared.keys[id])).Models.List(deadline(t))
		require.NoError(t, err)
		var names []string
		for _, m := range page.Data {
			names = append(names, m.ID)
		}
		return names
	}
	require.Subset(t, names("alice"), []string{"gpt", "claude", "outside"})
	require.NotContains(t, names("alice"), "forbidden")
	require.NotContains(t, names("bob"), "outside")
}

// The official client retries what is worth it, and comes through.
func TestOfficialRetry(t *testing.T) {
	t.Parallel()
	got, err := client(option.WithMaxRetries(2)).Chat.Completions.New(deadline(t), say("gpt", "x"), behave("flap=1"))
	require.NoError(t, err)
	require.IsType(t, &openai.ChatCompletion{}, got)
}
