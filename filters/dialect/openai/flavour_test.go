package openai_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/openai"
	"github.com/posterngw/postern/filters/dialect/openai/base"
	"github.com/posterngw/postern/filters/llm"
)

// everything asks for whatever some server may lack.
func everything() *llm.Request {
	serial := false
	return &llm.Request{
		Facts: llm.Facts{Operation: llm.Chat, Choices: 1, MaxTokens: 9, Stream: true, User: "u"},
		Messages: []llm.Message{
			{Role: llm.Developer, Parts: []llm.Part{{Text: llm.Escaped("d")}}},
			{Role: llm.Assistant, Parts: []llm.Part{
				{Kind: llm.ReasoningPart, Text: llm.Escaped("r"), Signature: llm.Escaped("s"), Origin: "anthropic"}, {Text: llm.Escaped("a")}}},
		},
		Tools:      []llm.Tool{{Name: llm.Escaped("f"), Strict: true}},
		ToolChoice: llm.ToolChoice{Mode: llm.ToolsRequired, Parallel: &serial},
		Sampling:   llm.Sampling{Seed: "7", TopK: "5"},
		Format:     &llm.Format{Schema: llm.Raw(`{}`)},
		Reasoning:  &llm.Reasoning{Budget: 4000},
		Metadata:   llm.Raw(`{"a":"b"}`), Logprobs: true, TopLogprobs: "2", LogitBias: llm.Raw(`{"5":1}`),
		ServiceTier: llm.Escaped("flex"), Verbosity: llm.Escaped("low"),
	}
}

// TestFlavours holds what each server is sent, and what is noted as lost.
func TestFlavours(t *testing.T) {
	raw, err := os.ReadFile("testdata/flavours.txtar")
	require.NoError(t, err)
	archive := txtar.Parse(raw)
	var names []string
	for i := range archive.Files {
		f := &archive.Files[i]
		names = append(names, f.Name)
		var l dialect.Ledger
		out, fault := codec.Provider.Encode(nil, everything(), &dialect.Target{Model: "m", Flavour: strings.TrimSuffix(f.Name, "openai")}, &l)
		require.Nil(t, fault)
		require.True(t, json.Valid(out), string(out))
		got := string(out) + "\n" + string(l.Append(nil)) + "\n"
		require.Equal(t, string(f.Data), got, f.Name)
	}
	slices.Sort(names)
	want := append(base.Flavours(), "openai")
	slices.Sort(want)
	require.Equal(t, want, names)
}

func TestPaths(t *testing.T) {
	for _, c := range []struct{ flavour, version, base, want, header string }{
		{"", "", "", "/v1/chat/completions", "authorization"},
		{"groq", "", "/openai/v1", "/openai/v1/chat/completions", "authorization"},
		{"azure", "", "", "/openai/v1/chat/completions", "api-key"},
		{"azure", "", "/openai/v1", "/openai/v1/chat/completions", "api-key"},
		{"azure", "2024-10-21", "/openai", "/openai/deployments/m/chat/completions?api-version=2024-10-21", "api-key"},
	} {
		target := dialect.Target{Model: "m", BasePath: c.base, Flavour: c.flavour, Version: c.version}
		require.Equal(t, c.want, codec.Provider.Path(&llm.Facts{Operation: llm.Chat}, &target))
		header, _ := codec.Provider.Credential(&target, "k")
		require.Equal(t, c.header, header)
	}
}

// A request is refused where a flavour cannot say what it asks for.
func TestFlavourRefuses(t *testing.T) {
	r := everything()
	r.Choices = 2
	_, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "m", Flavour: "groq"}, nil)
	require.NotNil(t, err)
	require.Equal(t, "n", err.Param)
	r = everything()
	r.Tools = []llm.Tool{{Server: llm.WebSearch, Other: llm.Raw(`{"type":"x"}`)}}
	var l dialect.Ledger
	out, err := codec.Provider.Encode(nil, r, &dialect.Target{Model: "m"}, &l)
	require.Nil(t, err)
	require.Contains(t, string(out), `"web_search_options":{}`)
	r.Tools = append([]llm.Tool{{Name: llm.Escaped("f")}}, r.Tools[0], llm.Tool{Name: llm.Escaped("g")})
	out, err = codec.Provider.Encode(nil, r, &dialect.Target{Model: "m"}, &l)
	require.Nil(t, err)
	require.True(t, json.Valid(out), string(out))
	require.Contains(t, string(out), `"web_search_options":{}`)
	_, err = codec.Provider.Encode(nil, r, &dialect.Target{Model: "m", Flavour: "mistral"}, nil)
	require.NotNil(t, err)
	require.Equal(t, "tools", err.Param)
}

// Which API serves whom: a client's own where the target has it, /responses for
// others where the flavour says so.
func TestServes(t *testing.T) {
	d := openai.New()
	for flavour, want := range map[string]string{"": "chat", "mistral": "chat"} {
		api, same := d.Serves(nil, &llm.Facts{Operation: llm.Chat}, &dialect.Target{Flavour: flavour})
		require.False(t, same)
		require.Equal(t, want, api.Name, flavour)
	}
}

// A server that refuses the names of speakers is not told them.
func TestNames(t *testing.T) {
	r := &llm.Request{Messages: []llm.Message{{Role: llm.User, Name: llm.Escaped("ann"), Parts: []llm.Part{{Text: llm.Escaped("hi")}}}}}
	for flavour, want := range map[string]string{"": `{"role":"user","name":"ann","content":"hi"}`, "groq": `{"role":"user","content":"hi"}`} {
		var l dialect.Ledger
		out, fault := codec.Provider.Encode(nil, r, &dialect.Target{Model: "m", Flavour: flavour}, &l)
		require.Nil(t, fault)
		require.Contains(t, string(out), want)
		require.Equal(t, flavour == "groq", strings.Contains(string(l.Append(nil)), "messages/*/name"))
	}
}

// A server that takes images by value alone is not sent to fetch one, and thinking is
// turned off in the words that a server has for it.
func TestLinksAndThinking(t *testing.T) {
	link := &llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Kind: llm.ImagePart, Media: llm.Media{URL: llm.Escaped("https://e.example/a.png")}}}}}}
	_, fault := codec.Provider.Encode(nil, link, &dialect.Target{Model: "m", Flavour: "ollama"}, nil)
	require.NotNil(t, fault)
	require.Equal(t, "messages[0].content", fault.Param)
	_, fault = codec.Provider.Encode(nil, link, &dialect.Target{Model: "m", Flavour: "vllm"}, nil)
	require.Nil(t, fault)
	off := &llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: llm.Escaped("hi")}}}}, Reasoning: &llm.Reasoning{Off: true}}
	for flavour, want := range map[string]string{"": `"reasoning_effort":"none"`, "deepseek": `"thinking":{"type":"disabled"}`, "openrouter": `"reasoning":{"effort":"none"}`} {
		out, fault := codec.Provider.Encode(nil, off, &dialect.Target{Model: "m", Flavour: flavour}, nil)
		require.Nil(t, fault)
		require.Contains(t, string(out), want)
	}
}
