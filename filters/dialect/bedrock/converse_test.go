package bedrock

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

var asked = dialect.Call{Operation: llm.Chat, Model: "fast", Stream: true}

func decode(t *testing.T, body string) (*llm.Request, *llm.Error) {
	c := Converse().Client
	doc, bad := jsonx.Scan([]byte(body), c.Inspected(), jsonx.Limits{})
	require.Nil(t, bad)
	f, e := c.Facts(asked, &doc)
	if e != nil {
		return nil, e
	}
	return c.Decode(f, &doc)
}

func TestRecognise(t *testing.T) {
	c := Converse().Client
	for line, want := range map[string]dialect.Call{
		"POST /model/fast/converse":                  {Operation: llm.Chat, Model: "fast"},
		"POST /model/a%3Ab%2Fc/converse-stream":      {Operation: llm.Chat, Model: "a:b/c", Stream: true},
		"GET /foundation-models":                     {Operation: llm.Models},
		"POST /model/fast/invoke":                    {},
		"GET /model/fast/converse":                   {},
		"POST /model/converse":                       {},
		"POST /v1/chat/completions":                  {},
		"POST /foundation-models":                    {},
		"POST /model/arn:aws:bedrock:x/y/z/converse": {Operation: llm.Chat, Model: "arn:aws:bedrock:x/y/z"},
	} {
		method, path, _ := strings.Cut(line, " ")
		call, ok := c.Recognise(&dialect.Line{Method: method, Path: path})
		require.Equal(t, want != dialect.Call{}, ok, line)
		if ok {
			require.Equal(t, want, call, line)
		}
	}
}

