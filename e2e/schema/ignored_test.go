package schema

import "strings"

// reasons say why fields are in no table, by path; one holds for what is below it,
// too. "…/name" is a name anywhere.
type reasons map[string]string

func (r reasons) why(path string) string {
	for at := path; at != ""; at = parent(at) {
		if why, ok := r[at]; ok {
			return why
		}
		if why, ok := r["…/"+at[strings.LastIndexByte(at, '/')+1:]]; ok {
			return why
		}
	}
	return ""
}

const (
	whole    = "of a tool that a provider runs, or of its calls: the table tries such, and they go, or are refused, as a whole"
	opaque   = "of a value that the table tries, and that goes, or is left out, as a whole"
	silent   = "the default, which no other API needs to be told"
	sized    = "of a conversation, which is read and written as that of a message: the message's table tries it"
	local    = "the client's own: it is not sent"
	inferred = "of a part that no client sends here: a system instruction and what is embedded are text"
)

// all makes one reason of many paths.
func all(why string, list ...string) reasons {
	out := reasons{}
	for _, path := range list {
		out[path] = why
	}
	return out
}

func merged(list ...reasons) reasons {
	out := reasons{}
	for _, r := range list {
		for path, why := range r {
			out[path] = why
		}
	}
	return out
}

// serverTools are members of Anthropic's tools that it runs itself.
var serverTools = []string{"…/configs", "…/max_characters", "…/max_content_tokens", "…/response_inclusion", "…/url_sources", "…/use_cache",
	"…/toolset_name", "tools/*/citations"}

var ignored = map[string]reasons{
	"openai/chat": merged(
		all(opaque, "moderation/policy", "prediction/content", "messages/*/tool_calls/*/custom"),
	),
	"openai/responses": merged(
		all(whole, "input/*/acknowledged_safety_checks", "input/*/action", "input/*/actions", "input/*/approval_request_id", "input/*/approve",
			"input/*/environment", "input/*/error", "input/*/execution", "input/*/fingerprint", "input/*/max_output_length", "input/*/namespace",
			"input/*/operation", "input/*/output_format", "input/*/outputs", "input/*/pending_safety_checks", "input/*/quality", "input/*/queries",
			"input/*/reason", "input/*/result", "input/*/results", "input/*/revised_prompt", "input/*/server_label", "input/*/size",
			"input/*/svg_usage", "input/*/text", "input/*/tools", "input/*/async", "input/*/background", "input/*/caller", "input/*/input",
			"input/*/reasoning", "input/*/output", "tool_choice/server_label",
			"tools/*/action", "tools/*/allowed_tools", "tools/*/authorization", "tools/*/background", "tools/*/complexity", "tools/*/connector_id",
			"tools/*/container", "tools/*/display_height", "tools/*/display_width", "tools/*/environment", "tools/*/execution",
			"tools/*/frame_count", "tools/*/frame_duration_ms", "tools/*/headers", "tools/*/input_fidelity", "tools/*/input_image_mask",
			"tools/*/max_num_results", "tools/*/model", "tools/*/moderation", "tools/*/output_compression", "tools/*/output_format",
			"tools/*/partial_images", "tools/*/quality", "tools/*/ranking_options", "tools/*/require_approval", "tools/*/server_description",
			"tools/*/size", "tools/*/svg", "tools/*/tools", "tools/*/tunnel_id"),
		all(opaque, "input/*/content/*/annotations", "input/*/content/*/logprobs", "moderation/policy", "prompt_cache_options", "tools/*/format", "tools/*/filters",
			"tools/*/user_location"),
	),
	"openai/embeddings":      all(opaque, "input"),
	"anthropic/messages":     merged(all(whole, serverTools...), all(opaque, "container/skills", "tools/*/user_location"), all(whole, "system/*/citations")),
	"anthropic/count_tokens": merged(all(whole, serverTools...), all(sized, "messages/*/content", "system", "tools")),
	"gemini/generateContent": merged(
		all(local, "httpOptions"),
		all(inferred, "systemInstruction/parts"),
		all(opaque, "generationConfig/audioTranscriptionConfig", "generationConfig/generationOutputConfig"),
		reasons{"generationConfig/store": "it stands beside generationConfig, where the table tries it"},
		all(whole, "tools/*/computerUse", "tools/*/enterpriseWebSearch", "tools/*/exaAiSearch", "tools/*/fileSearch", "tools/*/googleMaps",
			"tools/*/googleSearchRetrieval", "tools/*/mcpServers", "tools/*/parallelAiSearch", "tools/*/retrieval"),
	),
	"gemini/embedContent": merged(
		all(local, "httpOptions"),
		all(inferred, "content/parts"),
		all(opaque, "audioTrackExtraction", "autoTruncate", "documentOcr"),
		reasons{"content/role": silent, "mimeType": "of Vertex's own method, predict"},
	),
	"bedrock/converse": all(silent, "toolConfig/toolChoice/auto"),
	"cohere/chat":      all(opaque, "messages/*/citations"),
}
