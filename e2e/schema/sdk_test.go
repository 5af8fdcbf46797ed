package schema

import (
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	bedrock "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	cohere "github.com/cohere-ai/cohere-go/v2"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"
	"google.golang.org/genai"
)

// request is the type of a request, and the API that takes it.
type request struct {
	dialect, api string
	roots        map[string]any // by the path that it is at
	name         func(reflect.StructField) (string, bool)
}

var requests = map[string]request{
	"openai-go ChatCompletionNewParams":    {"openai", "chat", map[string]any{"": openai.ChatCompletionNewParams{}}, tagged},
	"openai-go ResponseNewParams":          {"openai", "responses", map[string]any{"": responses.ResponseNewParams{}}, tagged},
	"openai-go CompletionNewParams":        {"openai", "completions", map[string]any{"": openai.CompletionNewParams{}}, tagged},
	"cohere-go EmbedRequest":               {"cohere", "v1.embed", map[string]any{"": cohere.EmbedRequest{}}, fern},
	"cohere-go RerankRequest":              {"cohere", "v1.rerank", map[string]any{"": cohere.RerankRequest{}}, fern},
	"openai-go EmbeddingNewParams":         {"openai", "embeddings", map[string]any{"": openai.EmbeddingNewParams{}}, tagged},
	"anthropic MessageNewParams":           {"anthropic", "messages", map[string]any{"": anthropic.MessageNewParams{}}, tagged},
	"anthropic MessageCountTokensParams":   {"anthropic", "count_tokens", map[string]any{"": anthropic.MessageCountTokensParams{}}, tagged},
	"genai GenerateContentConfig, Content": {"gemini", "generateContent", map[string]any{"": genai.GenerateContentConfig{}, "contents": []genai.Content{}}, gemini},
	"genai EmbedContentConfig":             {"gemini", "embedContent", map[string]any{"": genai.EmbedContentConfig{}, "content": genai.Content{}}, gemini},
	"bedrockruntime ConverseInput":         {"bedrock", "converse", map[string]any{"": bedrockruntime.ConverseInput{}}, smithy},
	"cohere-go V2ChatRequest":              {"cohere", "chat", map[string]any{"": cohere.V2ChatRequest{}}, fern},
	"cohere-go V2EmbedRequest":             {"cohere", "embed", map[string]any{"": cohere.V2EmbedRequest{}}, fern},
	"cohere-go V2RerankRequest":            {"cohere", "rerank", map[string]any{"": cohere.V2RerankRequest{}}, fern},
}

// smithy names members as AWS does in JSON: by the field, its first letter small.
func smithy(f reflect.StructField) (string, bool) {
	if f.Name == "ResultMetadata" || f.Name == "ModelId" { // the model is in the path
		return "", false
	}
	return strings.ToLower(f.Name[:1]) + f.Name[1:], false
}

// fern names members by their tags; variants of a union have none.
func fern(f reflect.StructField) (string, bool) {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name == "-":
		return "", false
	case name != "":
		return name, false
	case f.Name == "Role" || f.Name == "Type":
		return strings.ToLower(f.Name), false
	}
	return "", f.Type.Kind() != reflect.String
}

// generation are the members of GenerateContentConfig that stand beside
// generationConfig in a request.
var beside = map[string]bool{"systemInstruction": true, "tools": true, "toolConfig": true, "safetySettings": true, "cachedContent": true,
	"labels": true, "modelArmorConfig": true, "serviceTier": true, "httpOptions": true}

// gemini names members by their tags.
func gemini(f reflect.StructField) (string, bool) {
	name, inline := tagged(f)
	return name, inline
}

// wire is the path in a request of a path in the client's types.
func wire(api, path string) string {
	if first, _, _ := strings.Cut(path, "/"); api == "generateContent" && !beside[first] && first != "contents" {
		return "generationConfig/" + path
	}
	return path
}

// unions are the interfaces of bedrockruntime; reflection cannot list what
// implements them.
var unions = map[reflect.Type]map[string]any{
	reflect.TypeFor[bedrock.ContentBlock](): {
		"audio": bedrock.ContentBlockMemberAudio{}, "cachePoint": bedrock.ContentBlockMemberCachePoint{},
		"citationsContent": bedrock.ContentBlockMemberCitationsContent{}, "document": bedrock.ContentBlockMemberDocument{},
		"guardContent": bedrock.ContentBlockMemberGuardContent{}, "image": bedrock.ContentBlockMemberImage{},
		"reasoningContent": bedrock.ContentBlockMemberReasoningContent{}, "searchResult": bedrock.ContentBlockMemberSearchResult{},
		"text": bedrock.ContentBlockMemberText{}, "toolResult": bedrock.ContentBlockMemberToolResult{},
		"toolUse": bedrock.ContentBlockMemberToolUse{}, "video": bedrock.ContentBlockMemberVideo{},
	},
	reflect.TypeFor[bedrock.SystemContentBlock](): {
		"cachePoint": bedrock.SystemContentBlockMemberCachePoint{}, "guardContent": bedrock.SystemContentBlockMemberGuardContent{},
		"text": bedrock.SystemContentBlockMemberText{},
	},
	reflect.TypeFor[bedrock.Tool](): {
		"cachePoint": bedrock.ToolMemberCachePoint{}, "systemTool": bedrock.ToolMemberSystemTool{}, "toolSpec": bedrock.ToolMemberToolSpec{},
	},
	reflect.TypeFor[bedrock.ToolChoice](): {
		"any": bedrock.ToolChoiceMemberAny{}, "auto": bedrock.ToolChoiceMemberAuto{}, "tool": bedrock.ToolChoiceMemberTool{},
	},
}

// published are the paths of a request's types.
func published(r *request) paths {
	t := &types{paths: paths{}, unions: unions, name: r.name}
	for at, root := range r.roots {
		t.walk(at, reflect.TypeOf(root))
	}
	out := paths{}
	for path, open := range t.paths {
		if path = wire(r.api, path); names(path) <= depth {
			out.add(path, open)
		}
	}
	return out
}

// TestClients: every field that a client publishes is tried, or said why not.
func TestClients(t *testing.T) {
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			tried, excused := known(r.dialect, r.api), ignored[r.dialect+"/"+r.api]
			require.NotEmpty(t, tried)
			types := published(&r)
			require.NotEmpty(t, types)
			var missing []string
			for path := range types {
				if _, ok := tried[path]; !ok && excused.why(path) == "" && !types.free(parent(path)) {
					missing = append(missing, path)
				}
			}
			sort.Strings(missing)
			require.Empty(t, missing, "%d fields that no table tries:\n%s", len(missing), strings.Join(missing, "\n"))
		})
	}
}