func TestDecode(t *testing.T) {
	r, e := decode(t, `{
		"system":[{"text":"Be brief."},{"cachePoint":{"type":"default"}},{"guardContent":{"text":{"text":"g","qualifiers":["query"]}}}],
		"messages":[
			{"role":"user","content":[
				{"text":"a"},
				{"image":{"format":"jpeg","source":{"bytes":"/9j/"}}},
				{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/k","bucketOwner":"1"}}}},
				{"document":{"format":"pdf","name":"d","source":{"bytes":"JVBERi0="},"citations":{"enabled":true}}},
				{"document":{"format":"txt","name":"t","source":{"text":"plain \"text\""}}},
				{"document":{"format":"txt","name":"u","source":{"content":[{"text":"one"},{"text":"two"}]}}},
				{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://b/v"}}}},
				{"audio":{"format":"wav","source":{"bytes":"UklGRg=="}}},
				{"cachePoint":{"type":"default","ttl":"1h"}}]},
			{"role":"assistant","content":[
				{"reasoningContent":{"reasoningText":{"text":"Hm","signature":"c2ln"}}},
				{"reasoningContent":{"redactedContent":"b3BhcXVl"}},
				{"toolUse":{"toolUseId":"t1","name":"weather","input":{"city":"Paris"}}}]},
			{"role":"user","content":[
				{"toolResult":{"toolUseId":"t1","status":"error","content":[{"text":"no"},{"json":{"a":"b"}},{"image":{"format":"gif","source":{"bytes":"R0lG"}}}]}},
				{"citationsContent":{"content":[{"text":"cited"}],"citations":[{"title":"T","location":{"web":{"url":"https://e.com"}},"sourceContent":[{"text":"w"}]}]}},
				{"searchResult":{"source":"s","title":"t","content":[{"text":"x"}]}}]}],
		"inferenceConfig":{"maxTokens":10,"temperature":0.5,"topP":0.9,"stopSequences":["END"]},
		"toolConfig":{"tools":[{"toolSpec":{"name":"weather","description":"d","inputSchema":{"json":{"type":"object"}},"strict":true}},
			{"cachePoint":{"type":"default"}},{"systemTool":{"name":"nova_grounding"}}],"toolChoice":{"tool":{"name":"weather"}}},
		"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048},"top_k":5,"anthropic_beta":["x"],"inferenceConfig":{"topK":6}},
		"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"n","schema":"{\"type\":\"object\"}"}}}},
		"serviceTier":{"type":"flex"},"requestMetadata":{"team":"a"},
		"guardrailConfig":{"guardrailIdentifier":"g"},"performanceConfig":{"latency":"optimized"},"promptVariables":{"v":{"text":"x"}}}`)
	require.Nil(t, e)
	require.Equal(t, llm.Facts{Operation: llm.Chat, Model: "fast", Stream: true, MaxTokens: 10, Choices: 1, Tools: 2, Images: 3,
		Needs:     llm.NeedTools | llm.NeedImages | llm.NeedAudio | llm.NeedVideo | llm.NeedDocuments | llm.NeedSchema | llm.NeedReasoning | llm.NeedStream,
		TextBytes: r.TextBytes, Opening: r.Opening, WantsUsage: true}, r.Facts)
	require.Equal(t, `model "fast" stream=true max=10 n=1 user=""
system ""
  text "Be brief.g"
user ""
  text "a"
  image "image/jpeg" url="" data="/9j/" file="" name=""
  image "image/png" url="s3://b/k" data="" file="" name=""
  document "application/pdf" url="" data="JVBERi0=" file="" name="d"
  document "text/plain" url="" data="cGxhaW4gInRleHQi" file="" name="t"
  document "text/plain" url="" data="b25lCnR3bw==" file="" name="u"
  9 "video/mp4" url="s3://b/v" data="" file="" name=""
  audio "audio/wav" url="" data="UklGRg==" file="" name=""
assistant ""
  reasoning "Hm" "c2ln" redacted=false
  reasoning "" "b3BhcXVl" redacted=true
  tool_call "t1" "weather" {"city":"Paris"}
user ""
  tool_result "t1" error=true
    text "no{\"a\":\"b\"}"
    image "image/gif" url="" data="R0lG" file="" name=""
  text "cited"
  other {"source":"s","title":"t","content":[{"text":"x"}]}
tool "weather" "d" strict=true {"type":"object"} 
server tool 1
choice 4 "weather"
sampling {Temperature:0.5 TopP:0.9 TopK:6 Seed: PresencePenalty: FrequencyPenalty:}
stop "END"
format "n" strict=true {"type":"object"}
reasoning "" 2048 off=false
`, strings.ReplaceAll(dialecttest.Describe(r), "  video", "  9"))
	require.Equal(t, `{"type":"default","ttl":"1h"}`, string(r.Messages[1].Parts[7].Cache))
	require.Equal(t, "anthropic", r.Messages[2].Parts[0].Origin)
	require.Equal(t, "https://e.com", string(r.Messages[3].Parts[1].Citations[0].URL))
	require.Equal(t, llm.WebSearch, r.Tools[1].Server)
	require.Equal(t, "flex", string(r.ServiceTier))
	require.Equal(t, `{"team":"a"}`, string(r.Metadata))
	var l dialect.Ledger
	l.Leftovers(r)
	require.Equal(t, "dropped additionalModelRequestFields/anthropic_beta, dropped guardrailConfig, dropped performanceConfig, dropped promptVariables, "+
		"dropped messages/*/content/*/guardContent, dropped messages/*/content/*/bucketOwner, dropped messages/*/content/*/citations", string(l.Append(nil)))
}

func TestBadRequests(t *testing.T) {
	for body, param := range map[string]string{
		`{}`:                                "messages",
		`{"messages":{}}`:                   "messages",
		`{"messages":null}`:                 "messages",
		`{"messages":[],"system":"x"}`:      "system",
		`{"messages":[{"role":"tool"}]}`:    "messages.0.role",
		`{"messages":[1]}`:                  "messages.0.role",
		`{"messages":[],"toolConfig":[]}`:   "toolConfig",
		`{"messages":[],"serviceTier":"x"}`: "serviceTier",
		`{"messages":[],"outputConfig":{"textFormat":{"structure":{"jsonSchema":{"schema":"{"}}}}}`: "outputConfig.textFormat.structure.jsonSchema.schema",
	} {
		_, e := decode(t, body)
		require.NotNil(t, e, body)
		require.Equal(t, llm.ClientError, e.Class)
		require.Equal(t, param, e.Param, body)
	}
	c := Converse().Client
	doc, _ := jsonx.Scan([]byte(`{"messages":[]}`), c.Inspected(), jsonx.Limits{})
	_, e := c.Facts(dialect.Call{}, &doc)
	require.Equal(t, "modelId", e.Param)
}

