package anthropic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

func facts(t testing.TB, body string) (llm.Facts, *jsonx.Document) {
	doc := new(jsonx.Document)
	if err := doc.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{}); err != nil {
		t.Fatal(err)
	}
	f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, doc)
	if err != nil {
		t.Fatal(err)
	}
	return f, doc
}

func TestRecognise(t *testing.T) {
	for line, want := range map[string]bool{"POST /v1/messages": true, "GET /v1/messages": false, "POST /v1/messages/batches": false,
		"GET /v1/models": false, "GET /v1/models 2023-06-01": true, "GET /v1/models/fast 2023-06-01": true, "GET /v1/models/ 2023-06-01": false} {
		words := append(strings.Fields(line), "")
		call, ok := codec.Client.Recognise(&dialect.Line{Method: words[0], Path: words[1], Header: func(string) string { return words[2] }})
		require.Equal(t, want, ok, line)
		if ok && words[0] == "GET" {
			require.Equal(t, llm.Models, call.Operation)
			require.Equal(t, strings.Trim(strings.TrimPrefix(words[1], "/v1/models"), "/"), call.Model)
		}
	}
}

// TestSize sizes a conversation, with the client's bytes and from another API.
func TestSize(t *testing.T) {
	api := anthropic.CountTokens()
	_, ok := api.Client.Recognise(&dialect.Line{Method: "POST", Path: "/v1/messages/count_tokens"})
	require.True(t, ok)
	target := dialect.Target{Model: "claude-x", BasePath: "/v1", MaxTokens: 9}
	require.Equal(t, "/v1/messages/count_tokens", api.Provider.Path(nil, &target))
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`)
	doc, bad := jsonx.Scan(body, api.Client.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, err := api.Client.Facts(dialect.Call{Operation: llm.CountTokens}, &doc)
	require.Nil(t, err)
	var e jsonx.Edits
	api.Same.Request(&e, &f, &doc, &dialect.Patch{Target: &target})
	require.Equal(t, `{"model":"claude-x","messages":[{"role":"user","content":"hi"}]}`, string(e.Apply(nil, body)))
	r, err := api.Client.Decode(f, &doc)
	require.Nil(t, err)
	out, err := api.Provider.Encode(nil, r, &target, nil)
	require.Nil(t, err)
	require.Equal(t, `{"model":"claude-x","messages":[{"role":"user","content":"hi"}]}`, string(out))
	a, err := api.Provider.Decode(&f, &target, []byte(`{"input_tokens":12}`))
	require.Nil(t, err)
	require.Equal(t, `{"input_tokens":12}`, string(api.Client.AppendAnswer(nil, &f, "m", a, nil)))
	for _, body := range []string{`{}`, `{"input_tokens":"x"}`, `[`} {
		_, err = api.Provider.Decode(&f, &target, []byte(body))
		require.Equal(t, llm.MalformedAnswer, err.Class, body)
		_, _, err = api.Same.Answer(&e, &f, []byte(body), nil)
		require.Equal(t, llm.MalformedAnswer, err.Class, body)
	}
}

// TestCitations carries citations out of an answer and into another, whole and streamed.
func TestCitations(t *testing.T) {
	cited := `{"type":"web_search_result_location","url":"https://x","title":"T","cited_text":"c","encrypted_index":""}`
	body := `{"id":"i","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"a","citations":[` + cited + `]}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`
	a, err := codec.Provider.Decode(nil, nil, []byte(body))
	require.Nil(t, err)
	require.Len(t, a.Choices[0].Parts[0].Citations, 1)
	require.Contains(t, string(codec.Client.AppendAnswer(nil, nil, "m", a, nil)), `"text":"a","citations":[`+cited+`]`)
	stream := "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"i\",\"usage\":{\"input_tokens\":1}}}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"citations_delta\",\"citation\":" + cited + "}}\n\n"
	events := dialecttest.Decode(codec.Provider.NewDecoder(nil, nil, limits), []byte(stream))
	out := dialecttest.Encode(codec.Client.NewEncoder(nil, "m"), events)
	require.Contains(t, string(out), `"delta":{"type":"citations_delta","citation":`+cited+`}`)
}

// TestForeignSignatures come back as they went, and are kept from the provider.
func TestForeignSignatures(t *testing.T) {
	a := &llm.Answer{Choices: []llm.Choice{{Parts: []llm.Part{{Kind: llm.ReasoningPart, Text: llm.Escaped("Hm"), Signature: llm.Escaped("c2ln"), Origin: "other"}}}}}
	out := codec.Client.AppendAnswer(nil, nil, "m", a, nil)
	require.Contains(t, string(out), `"signature":"postern.other.c2ln"`)
	body := `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":"postern.other.c2ln"},{"type":"text","text":"t"}]}]}`
	f, doc := facts(t, body)
	r, err := codec.Client.Decode(f, doc)
	require.Nil(t, err)
	part := r.Messages[1].Parts[0]
	require.Equal(t, "other c2ln", part.Origin+" "+string(part.Signature))
	var l dialect.Ledger
	sent, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "x"}, &l)
	require.Nil(t, err)
	require.NotContains(t, string(sent), "c2ln")
	require.Equal(t, "dropped messages/*/reasoning_content", string(l.Append(nil)))
}

