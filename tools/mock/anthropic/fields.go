package anthropic

import s "github.com/posterngw/postern/tools/mock/strict"

// messagesSpec is the body of POST /v1/messages (API reference "Create a
// Message"; members of anthropic-sdk-go's MessageNewParams).
var messagesSpec = s.Obj(s.Fields{
	"max_tokens":     s.Req(s.Int(0)),
	"messages":       s.Req(s.List(messageSpec).Count(1, 100_000)),
	"model":          s.Req(s.Str().Len(1, 256)),
	"cache_control":  cacheControl,
	"container":      s.Opt((&s.Spec{Kinds: s.String | s.Object | s.Null})),
	"diagnostics":    s.Opt(s.Any().OrNull()),
	"inference_geo":  s.Opt(s.Str().OrNull()),
	"metadata":       s.Opt(s.Obj(s.Fields{"user_id": s.Opt(s.Str().Len(0, 256).OrNull())})),
	"output_config":  s.Opt(s.Obj(s.Fields{"effort": s.Opt(s.OneOf("low", "medium", "high", "xhigh", "max").OrNull()), "format": s.Opt(formatSpec.OrNull())})),
	"service_tier":   s.Opt(s.OneOf("auto", "standard_only")),
	"speed":          s.Opt(s.OneOf("standard", "fast").OrNull()),
	"stop_sequences": s.Opt(s.List(s.Str())),
	"stream":         s.Opt(s.Flag()),
	"system":         s.Opt(s.List(textBlock).Also(s.String)),
	"temperature":    s.Opt(s.Num(0, 1)),
	"thinking":       s.Opt(thinkingSpec),
	"tool_choice":    s.Opt(choiceSpec),
	"tools":          s.Opt(s.List(toolSpec)),
	"top_k":          s.Opt(s.Int(0)),
	"top_p":          s.Opt(s.Num(0, 1)),
})

// countSpec is the body of POST /v1/messages/count_tokens.
var countSpec = func() *s.Spec {
	fields := s.Fields{}
	for _, name := range []string{"messages", "model", "cache_control", "output_config", "speed", "system", "thinking", "tool_choice", "tools"} {
		fields[name] = messagesSpec.Fields[name]
	}
	return s.Obj(fields)
}()

// betaFields are members that the API takes only with a beta header that
// begins so.
var betaFields = map[string]string{
	"output_format":      "structured-outputs-",
	"context_management": "context-management-",
	"mcp_servers":        "mcp-client-",
}

var cacheControl = s.Opt(s.Obj(s.Fields{"type": s.Req(s.OneOf("ephemeral")), "ttl": s.Opt(s.OneOf("5m", "1h"))}).OrNull())

var formatSpec = s.Obj(s.Fields{"type": s.Req(s.OneOf("json_schema")), "schema": s.Req(s.Any())})

var thinkingSpec = s.Union("type", map[string]*s.Spec{
	"enabled": s.Obj(s.Fields{
		"type": s.Req(s.Str()), "budget_tokens": s.Req(s.Int(1024)),
		"display": s.Opt(s.OneOf("summarized", "omitted").OrNull()),
	}),
	"adaptive":      s.Obj(s.Fields{"type": s.Req(s.Str()), "display": s.Opt(s.OneOf("summarized", "omitted").OrNull())}),
	"disabled":      s.Obj(s.Fields{"type": s.Req(s.Str())}),
	"between_tools": s.Obj(s.Fields{"type": s.Req(s.Str())}),
})

var choiceSpec = s.Union("type", map[string]*s.Spec{
	"auto": s.Obj(s.Fields{"type": s.Req(s.Str()), "disable_parallel_tool_use": s.Opt(s.Flag())}),
	"any":  s.Obj(s.Fields{"type": s.Req(s.Str()), "disable_parallel_tool_use": s.Opt(s.Flag())}),
	"tool": s.Obj(s.Fields{"type": s.Req(s.Str()), "name": s.Req(s.Str()), "disable_parallel_tool_use": s.Opt(s.Flag())}),
	"none": s.Obj(s.Fields{"type": s.Req(s.Str())}),
})

var toolSpec = func() *s.Spec {
	u := s.Union("type", map[string]*s.Spec{"custom": customTool})
	u.TagDefault = "custom"
	for _, name := range serverTools {
		u.Variants[name] = &s.Spec{Kinds: s.Object, Open: true, Fields: s.Fields{"name": s.Req(s.Str())}}
	}
	return u
}()