func encode(t *testing.T, model string, edit func(r *llm.Request)) (string, string, *llm.Error) {
	r := llm.Request{Facts: llm.Facts{Choices: 1, MaxTokens: 8000}, Messages: []llm.Message{{Parts: []llm.Part{{Text: llm.Escaped("Hi")}}}}}
	edit(&r)
	var l dialect.Ledger
	out, e := Converse().Provider.Encode(nil, &r, &dialect.Target{Model: model}, &l)
	if e == nil {
		require.True(t, json.Valid(out), string(out))
	}
	return strings.TrimPrefix(string(out), `{"messages":[{"role":"user","content":[{"text":"Hi"}]}],`), string(l.Append(nil)), e
}

const (
	adaptive = "us.anthropic.claude-opus-4-6-v1"
	budgeted = "anthropic.claude-3-7-sonnet-20250219-v1:0"
	nova     = "amazon.nova-2-lite-v1:0"
)

func TestOptions(t *testing.T) {
	high := func(r *llm.Request) { r.Reasoning = &llm.Reasoning{Effort: llm.Escaped("high")} }
	topK := func(r *llm.Request) { r.Sampling = llm.Sampling{TopK: "5"} }
	for name, c := range map[string]struct {
		model     string
		edit      func(r *llm.Request)
		out, loss string
	}{
		"adaptive": {adaptive, high, `"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}}`, ""},
		"budget":   {budgeted, high, `"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":4000}}}`, ""},
		"nova":     {nova, high, `"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}}`, ""},
		"gpt-oss":  {"openai.gpt-oss-120b-1:0", high, `"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"reasoning_effort":"high"}}`, ""},
		"llama":    {"meta.llama3-70b-instruct-v1:0", high, `"inferenceConfig":{"maxTokens":8000}}`, "dropped reasoning_effort"},
		"off":      {adaptive, func(r *llm.Request) { r.Reasoning = &llm.Reasoning{Off: true} }, `"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"thinking":{"type":"disabled"}}}`, ""},
		"little":   {budgeted, func(r *llm.Request) { high(r); r.MaxTokens = 100 }, `"inferenceConfig":{"maxTokens":100}}`, "dropped reasoning_effort"},
		"thinking takes no sampling": {adaptive, func(r *llm.Request) { high(r); r.Sampling = llm.Sampling{Temperature: "1", TopP: "0.5", TopK: "3"} },
			`"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}}`,
			"dropped temperature, dropped top_p, dropped top_k"},
		"hot":           {nova, func(r *llm.Request) { r.Sampling = llm.Sampling{Temperature: "1.5", TopP: "0.5"} }, `"inferenceConfig":{"maxTokens":8000,"temperature":1,"topP":0.5}}`, "defaulted temperature"},
		"one of two":    {adaptive, func(r *llm.Request) { r.Sampling = llm.Sampling{Temperature: "0.5", TopP: "0.5"} }, `"inferenceConfig":{"maxTokens":8000,"temperature":0.5}}`, "dropped top_p"},
		"top_k claude":  {adaptive, topK, `"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"top_k":5}}`, ""},
		"top_k nova":    {nova, topK, `"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"inferenceConfig":{"topK":5}}}`, ""},
		"top_k cohere":  {"cohere.command-r-v1:0", topK, `"inferenceConfig":{"maxTokens":8000},"additionalModelRequestFields":{"k":5}}`, ""},
		"top_k unknown": {"meta.llama3", topK, `"inferenceConfig":{"maxTokens":8000}}`, "dropped top_k"},
		"tier":          {nova, func(r *llm.Request) { r.ServiceTier = llm.Escaped("priority") }, `"inferenceConfig":{"maxTokens":8000},"serviceTier":{"type":"priority"}}`, ""},
		"no tier":       {nova, func(r *llm.Request) { r.ServiceTier = llm.Escaped("auto") }, `"inferenceConfig":{"maxTokens":8000}}`, "dropped service_tier"},
		"metadata":      {nova, func(r *llm.Request) { r.Metadata = llm.Raw(`{"a":"b c"}`) }, `"inferenceConfig":{"maxTokens":8000},"requestMetadata":{"a":"b c"}}`, ""},
		"bad metadata":  {nova, func(r *llm.Request) { r.Metadata = llm.Raw(`{"a":"é"}`) }, `"inferenceConfig":{"maxTokens":8000}}`, "dropped metadata"},
		"many losses": {nova, func(r *llm.Request) {
			r.Sampling = llm.Sampling{Seed: "1", PresencePenalty: "1", FrequencyPenalty: "1"}
			r.LogitBias, r.Logprobs, r.TopLogprobs, r.Verbosity, r.User = llm.Raw("{}"), true, "2", llm.Escaped("low"), "u"
		}, `"inferenceConfig":{"maxTokens":8000}}`, "dropped logit_bias, dropped logprobs, dropped top_logprobs, " +
			"dropped verbosity, dropped user, dropped presence_penalty, dropped frequency_penalty, dropped seed"},
	} {
		t.Run(name, func(t *testing.T) {
			out, loss, e := encode(t, c.model, c.edit)
			require.Nil(t, e)
			require.Equal(t, c.out, out)
			require.Equal(t, c.loss, loss)
		})
	}
}