func TestToken(t *testing.T) {
	for _, c := range []struct{ key, authorization, token, header string }{
		{"k", "", "k", "x-api-key"}, {"k", "Bearer t", "k", "x-api-key"}, {"", "bearer  t", "t", "authorization"},
		{"", "Basic t", "", ""}, {"", "", "", ""}, {"", "Bearer ", "", ""},
	} {
		token, header := codec.Client.Token(&dialect.Line{Header: func(name string) string {
			return map[string]string{"x-api-key": c.key, "authorization": c.authorization}[name]
		}})
		require.Equal(t, c.token+c.header, token+header)
	}
}

func TestFacts(t *testing.T) {
	body := `{"model":"a\u0062","max_tokens":7,"stream":true,"metadata":{"user_id":"u"},"tools":[{},{}],"system":"s","messages":[` +
		`{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},` +
		`{"type":"document","source":{"type":"base64","data":"AAAA"}},` +
		`{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}]}]}`
	f, _ := facts(t, body)
	require.NotZero(t, f.Opening)
	f.Opening = 0
	require.Equal(t, llm.Facts{Operation: llm.Chat, Model: "ab", MaxTokens: 7, Stream: true, User: "u", Tools: 2, Images: 2,
		Choices: 1, WantsUsage: true, TextBytes: len(body) - 4,
		Needs: llm.NeedTools | llm.NeedImages | llm.NeedStream | llm.NeedDocuments}, f)
	for body, param := range map[string]string{
		`{"messages":[]}`:                               "model",
		`{"model":1,"messages":[]}`:                     "model",
		`{"model":"m"}`:                                 "messages",
		`{"model":"m","messages":{}}`:                   "messages",
		`{"model":"m","messages":[],"max_tokens":1.5}`:  "max_tokens",
		`{"model":"m","messages":[],"max_tokens":"1"}`:  "max_tokens",
		`{"model":"m","messages":[],"stream":1}`:        "stream",
		`{"model":"m","messages":[],"tools":{}}`:        "tools",
		`{"model":"m","messages":[],"metadata":"user"}`: "metadata",
	} {
		doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		_, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
		require.NotNil(t, err, body)
		require.Equal(t, param, err.Param)
	}
}

func TestRecordedRequests(t *testing.T) {
	for _, r := range recordings(t) {
		if !strings.Contains(r.Request, `"model"`) {
			continue // Vertex names the model in the path
		}
		t.Run(r.ID, func(t *testing.T) {
			f, doc := facts(t, r.Request)
			var want struct {
				Model     string
				MaxTokens int `json:"max_tokens"`
				Stream    bool
				Tools     []json.RawMessage
				Messages  []json.RawMessage
			}
			require.NoError(t, json.Unmarshal([]byte(r.Request), &want))
			require.Equal(t, want.Model, f.Model)
			require.Equal(t, want.MaxTokens, f.MaxTokens)
			require.Equal(t, want.Stream, f.Stream)
			require.Equal(t, len(want.Tools), f.Tools)

			var edits jsonx.Edits
			codec.Same.Request(&edits, &f, doc, &dialect.Patch{Target: &dialect.Target{Model: "other", MaxTokens: 1}, Usage: true})
			require.Equal(t, strings.Replace(r.Request, want.Model, "other", 1), string(edits.Apply(nil, doc.Body())))

			q, err := codec.Client.Decode(f, doc)
			require.Nil(t, err)
			out, err := codec.Provider.Encode(nil, q, &dialect.Target{Model: f.Model}, nil)
			if err != nil {
				require.Equal(t, "unsupported_parameter", err.Code)
				return
			}
			again, doc2 := facts(t, string(out))
			q2, err := codec.Client.Decode(again, doc2)
			require.Nil(t, err)
			normal(q)
			if q.Reasoning != nil { // the encoder may leave thinking out, or turn a budget into an effort
				q.Reasoning, q2.Reasoning, q2.Sampling = nil, nil, q.Sampling
			}
			require.Equal(t, dialecttest.Describe(q), dialecttest.Describe(q2))
		})
	}
}

