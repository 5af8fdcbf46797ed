package dialecttest

const (
	converseTool   = `{"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}}`
	converseCalled = `[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}]},` +
		`{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"r"}]}}]}]`
	converseForm = `{"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}"}}}}}`
)

// content is a field that replaces the conversation by one turn of the given blocks.
func content(blocks string) Field {
	return Field{API: "converse", Pointer: "/messages", Example: `[{"role":"user","content":[` + blocks + `]}]`}
}

// BedrockFields are the fields of a Converse request (aws-sdk-go-v2
// service/bedrockruntime v1.63, ConverseInput and ConverseStreamInput and the types
// below them; the model is in the path).
var BedrockFields = []Field{
	content(`{"text":"bye"}`),
	content(`{"text":"a"},{"cachePoint":{"type":"default"}}`),
	content(`{"text":"a"},{"cachePoint":{"type":"default","ttl":"1h"}}`),
	content(`{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}`),
	content(`{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/k"}}}}`),
	content(`{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/k","bucketOwner":"111122223333"}}}}`),
	content(`{"document":{"format":"pdf","name":"d","source":{"bytes":"JVBERi0="}}}`),
	content(`{"document":{"format":"txt","name":"d","source":{"text":"plain"}}}`),
	content(`{"document":{"format":"txt","name":"d","source":{"content":[{"text":"one"},{"text":"two"}]}}}`),
	content(`{"document":{"format":"pdf","name":"d","source":{"s3Location":{"uri":"s3://b/k"}}}}`),
	content(`{"document":{"format":"pdf","name":"d","source":{"bytes":"JVBERi0="},"context":"c","citations":{"enabled":true}}}`),
	content(`{"video":{"format":"mp4","source":{"bytes":"AAAA"}}}`),
	content(`{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://b/v"}}}}`),
	content(`{"audio":{"format":"wav","source":{"bytes":"UklGRg=="}}}`),
	content(`{"audio":{"format":"mp3","source":{"s3Location":{"uri":"s3://b/a"}}}}`),
	content(`{"guardContent":{"text":{"text":"g","qualifiers":["grounding_source"]}}}`),
	content(`{"guardContent":{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}}`),
	content(`{"searchResult":{"source":"s","title":"t","content":[{"text":"x"}],"citations":{"enabled":true}}}`),
	content(`{"text":"a"},{"toolAddition":{"tool":{"name":"f"}}}`),
	content(`{"text":"a"},{"toolRemoval":{"tool":{"name":"f"}}}`),
	{API: "converse", Pointer: "/messages", Example: `[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"text":"ho"}]},{"role":"user","content":[{"text":"he"}]}]`},
	{API: "converse", Pointer: "/messages", Example: `[{"role":"system","content":[{"text":"s"}]},{"role":"user","content":[{"text":"hi"}]}]`},
	{API: "converse", Pointer: "/messages", Example: `[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"r","signature":"c2ln"}}},{"text":"ho"}]},{"role":"user","content":[{"text":"he"}]}]`},
	{API: "converse", Pointer: "/messages", Example: `[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"reasoningContent":{"redactedContent":"b3BhcXVl"}},{"text":"ho"}]},{"role":"user","content":[{"text":"he"}]}]`},
	{API: "converse", Pointer: "/messages", Example: `[{"role":"user","content":[{"text":"hi"}]},{"role":"assistant","content":[{"citationsContent":{"content":[{"text":"c"}],"citations":[{"title":"t","location":{"web":{"url":"https://e.example"}},"sourceContent":[{"text":"w"}]}]}}]},{"role":"user","content":[{"text":"he"}]}]`},
	{API: "converse", Pointer: "/messages", Example: converseCalled, With: converseTool},
	{API: "converse", Pointer: "/messages/1/content/0/toolUse/type", Example: `"server_tool_use"`, With: `{"messages":` + converseCalled + `}`},
	{API: "converse", Pointer: "/messages/2/content/0/toolResult/status", Example: `"error"`, With: `{"messages":` + converseCalled + `}`},
	{API: "converse", Pointer: "/messages/2/content/0/toolResult/type", Example: `"x"`, With: `{"messages":` + converseCalled + `}`},
	{API: "converse", Pointer: "/messages/2/content/0/toolResult/content", Example: `[{"json":{"a":1}}]`, With: `{"messages":` + converseCalled + `}`},
	{API: "converse", Pointer: "/messages/2/content/0/toolResult/content", Example: `[{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}]`, With: `{"messages":` + converseCalled + `}`},
	{API: "converse", Pointer: "/messages/2/content/0/toolResult/content", Example: `[{"document":{"format":"pdf","name":"d","source":{"bytes":"JVBERi0="}}}]`, With: `{"messages":` + converseCalled + `}`},
	{API: "converse", Pointer: "/messages/2/content/0/toolResult/content", Example: `[{"video":{"format":"mp4","source":{"bytes":"AAAA"}}}]`, With: `{"messages":` + converseCalled + `}`},
	{API: "converse", Pointer: "/messages/2/content/0/toolResult/content", Example: `[{"searchResult":{"source":"s","title":"t","content":[{"text":"x"}]}}]`, With: `{"messages":` + converseCalled + `}`},
	{API: "converse", Pointer: "/system", Example: `[{"text":"Be brief."}]`},
	{API: "converse", Pointer: "/system", Example: `[{"text":"Be brief."},{"cachePoint":{"type":"default"}}]`},
	{API: "converse", Pointer: "/system", Example: `[{"guardContent":{"text":{"text":"g"}}}]`},
	{API: "converse", Pointer: "/inferenceConfig/maxTokens", Example: `77`},
	{API: "converse", Pointer: "/inferenceConfig/temperature", Example: `0.5`},
	{API: "converse", Pointer: "/inferenceConfig/topP", Example: `0.5`},
	{API: "converse", Pointer: "/inferenceConfig/stopSequences", Example: `["END"]`},
	{API: "converse", Pointer: "/toolConfig", Example: `{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object","properties":{}}}}}]}`},
	{API: "converse", Pointer: "/toolConfig/tools/0/toolSpec/strict", Example: `true`, With: converseTool},
	{API: "converse", Pointer: "/toolConfig/tools", Example: `[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default"}}]`, With: converseTool},
	{API: "converse", Pointer: "/toolConfig/tools", Example: `[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"systemTool":{"name":"nova_grounding"}}]`, With: converseTool},
	{API: "converse", Pointer: "/toolConfig/tools", Example: `[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"systemTool":{"name":"nova_code_interpreter"}}]`, With: converseTool},
	{API: "converse", Pointer: "/toolConfig/tools", Example: `[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},{"systemTool":{"name":"another"}}]`, With: converseTool},
	{API: "converse", Pointer: "/toolConfig/toolChoice", Example: `{"any":{}}`, With: converseTool},
	{API: "converse", Pointer: "/toolConfig/toolChoice", Example: `{"tool":{"name":"f"}}`, With: converseTool},
	{API: "converse", Pointer: "/guardrailConfig", Example: `{"guardrailIdentifier":"g","guardrailVersion":"1","trace":"enabled"}`},
	{API: "converse", Pointer: "/guardrailConfig", Example: `{"guardrailIdentifier":"g","guardrailVersion":"1","streamProcessingMode":"async"}`},
	{API: "converse", Pointer: "/additionalModelRequestFields/thinking", Example: `{"type":"enabled","budget_tokens":2000}`, With: `{"inferenceConfig":{"maxTokens":8000}}`},
	{API: "converse", Pointer: "/additionalModelRequestFields/reasoning_config", Example: `{"type":"enabled","budget_tokens":2000}`, With: `{"inferenceConfig":{"maxTokens":8000}}`},
	{API: "converse", Pointer: "/additionalModelRequestFields/reasoningConfig", Example: `{"type":"enabled","maxReasoningEffort":"low"}`, With: `{"inferenceConfig":{"maxTokens":8000}}`},
	{API: "converse", Pointer: "/additionalModelRequestFields/output_config", Example: `{"effort":"low"}`},
	{API: "converse", Pointer: "/additionalModelRequestFields/reasoning_effort", Example: `"low"`},
	{API: "converse", Pointer: "/additionalModelRequestFields/top_k", Example: `5`},
	{API: "converse", Pointer: "/additionalModelRequestFields/inferenceConfig", Example: `{"topK":5}`},
	{API: "converse", Pointer: "/additionalModelRequestFields/seed", Example: `7`},
	{API: "converse", Pointer: "/additionalModelRequestFields/anthropic_beta", Example: `["x"]`},
	{API: "converse", Pointer: "/additionalModelRequestFields/other", Example: `{"a":1}`},
	{API: "converse", Pointer: "/additionalModelResponseFieldPaths", Example: `["/stop_sequence"]`},
	{API: "converse", Pointer: "/performanceConfig", Example: `{"latency":"optimized"}`},
	{API: "converse", Pointer: "/requestMetadata", Example: `{"team":"a"}`},
	{API: "converse", Pointer: "/promptVariables", Example: `{"v":{"text":"x"}}`},
	{API: "converse", Pointer: "/outputConfig/textFormat", Example: `{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"n"}}}`},
	{API: "converse", Pointer: "/outputConfig/textFormat/structure/jsonSchema/description", Example: `"d"`, With: converseForm},
	{API: "converse", Pointer: "/outputConfig/effort", Example: `"low"`},
	{API: "converse", Pointer: "/serviceTier", Example: `{"type":"flex"}`},
	{API: "converse", Pointer: "/serviceTier", Example: `{"type":"priority"}`},
	{API: "converse", Pointer: "/system", Example: `[{"text":"Be brief."},{"cachePoint":{"type":"default","ttl":"1h"}}]`},
}

// InvokeFields are the fields of InvokeModel's body for Claude: those of a messages
// request, but for what Bedrock says elsewhere or does not have, and Bedrock's own
// ("Anthropic Claude Messages API" of the Bedrock user guide).
var InvokeFields = invokeFields()

func invokeFields() []Field {
	list := []Field{
		{API: "invoke", Pointer: "/anthropic_version", Example: `"bedrock-2024-01-01"`},
		{API: "invoke", Pointer: "/anthropic_beta", Example: `["computer-use-2025-01-24"]`},
	}
	for _, f := range AnthropicFields {
		switch f.Pointer {
		case "/model", "/stream", "/service_tier", "/inference_geo", "/container", "/speed", "/mcp_servers", "/diagnostics":
			continue
		}
		if f.API == "messages" {
			f.API = "invoke"
			list = append(list, f)
		}
	}
	return list
}