func TestTurns(t *testing.T) {
	call := llm.Part{Kind: llm.ToolCallPart, Call: llm.ToolCall{ID: llm.Escaped(strings.Repeat("x", 70) + "é!"), Name: llm.Escaped("f")}}
	out, loss, e := encode(t, adaptive, func(r *llm.Request) {
		r.ToolChoice.Mode = llm.ToolsNone
		r.Messages = append(r.Messages, llm.Message{Role: llm.Assistant, Parts: []llm.Part{
			{Text: llm.Escaped(`\n \t`)}, call,
			{Kind: llm.ReasoningPart, Text: llm.Escaped("mine"), Signature: llm.Escaped("s"), Origin: "anthropic"},
			{Kind: llm.ReasoningPart, Text: llm.Escaped("other"), Signature: llm.Escaped("s"), Origin: "gemini"},
		}})
	})
	require.Nil(t, e)
	require.Contains(t, out, `{"toolUse":{"toolUseId":"`+strings.Repeat("x", 61)+`___","name":"f","input":{}}}`)
	require.Contains(t, out, `{"reasoningContent":{"reasoningText":{"text":"mine","signature":"s"}}}`)
	require.NotContains(t, out, "other")
	require.NotContains(t, out, `\n \t`)
	require.Contains(t, out, `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]}`)
	require.Equal(t, "dropped messages/*/reasoning_content, defaulted tool_choice, defaulted tools", loss)
}

func TestRefused(t *testing.T) {
	for name, edit := range map[string]func(r *llm.Request){
		"image by URL": func(r *llm.Request) {
			r.Messages[0].Parts[0] = llm.Part{Kind: llm.ImagePart, Media: llm.Media{Type: llm.Escaped("image/png"), URL: llm.Escaped("https://e.com/a.png")}}
		},
		"image of a type": func(r *llm.Request) {
			r.Messages[0].Parts[0] = llm.Part{Kind: llm.ImagePart, Media: llm.Media{Type: llm.Escaped("image/tiff"), Data: llm.Escaped("AA==")}}
		},
		"other part": func(r *llm.Request) { r.Messages[0].Parts[0] = llm.Part{Kind: llm.OtherPart} },
		"tool":       func(r *llm.Request) { r.Tools = []llm.Tool{{Other: llm.Raw("{}")}} },
		"schema":     func(r *llm.Request) { r.Tools = []llm.Tool{{Name: llm.Escaped("f"), Schema: llm.Raw("true")}} },
		"system": func(r *llm.Request) {
			r.Messages = append(r.Messages, llm.Message{Role: llm.System, Parts: []llm.Part{{Kind: llm.ImagePart}}})
		},
	} {
		_, _, e := encode(t, nova, edit)
		require.NotNil(t, e, name)
		require.NotEmpty(t, e.Param)
	}
	out, _, e := encode(t, nova, func(r *llm.Request) { r.Tools = []llm.Tool{{Other: llm.Raw("{}"), Server: llm.CodeExecution}} })
	require.Nil(t, e)
	require.Contains(t, out, `{"systemTool":{"name":"nova_code_interpreter"}}`)
}