func TestRecordedSame(t *testing.T) {
	for _, r := range recordings(t) {
		t.Run(r.ID, func(t *testing.T) {
			f := llm.Facts{Choices: 1, WantsUsage: true}
			if !r.Streamed() {
				var edits jsonx.Edits
				a, err := codec.Provider.Decode(&f, nil, []byte(r.Response))
				require.Nil(t, err)
				usage, finish, err := codec.Same.Answer(&edits, &f, []byte(r.Response), &dialect.Patch{})
				require.Nil(t, err)
				require.Equal(t, a.Usage, usage)
				require.Equal(t, a.Choices[0].Finish, finish)
				require.Equal(t, r.Response, string(edits.Apply(nil, []byte(r.Response))))
				return
			}
			events := dialecttest.Decode(codec.Provider.NewDecoder(&f, nil, limits), []byte(r.Response))
			check := func(chunks ...[]byte) {
				out, told := dialecttest.Tap(codec.Same.NewTap(&f, limits, &dialect.Patch{Usage: true}), chunks...)
				require.Equal(t, r.Response, string(out))
				require.Equal(t, dialecttest.Last(events), dialecttest.Last(told))
				require.Equal(t, llm.End, told[len(told)-1].Kind)
			}
			check([]byte(r.Response))
			dialecttest.Bytes([]byte(r.Response), check)
			dialecttest.Partitions([]byte(r.Response), 3, 4, check)

			out := dialecttest.Encode(codec.Client.NewEncoder(&f, "shown"), events)
			require.NoError(t, grammar.Check(grammar.Anthropic(), out))
			again := dialecttest.Decode(codec.Provider.NewDecoder(&f, nil, limits), out)
			for _, kind := range []llm.PartKind{llm.TextPart, llm.ReasoningPart, llm.ToolCallPart} {
				require.Equal(t, dialecttest.Said(events, 0, kind), dialecttest.Said(again, 0, kind))
			}
			require.Equal(t, dialecttest.Last(events), dialecttest.Last(again))
		})
	}
}

func TestEdits(t *testing.T) {
	f, doc := facts(t, `{"model":"m","messages":[] , "x":1.0}`)
	var e jsonx.Edits
	codec.Same.Request(&e, &f, doc, &dialect.Patch{Target: &dialect.Target{Model: "n", MaxTokens: 5}})
	require.Equal(t, `{"model":"n","messages":[] , "x":1.0,"max_tokens":5}`, string(e.Apply(nil, doc.Body())))

	e.Reset()
	body := []byte(`{"id":"m","model":"claude","content":[],"stop_reason":"max_tokens", "usage":{"input_tokens":3,"output_tokens":4}}`)
	u, finish, err := codec.Same.Answer(&e, &f, body, &dialect.Patch{Model: "fast"})
	require.Nil(t, err)
	require.Equal(t, llm.FinishLength, finish)
	require.Equal(t, llm.Usage{Input: 3, Output: 4, Known: true}, u)
	require.Equal(t, strings.Replace(string(body), "claude", "fast", 1), string(e.Apply(nil, body)))
}

func TestTapRenames(t *testing.T) {
	stream := dialecttest.Archive(t, "testdata/streams.txtar")["text"]
	out, told := dialecttest.Tap(codec.Same.NewTap(&llm.Facts{}, limits, &dialect.Patch{Model: "fast"}), stream)
	require.Equal(t, strings.Replace(string(stream), `"model":"claude"`, `"model":"fast"`, 1), string(out))
	require.Equal(t, llm.End, told[len(told)-1].Kind)
}

func BenchmarkTapChunk(b *testing.B) {
	chunk := []byte("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word and another\"}      }\n\n")
	t := codec.Same.NewTap(&llm.Facts{}, limits, &dialect.Patch{})
	emit := func(*llm.Event) {}
	t.Write([]byte("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\n"), emit)
	t.Write([]byte("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"), emit)
	t.Write(chunk, emit)
	b.ReportAllocs()
	for b.Loop() {
		t.Write(chunk, emit)
	}
}