// serverTools are the types of tools that the API defines itself; their
// parameters are not checked.
var serverTools = []string{
	"bash_20241022", "bash_20250124", "browser_toolset_20260801",
	"code_execution_20250522", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521",
	"computer_20241022", "computer_20250124", "computer_20251124", "computer_toolset_20260801",
	"memory_20250818", "text_editor_20241022", "text_editor_20250124", "text_editor_20250429", "text_editor_20250728",
	"tool_search_tool_bm25_20251119", "tool_search_tool_regex_20251119",
	"web_fetch_20250910", "web_fetch_20260209", "web_fetch_20260309", "web_fetch_20260318",
	"web_search_20250305", "web_search_20260209", "web_search_20260318",
}

var customTool = s.Obj(s.Fields{
	"name":                  s.Req(&s.Spec{Kinds: s.String, MinLen: 1, MaxLen: 128, Name: true}),
	"input_schema":          s.Req(&s.Spec{Kinds: s.Object, Open: true, Fields: s.Fields{"type": s.Req(s.OneOf("object"))}}),
	"allowed_callers":       s.Opt(s.List(s.Str())),
	"cache_control":         cacheControl,
	"defer_loading":         s.Opt(s.Flag()),
	"description":           s.Opt(s.Str()),
	"eager_input_streaming": s.Opt(s.Flag().OrNull()),
	"input_examples":        s.Opt(s.List(s.Any())),
	"strict":                s.Opt(s.Flag()),
	"type":                  s.Opt(s.Str().OrNull()),
})

var messageSpec = s.Obj(s.Fields{
	"role":    s.Req(s.Str()),
	"content": s.Req(s.List(blockSpec).Also(s.String)),
})

var textBlock = s.Union("type", map[string]*s.Spec{"text": s.Obj(textFields)})

var textFields = s.Fields{
	"type": s.Req(s.Str()), "text": s.Req(s.Str()), "cache_control": cacheControl,
	"citations": s.Opt(s.List(nil).OrNull()),
}

var imageFields = s.Fields{
	"type": s.Req(s.Str()), "cache_control": cacheControl, "transformations": s.Opt(s.Any()),
	"source": s.Req(s.Union("type", map[string]*s.Spec{
		"base64": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "data": s.Req(s.Str()),
			"media_type": s.Req(s.OneOf("image/jpeg", "image/png", "image/gif", "image/webp")),
		}),
		"url":  s.Obj(s.Fields{"type": s.Req(s.Str()), "url": s.Req(s.Str())}),
		"file": s.Obj(s.Fields{"type": s.Req(s.Str()), "file_id": s.Req(s.Str())}),
	})),
}

var documentFields = s.Fields{
	"type": s.Req(s.Str()), "source": s.Req(s.Any()), "cache_control": cacheControl,
	"citations": s.Opt(s.Any().OrNull()), "context": s.Opt(s.Str().OrNull()), "title": s.Opt(s.Str().OrNull()),
}

var searchResultFields = s.Fields{
	"type": s.Req(s.Str()), "content": s.Req(s.List(textBlock)), "source": s.Req(s.Str()), "title": s.Req(s.Str()),
	"cache_control": cacheControl, "citations": s.Opt(s.Any()),
}

// toolID is what identifiers of calls must look like.
var toolID = &s.Spec{Kinds: s.String, MinLen: 1, Name: true}

var blockSpec = func() *s.Spec {
	u := s.Union("type", map[string]*s.Spec{
		"text":          s.Obj(textFields),
		"image":         s.Obj(imageFields),
		"document":      s.Obj(documentFields),
		"search_result": s.Obj(searchResultFields),
		"thinking": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "thinking": s.Req(s.Str()), "signature": s.Req(s.Str()),
		}),
		"redacted_thinking": s.Obj(s.Fields{"type": s.Req(s.Str()), "data": s.Req(s.Str())}),
		"tool_use": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "id": s.Req(toolID), "name": s.Req(s.Str().Len(1, 200)), "input": s.Req(s.Any()),
			"cache_control": cacheControl, "caller": s.Opt(s.Any()), "toolset_name": s.Opt(s.Str().OrNull()),
		}),
		"tool_result": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "tool_use_id": s.Req(toolID), "is_error": s.Opt(s.Flag()),
			"cache_control": cacheControl, "toolset_name": s.Opt(s.Str().OrNull()),
			"content": s.Opt(s.List(resultSpec).Also(s.String)),
		}),
	})
	for _, name := range []string{
		"server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
		"bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "tool_search_tool_result",
		"container_upload",
	} {
		u.Variants[name] = s.Any()
	}
	return u
}()

var resultSpec = s.Union("type", map[string]*s.Spec{
	"text":           s.Obj(textFields),
	"image":          s.Obj(imageFields),
	"document":       s.Obj(documentFields),
	"search_result":  s.Obj(searchResultFields),
	"tool_reference": s.Any(),
	"browser_state":  s.Any(),
})