// A signature of another API's model travels through a Converse client sealed.
func TestSeals(t *testing.T) {
	a := llm.Answer{Choices: []llm.Choice{{Finish: llm.FinishStop, Parts: []llm.Part{
		{Kind: llm.ReasoningPart, Text: llm.Escaped("t"), Signature: llm.Escaped("sig"), Origin: "gemini"},
		{Kind: llm.ReasoningPart, Redacted: true, Signature: llm.Escaped("gAAAA-_=="), Origin: "openai"},
	}}}}
	out := Converse().Client.AppendAnswer(nil, nil, "m", &a, nil)
	content, _ := jsonx.Lookup(out, "output", "message", "content")
	r, e := decode(t, `{"messages":[{"role":"assistant","content":`+string(content)+`}]}`)
	require.Nil(t, e)
	for i, want := range a.Choices[0].Parts {
		got := r.Messages[0].Parts[i]
		require.Equal(t, want.Origin+" "+string(want.Signature), got.Origin+" "+string(got.Signature))
	}
}

func TestSameRequest(t *testing.T) {
	c := Converse()
	for body, want := range map[string]string{
		`{"messages":[]}`:                                                  `{"messages":[],"inferenceConfig":{"maxTokens":64}}`,
		`{"messages":[],"inferenceConfig":{}}`:                             `{"messages":[],"inferenceConfig":{"maxTokens":64}}`,
		`{"messages":[], "inferenceConfig": { "topP":1 } }`:                `{"messages":[], "inferenceConfig": { "topP":1,"maxTokens":64 } }`,
		`{"messages":[],"inferenceConfig":{"maxTokens":0}}`:                `{"messages":[],"inferenceConfig":{"maxTokens":64}}`,
		`{"messages":[],"inferenceConfig":{"maxTokens":9}}`:                `{"messages":[],"inferenceConfig":{"maxTokens":9}}`,
		`{"messages":[],"inferenceConfig":{"maxTokens":null,"topP":0.50}}`: `{"messages":[],"inferenceConfig":{"maxTokens":64,"topP":0.50}}`,
	} {
		doc, bad := jsonx.Scan([]byte(body), c.Client.Inspected(), jsonx.Limits{})
		require.Nil(t, bad)
		f, e := c.Client.Facts(asked, &doc)
		require.Nil(t, e)
		var edits jsonx.Edits
		c.Same.Request(&edits, &f, &doc, &dialect.Patch{Target: &dialect.Target{MaxTokens: 64}})
		require.Equal(t, want, string(edits.Apply(nil, doc.Body())))
	}
}

func TestAnswerErrors(t *testing.T) {
	for body, class := range map[string]llm.Class{
		`{"__type":"ThrottlingException","message":"m"}`: llm.RateLimited,
		`{"output":{}}`:                         llm.MalformedAnswer,
		`{"output":{"message":{"content":{}}}}`: llm.MalformedAnswer,
		`<html>`:                                llm.MalformedAnswer,
		``:                                      llm.MalformedAnswer,
	} {
		_, e := Converse().Provider.Decode(nil, nil, []byte(body))
		require.NotNil(t, e, body)
		require.Equal(t, class.String(), e.Class.String(), body)
		var edits jsonx.Edits
		_, _, e = Converse().Same.Answer(&edits, nil, []byte(body), &dialect.Patch{})
		require.Equal(t, class.String(), e.Class.String(), body)
	}
}
