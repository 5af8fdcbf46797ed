package passthrough_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/bedrock"
	"github.com/posterngw/postern/filters/dialect/cohere"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/gemini"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

func api(t testing.TB) *dialect.API {
	apis := openai.New().APIs
	last := apis[len(apis)-1]
	require.Equal(t, "passthrough", last.Name)
	return last
}

func line(text, kind string) *dialect.Line {
	method, path, _ := strings.Cut(text, " ")
	path, query, _ := strings.Cut(path, "?")
	return &dialect.Line{Method: method, Path: path, Query: query, Header: func(name string) string {
		return map[string]string{"content-type": kind}[name]
	}}
}

func TestRecognise(t *testing.T) {
	for text, rest := range map[string]string{
		"POST /v1/images/generations":               "images/generations",
		"GET /v1/files":                             "files",
		"DELETE /v1/files/f-1?x=1&api-version=2&y":  "files/f-1?x=1&y",
		"GET /openai/v1/batches?after=b":            "batches?after=b",
		"GET /v1/responses/resp_1/input_items":      "responses/resp_1/input_items",
		"GET /v1/filesystem":                        "",
		"GET /v1/files/../models":                   "",
		"GET /v1/files/a%2fb":                       "",
		"GET /v1/files/%2e%2e/models":               "",
		"GET /v1/files//x":                          "",
		"GET /v1/organization/admin_api_keys":       "",
		"OPTIONS /v1/files":                         "",
		"POST /openai/deployments/d/images/x":       "",
		"POST /openai/deployments/d/images/edits":   "images/edits",
		"GET /v2/files":                             "",
		"POST /v1/audio/transcriptions?api-version": "audio/transcriptions",
	} {
		call, ok := api(t).Client.Recognise(line(text, ""))
		require.Equal(t, rest != "", ok, text)
		require.Equal(t, rest, call.Rest, text)
	}
	json, _ := api(t).Client.Recognise(line("POST /v1/images/edits", "application/json; charset=utf-8"))
	form, _ := api(t).Client.Recognise(line("POST /v1/images/edits", "multipart/form-data; boundary=x"))
	require.True(t, !json.Raw && form.Raw && json.Bare && form.Bare)
}

// Every dialect's own paths, where they lead, and the model that they name.
func TestDialects(t *testing.T) {
	claude, chat := anthropic.Messages(), openai.Chat()
	azure := &dialect.Target{Flavour: "azure", Version: "v", Model: "dep"}
	for _, tt := range []struct {
		d              *dialect.Dialect
		line, header   string
		target         *dialect.Target
		upstream, name string // empty: not passed on
	}{
		{openai.New(), "POST /openai/deployments/d/audio/speech?api-version=1", "", azure, "/openai/deployments/dep/audio/speech?api-version=v", "d"},
		{openai.New(), "POST /openai/deployments/d/files", "", azure, "", ""},
		{anthropic.New(), "GET /v1/files?limit=2", "anthropic-version", &dialect.Target{BasePath: "/x/v1"}, "/x/v1/files?limit=2", ""},
		{anthropic.New(), "GET /v1/files", "", &dialect.Target{}, "", ""},
		{anthropic.New(), "POST /v1/messages/batches/b/cancel", "", &dialect.Target{}, "/v1/messages/batches/b/cancel", ""},
		{anthropic.New(), "GET /v1/organizations/me", "anthropic-version", &dialect.Target{}, "", ""},
		{gemini.New(), "POST /upload/v1beta/files?key=k", "", &dialect.Target{}, "/upload/v1beta/files", ""},
		{gemini.New(), "GET /download/v1beta/files/a:download?alt=media", "", &dialect.Target{BasePath: "/p/v1beta"}, "/p/download/v1beta/files/a:download?alt=media", ""},
		{gemini.New(), "GET /v1beta/models/veo/operations/o", "", &dialect.Target{Model: "veo-3"}, "/v1beta/models/veo-3/operations/o", "veo"},
		{gemini.New(), "POST /v1beta/models/veo:predictLongRunning", "", &dialect.Target{Model: "tunedModels/t"}, "/v1beta/tunedModels/t:predictLongRunning", "veo"},
		{gemini.New(), "GET /v1/files", "", &dialect.Target{}, "", ""},
		{gemini.New(), "GET /v1/files", "x-goog-api-key", &dialect.Target{}, "/v1/files", ""},
		{gemini.New(), "GET /ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k", "", &dialect.Target{},
			"/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent", ""},
		{gemini.New(), "POST /v1/projects/p/locations/l/publishers/google/models/veo:predictLongRunning", "",
			&dialect.Target{Flavour: "vertex", BasePath: "/v1/projects/o/locations/e", Model: "veo-3"},
			"/v1/projects/o/locations/e/publishers/google/models/veo-3:predictLongRunning", "veo"},
		{cohere.New(), "POST /v1/tokenize", "", &dialect.Target{BasePath: "/v2"}, "/v1/tokenize", ""},
		{cohere.New(), "POST /v2/batches/b:cancel", "", &dialect.Target{}, "/v2/batches/b:cancel", ""},
		{cohere.New(), "GET /v1/api-keys", "", &dialect.Target{}, "", ""},
		{bedrock.New(claude, chat), "POST /model/m%3A1/count-tokens", "", &dialect.Target{Model: "n:1"}, "/model/n%3A1/count-tokens", "m:1"},
		{bedrock.New(claude, chat), "GET /async-invoke/arn%3Aaws%2Fi", "", &dialect.Target{}, "/async-invoke/arn%3Aaws%2Fi", ""},
		{bedrock.New(claude, chat), "POST /model/m/invoke-with-bidirectional-stream", "", &dialect.Target{}, "", ""},
		{bedrock.New(claude, chat), "GET /async-invoke/%252e%252e", "", &dialect.Target{}, "", ""},
	} {
		l := line(tt.line, "")
		l.Header = func(name string) string {
			if name == tt.header {
				return "x"
			}
			return ""
		}
		upstream := ""
		for _, a := range tt.d.APIs {
			if a.Operation != llm.Passthrough || a.Takes != nil && !a.Takes(tt.target) {
				continue
			}
			if c, ok := a.Client.Recognise(l); ok {
				require.Equal(t, tt.name, c.Model, tt.line)
				upstream = a.Provider.Path(&llm.Facts{Operation: c.Operation, Rest: c.Rest}, tt.target)
			}
		}
		require.Equal(t, tt.upstream, upstream, tt.line)
	}
}

