package gemini_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/dialect/gemini"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// FuzzAnswer: whatever a provider sends, as an answer, an error or a stream, it
// ends in one typed way, however it is cut, and clients of any dialect get JSON.
func FuzzAnswer(f *testing.F) {
	for _, s := range dialecttest.Archive(f, "testdata/streams.txtar") {
		f.Add(s, uint64(1))
	}
	f.Add([]byte(`{"candidates":[{"content":{"parts":[{"text":"x"},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"y"},{"inlineData":{"mimeType":"image/png","data":"AA"}}]},"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"startIndex":0,"endIndex":1},"groundingChunkIndices":[0,5]}]},"logprobsResult":{"chosenCandidates":[{"token":"x","logProbability":-1}]}}],"usageMetadata":{"promptTokenCount":1}}`), uint64(1))
	s := suite(f)
	clients := []dialect.Client{openai.Chat().Client, anthropic.Messages().Client, codec.Client}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		s.Junk(t, data)
		if a, err := codec.Provider.Decode(nil, nil, data); err == nil {
			for _, c := range clients {
				require.True(t, json.Valid(c.AppendAnswer(nil, &llm.Facts{}, "m", a, nil)))
			}
		}
		script := dialecttest.Script(dialecttest.Decode(codec.Provider.NewDecoder(nil, nil, limits), data))
		dialecttest.Partitions(data, seed, 2, func(chunks ...[]byte) {
			events := dialecttest.Decode(codec.Provider.NewDecoder(nil, nil, limits), chunks...)
			require.Equal(t, script, dialecttest.Script(events))
			for _, l := range dataOf(dialecttest.Encode(codec.Client.NewEncoder(&llm.Facts{}, "m"), events)) {
				require.True(t, json.Valid([]byte(l)), l)
			}
		})
	})
}

// FuzzRequest: whatever a client sends, it is refused in words, or what is made
// of it for any provider is JSON.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"contents":[{"role":"user","parts":[{"text":"x"},{"inlineData":{"mimeType":"image/png","data":"A-_"}}]},{"role":"model","parts":[{"text":"t","thought":true,"thoughtSignature":"bzpwb3N0ZXJuLmFudGhyb3BpYy5zaWc="},{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"o"}}}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT"}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"responseSchema":{"type":"STRING","nullable":true},"thinkingConfig":{"thinkingLevel":"low"},"stopSequences":["a"]},"labels":{"a":"b"}}`))
	f.Add([]byte(`{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY"}],"content":{"parts":{"text":"b"}},"instances":[{"content":"c"}],"generateContentRequest":{"contents":[]},"contents":[]}`))
	targets := []dialect.Target{{Model: "gemini-3-pro", MaxTokens: 9}, {Model: "gemini-2.0-flash", Flavour: "vertex"}, {Model: "gemini-2.5-pro"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, api := range gemini.New().APIs {
			if api.Provider == nil {
				continue
			}
			var doc jsonx.Document
			if doc.Scan(body, api.Client.Inspected(), jsonx.Limits{}) != nil {
				continue
			}
			facts, err := api.Client.Facts(dialect.Call{Operation: api.Operation, Model: "m"}, &doc)
			if err != nil {
				require.Equal(t, 400, err.Status)
				continue
			}
			require.True(t, facts.TextBytes >= 0 && facts.MaxTokens >= 0)
			var edits jsonx.Edits
			api.Same.Request(&edits, &facts, &doc, &dialect.Patch{Target: &targets[0]})
			require.True(t, json.Valid(edits.Apply(nil, body)))
			r, err := api.Client.Decode(facts, &doc)
			if err != nil {
				require.Equal(t, 400, err.Status)
				continue
			}
			providers := []dialect.Provider{api.Provider}
			if api.Operation == llm.Chat {
				providers = append(providers, openai.Chat().Provider, anthropic.Messages().Provider)
			}
			for i := range targets {
				for _, p := range providers {
					if out, err := p.Encode(nil, r, &targets[i], nil); err == nil {
						require.True(t, json.Valid(out), string(out))
					}
				}
			}
		}
	})
}
