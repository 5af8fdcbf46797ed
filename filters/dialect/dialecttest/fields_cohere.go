package dialecttest

const (
	cohereTool   = `{"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}]}`
	cohereCalled = `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}]}`
)

// CohereFields are the fields of version 2's chat, embed and rerank (cohere-go
// v2.15, V2ChatRequest, V2EmbedRequest, V2RerankRequest and what is below them;
// priority and raw_prompting from the API reference).
var CohereFields = []Field{
	{API: "chat", Pointer: "/model", Example: `"other"`},
	{API: "chat", Pointer: "/messages", Example: `[{"role":"user","content":"bye"}]`},
	{API: "chat", Pointer: "/messages", Example: `[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}]`},
	{API: "chat", Pointer: "/messages/0/content", Example: `[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]`},
	{API: "chat", Pointer: "/messages/1/tool_plan", Example: `"I look it up."`, With: cohereCalled},
	{API: "chat", Pointer: "/messages/2/content", Example: `[{"type":"document","document":{"id":"d","data":{"a":"b"}}}]`, With: cohereCalled},
	{API: "chat", Pointer: "/stream", Example: `true`},
	{API: "chat", Pointer: "/max_tokens", Example: `77`},
	{API: "chat", Pointer: "/tools", Example: `[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}]`},
	{API: "chat", Pointer: "/strict_tools", Example: `true`, With: cohereTool},
	{API: "chat", Pointer: "/tool_choice", Example: `"REQUIRED"`, With: cohereTool},
	{API: "chat", Pointer: "/tool_choice", Example: `"NONE"`, With: cohereTool},
	{API: "chat", Pointer: "/documents", Example: `[{"id":"d","data":{"text":"Rome"}}]`},
	{API: "chat", Pointer: "/citation_options", Example: `{"mode":"OFF"}`},
	{API: "chat", Pointer: "/response_format", Example: `{"type":"json_object"}`},
	{API: "chat", Pointer: "/response_format", Example: `{"type":"json_object","json_schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}`},
	{API: "chat", Pointer: "/safety_mode", Example: `"STRICT"`},
	{API: "chat", Pointer: "/temperature", Example: `0.5`},
	{API: "chat", Pointer: "/p", Example: `0.5`},
	{API: "chat", Pointer: "/k", Example: `5`},
	{API: "chat", Pointer: "/seed", Example: `7`},
	{API: "chat", Pointer: "/frequency_penalty", Example: `0.5`},
	{API: "chat", Pointer: "/presence_penalty", Example: `0.5`},
	{API: "chat", Pointer: "/stop_sequences", Example: `["END"]`},
	{API: "chat", Pointer: "/logprobs", Example: `true`},
	{API: "chat", Pointer: "/thinking", Example: `{"type":"enabled","token_budget":2000}`},
	{API: "chat", Pointer: "/thinking", Example: `{"type":"disabled"}`},
	{API: "chat", Pointer: "/priority", Example: `1`},
	{API: "chat", Pointer: "/raw_prompting", Example: `true`},
	{API: "embed", Pointer: "/model", Example: `"other"`},
	{API: "embed", Pointer: "/texts", Example: `["a","b"]`},
	{API: "embed", Pointer: "/images", Example: `["data:image/png;base64,iVBORw0KGgo="]`, With: `{"texts":null}`},
	{API: "embed", Pointer: "/inputs", Example: `[{"content":[{"type":"text","text":"a"}]}]`, With: `{"texts":null}`},
	{API: "embed", Pointer: "/inputs", Example: `[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]`, With: `{"texts":null}`},
	{API: "embed", Pointer: "/input_type", Example: `"classification"`},
	{API: "embed", Pointer: "/input_type", Example: `"image"`},
	{API: "embed", Pointer: "/max_tokens", Example: `77`},
	{API: "embed", Pointer: "/output_dimension", Example: `256`},
	{API: "embed", Pointer: "/embedding_types", Example: `["base64"]`},
	{API: "embed", Pointer: "/embedding_types", Example: `["float"]`},
	{API: "embed", Pointer: "/embedding_types", Example: `["int8","binary"]`},
	{API: "embed", Pointer: "/truncate", Example: `"NONE"`},
	{API: "embed", Pointer: "/priority", Example: `1`},
	{API: "rerank", Pointer: "/model", Example: `"other"`},
	{API: "rerank", Pointer: "/query", Example: `"other"`},
	{API: "rerank", Pointer: "/documents", Example: `["a","b","c"]`},
	{API: "rerank", Pointer: "/top_n", Example: `1`},
	{API: "rerank", Pointer: "/max_tokens_per_doc", Example: `77`},
	{API: "rerank", Pointer: "/priority", Example: `1`},
	{API: "chat", Pointer: "/messages", Example: `[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"hi"}]},{"role":"user","content":"hi"}]`},
	{API: "chat", Pointer: "/messages/1/citations", Example: `[{"start":0,"end":2,"text":"hi","sources":[{"type":"document","id":"d","document":{"title":"t"}}]}]`, With: `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"text","text":"hi"}]},{"role":"user","content":"hi"}]}`},
}