func TestPath(t *testing.T) {
	f := llm.Facts{Operation: llm.Passthrough, Rest: "files?a=b"}
	require.Equal(t, "/v1/files?a=b", api(t).Provider.Path(&f, &dialect.Target{}))
	require.Equal(t, "/openai/files?a=b&api-version=v", api(t).Provider.Path(&f, &dialect.Target{Flavour: "azure", Version: "v"}))
}

const form = "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"model\"\r\n\r\nname=\"model\"\r\n--B\r\n" +
	"Content-Disposition: form-data; name=model\r\ncontent-type: text/plain\r\n\r\nfast\r\n--B--\r\n"

// patched runs a body through Facts and Request.
func patched(t testing.TB, kind string, body []byte) (string, []byte, *llm.Error) {
	a := api(t)
	call, _ := a.Client.Recognise(line("POST /v1/images/edits", kind))
	var doc jsonx.Document
	doc.Hold(body)
	if !call.Raw {
		if doc.Scan(body, a.Client.Inspected(), jsonx.Limits{}) != nil {
			return "", body, nil
		}
	}
	f, err := a.Client.Facts(call, &doc)
	if err != nil {
		return "", body, err
	}
	var e jsonx.Edits
	a.Same.Request(&e, &f, &doc, &dialect.Patch{Target: &dialect.Target{Model: "target"}})
	return f.Model, e.Apply(nil, body), nil
}

func TestModel(t *testing.T) {
	name, out, err := patched(t, "multipart/form-data; boundary=B", []byte(form))
	require.Nil(t, err)
	require.Equal(t, "fast", name)
	require.Equal(t, strings.Replace(form, "fast", "target", 1), string(out))
	_, _, err = patched(t, "multipart/form-data; boundary=B", []byte(strings.Replace(form, `name="file"`, `name="model"`, 1)))
	require.NotNil(t, err)
	require.Equal(t, "duplicate_key", err.Code)
	name, out, err = patched(t, "application/json", []byte(`{"model":"f\u0061st","n":1}`))
	require.Nil(t, err)
	require.Equal(t, "fast", name)
	require.Equal(t, `{"model":"target","n":1}`, string(out))
	for _, body := range []string{"", "binary\r\n--B", `{"n":1}`} {
		name, out, err = patched(t, "application/octet-stream", []byte(body))
		require.Nil(t, err)
		require.Empty(t, name)
		require.Equal(t, body, string(out))
	}
	_, _, err = patched(t, "application/json", []byte(`{"model":7}`))
	require.NotNil(t, err)
}

func TestNoTranslation(t *testing.T) {
	a := api(t)
	got, same := openai.New().Serves(nil, &llm.Facts{Operation: llm.Passthrough}, &dialect.Target{})
	require.Nil(t, got)
	require.False(t, same)
	_, err := a.Client.Decode(llm.Facts{}, nil)
	require.NotNil(t, err)
}

func TestStream(t *testing.T) {
	stream := []byte("data: {\"x\":1}\n\nevent: done\ndata: {\"response\":{\"usage\":{\"input_tokens\":3,\"output_tokens\":4}}}\n\ndata: [DONE]\n\n")
	dialecttest.OneCut(stream, func(chunks ...[]byte) {
		out, told := dialecttest.Tap(api(t).Same.NewTap(&llm.Facts{}, dialect.Limits{Event: 1 << 10}, nil), chunks...)
		require.Equal(t, string(stream), string(out))
		require.EqualValues(t, 7, dialecttest.Last(told).Total())
		require.Equal(t, llm.End, told[len(told)-1].Kind)
	})
}

func TestAnswerUsage(t *testing.T) {
	for body, total := range map[string]int64{
		`{"usage":{"prompt_tokens":1,"total_tokens":1}}`:              1,
		`{"response":{"usage":{"input_tokens":1,"output_tokens":2}}}`: 3,
		`{"data":[]}`: 0, `[]`: 0, `{`: 0,
	} {
		u, _, err := api(t).Same.Answer(nil, nil, []byte(body), nil)
		require.Nil(t, err)
		require.Equal(t, total, u.Total(), body)
	}
}

func FuzzModel(f *testing.F) {
	f.Add([]byte(form), true)
	f.Add([]byte(`{"model":"m"}`), false)
	f.Fuzz(func(t *testing.T, body []byte, multipart bool) {
		kind := "application/json"
		if multipart {
			kind = "multipart/form-data; boundary=B"
		}
		name, out, err := patched(t, kind, body)
		if err != nil {
			require.Equal(t, 400, err.Status)
			return
		}
		if name == "" || name == "target" {
			require.Equal(t, string(body), string(out))
			return
		}
		again, _, err := patched(t, kind, out)
		require.Nil(t, err)
		require.Equal(t, "target", again)
	})
}
