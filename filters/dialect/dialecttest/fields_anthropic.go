package dialecttest

// AnthropicFields are the fields of a messages request (anthropic-sdk-go v1.84,
// MessageNewParams and the blocks below it).
var AnthropicFields = []Field{
	{API: "messages", Pointer: "/model", Example: `"other"`},
	{API: "messages", Pointer: "/max_tokens", Example: `77`},
	{API: "messages", Pointer: "/messages", Example: `[{"role":"user","content":"bye"}]`},
	{API: "messages", Pointer: "/messages/0/role", Example: `"assistant"`},
	{API: "messages", Pointer: "/system", Example: `"Be brief."`},
	{API: "messages", Pointer: "/system", Example: `[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}]`},
	{API: "messages", Pointer: "/temperature", Example: `0.5`},
	{API: "messages", Pointer: "/top_p", Example: `0.5`},
	{API: "messages", Pointer: "/top_k", Example: `5`},
	{API: "messages", Pointer: "/stop_sequences", Example: `["END"]`},
	{API: "messages", Pointer: "/stream", Example: `true`},
	{API: "messages", Pointer: "/metadata/user_id", Example: `"u-1"`},
	{API: "messages", Pointer: "/metadata/other", Example: `"x"`},
	{API: "messages", Pointer: "/service_tier", Example: `"standard_only"`},
	{API: "messages", Pointer: "/inference_geo", Example: `"us"`},
	{API: "messages", Pointer: "/container", Example: `"c-1"`},
	{API: "messages", Pointer: "/speed", Example: `"fast"`},
	{API: "messages", Pointer: "/cache_control", Example: `{"type":"ephemeral"}`},
	{API: "messages", Pointer: "/diagnostics", Example: `{}`},
	{API: "messages", Pointer: "/context_management", Example: `{"edits":[]}`},
	{API: "messages", Pointer: "/mcp_servers", Example: `[{"type":"url","url":"https://mcp.example","name":"m"}]`},
	{API: "messages", Pointer: "/output_config/effort", Example: `"high"`},
	{API: "messages", Pointer: "/output_config/format", Example: `{"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}`},
	{API: "messages", Pointer: "/thinking", Example: `{"type":"enabled","budget_tokens":2000}`, With: `{"max_tokens":8000}`},
	{API: "messages", Pointer: "/thinking", Example: `{"type":"adaptive"}`},
	{API: "messages", Pointer: "/thinking", Example: `{"type":"disabled"}`},
	{API: "messages", Pointer: "/thinking/display", Example: `"omitted"`, With: `{"max_tokens":8000,"thinking":{"type":"enabled","budget_tokens":2000}}`},
	{API: "messages", Pointer: "/tools", Example: `[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}}}]`},
	{API: "messages", Pointer: "/tools", Example: `[{"type":"web_search_20250305","name":"web_search"}]`},
	{API: "messages", Pointer: "/tools", Example: `[{"type":"code_execution_20250825","name":"code_execution"}]`},
	{API: "messages", Pointer: "/tools", Example: `[{"type":"bash_20250124","name":"bash"}]`},
	{API: "messages", Pointer: "/tools/0/strict", Example: `true`, With: anthropicTool},
	{API: "messages", Pointer: "/tools/0/cache_control", Example: `{"type":"ephemeral"}`, With: anthropicTool},
	{API: "messages", Pointer: "/tools/0/eager_input_streaming", Example: `true`, With: anthropicTool},
	{API: "messages", Pointer: "/tools/0/defer_loading", Example: `true`, With: anthropicTool},
	{API: "messages", Pointer: "/tools/0/allowed_callers", Example: `["direct"]`, With: anthropicTool},
	{API: "messages", Pointer: "/tools/0/input_examples", Example: `[{}]`, With: anthropicTool},
	{API: "messages", Pointer: "/tool_choice", Example: `{"type":"any"}`, With: anthropicTool},
	{API: "messages", Pointer: "/tool_choice", Example: `{"type":"none"}`, With: anthropicTool},
	{API: "messages", Pointer: "/tool_choice", Example: `{"type":"tool","name":"f"}`, With: anthropicTool},
	{API: "messages", Pointer: "/tool_choice/disable_parallel_tool_use", Example: `true`,
		With: `{"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"auto"}}`},
	{API: "messages", Pointer: "/messages/0/content", Example: `[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]`},
	{API: "messages", Pointer: "/messages/0/content", Example: `[{"type":"image","source":{"type":"url","url":"https://pictures.example/cat.png"}}]`},
	{API: "messages", Pointer: "/messages/0/content", Example: `[{"type":"image","source":{"type":"file","file_id":"file_1"}}]`},
	{API: "messages", Pointer: "/messages/0/content/0/transformations", Example: `[]`,
		With: `{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]}`},
	{API: "messages", Pointer: "/messages/0/content", Example: `[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}]`},
	{API: "messages", Pointer: "/messages/0/content", Example: `[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Once"}}]`},
	{API: "messages", Pointer: "/messages/0/content", Example: `[{"type":"document","source":{"type":"url","url":"https://papers.example/a.pdf"}}]`},
	{API: "messages", Pointer: "/messages/0/content/0/title", Example: `"T"`, With: anthropicDocument},
	{API: "messages", Pointer: "/messages/0/content/0/context", Example: `"C"`, With: anthropicDocument},
	{API: "messages", Pointer: "/messages/0/content/0/citations", Example: `{"enabled":true}`, With: anthropicDocument},
	{API: "messages", Pointer: "/messages/0/content/0/cache_control", Example: `{"type":"ephemeral"}`, With: anthropicText},
	{API: "messages", Pointer: "/messages/0/content", Example: `[{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]}]`},
	{API: "messages", Pointer: "/messages/1/content/0/citations",
		Example: `[{"type":"char_location","cited_text":"c","document_index":0,"document_title":"t","start_char_index":0,"end_char_index":1}]`,
		With:    `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"text","text":"a"}]},{"role":"user","content":"go on"}]}`},
	{API: "messages", Pointer: "/messages/1/content", Example: `[{"type":"thinking","thinking":"Hm","signature":"c2ln"},{"type":"text","text":"a"}]`, With: anthropicTurns},
	{API: "messages", Pointer: "/messages/1/content", Example: `[{"type":"redacted_thinking","data":"b3Bh"},{"type":"text","text":"a"}]`, With: anthropicTurns},
	{API: "messages", Pointer: "/messages/1/content/0/input", Example: `{"a":1}`, With: anthropicCall},
	{API: "messages", Pointer: "/messages/1/content/0/caller", Example: `{"type":"direct"}`, With: anthropicCall},
	{API: "messages", Pointer: "/messages/1/content/0/cache_control", Example: `{"type":"ephemeral"}`, With: anthropicCall},
	{API: "messages", Pointer: "/messages/2/content/0/content", Example: `[{"type":"text","text":"sunny"}]`, With: anthropicCall},
	{API: "messages", Pointer: "/messages/2/content/0/content", Example: `[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]`, With: anthropicCall},
	{API: "messages", Pointer: "/messages/2/content/0/is_error", Example: `true`, With: anthropicCall},
	{API: "messages", Pointer: "/messages/2/content/0/cache_control", Example: `{"type":"ephemeral"}`, With: anthropicCall},
}

// Conversations that fields of parts need.
const (
	anthropicTool     = `{"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}}}]}`
	anthropicText     = `{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`
	anthropicTurns    = `{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"text","text":"a"}]},{"role":"user","content":"go on"}]}`
	anthropicDocument = `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}]}]}`
	anthropicCall     = `{"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}}}],` +
		`"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"rain"}]}]}`
)
