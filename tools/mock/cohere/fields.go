package cohere

import s "github.com/posterngw/postern/tools/mock/strict"

// chatSpec is the body of a chat (V2ChatRequest, V2ChatStreamRequest).
var chatSpec = s.Obj(s.Fields{
	"model":             s.Req(s.Str()),
	"messages":          s.Req(s.List(messageSpec).Count(1, 0)),
	"stream":            s.Opt(s.Flag()),
	"tools":             s.Opt(s.List(toolSpec)),
	"strict_tools":      s.Opt(s.Flag()),
	"tool_choice":       s.Opt(s.OneOf("REQUIRED", "NONE")),
	"documents":         s.Opt(s.List(s.Obj(documentFields).Also(s.String))),
	"citation_options":  s.Opt(s.Obj(s.Fields{"mode": s.Opt(s.OneOf("ENABLED", "DISABLED", "FAST", "ACCURATE", "OFF", "fast", "accurate", "off"))})),
	"response_format":   s.Opt(s.Obj(s.Fields{"type": s.Req(s.OneOf("text", "json_object")), "json_schema": s.Opt(s.Any()), "schema": s.Opt(s.Any())})),
	"safety_mode":       s.Opt(s.OneOf("CONTEXTUAL", "STRICT", "OFF")),
	"max_tokens":        s.Opt(s.Int(0)),
	"stop_sequences":    s.Opt(s.List(s.Str()).Count(0, 5)),
	"temperature":       s.Opt(s.Num(0, 1)),
	"seed":              s.Opt(s.IntIn(0, 1<<64)),
	"frequency_penalty": s.Opt(s.Num(0, 1)),
	"presence_penalty":  s.Opt(s.Num(0, 1)),
	"k":                 s.Opt(s.Num(0, 500)),
	"p":                 s.Opt(s.Num(0.01, 0.99)),
	"logprobs":          s.Opt(s.Flag()),
	"priority":          s.Opt(s.IntIn(0, 999)),
	"raw_prompting":     s.Opt(s.Flag()),
	"thinking":          s.Opt(s.Obj(s.Fields{"type": s.Req(s.OneOf("enabled", "disabled")), "token_budget": s.Opt(s.Int(1))})),
})

var documentFields = s.Fields{"id": s.Opt(s.Str()), "data": s.Req(s.Any().Also(s.String))}

var toolSpec = s.Obj(s.Fields{
	"type": s.Req(s.OneOf("function")),
	"function": s.Req(s.Obj(s.Fields{
		"name": s.Req(s.Str().Len(1, 0)), "description": s.Opt(s.Str()), "parameters": s.Opt(s.Any()),
	})),
})

var messageSpec = &s.Spec{Kinds: s.Object, Tag: "role", HideVariant: true, Variants: map[string]*s.Spec{
	"user":   message(s.Fields{"content": s.Req(content("text", "image_url"))}),
	"system": message(s.Fields{"content": s.Req(content("text"))}),
	"assistant": message(s.Fields{
		"content": s.Opt(content("text", "thinking").OrNull()), "tool_plan": s.Opt(s.Str()),
		"tool_calls": s.Opt(s.List(callSpec)), "citations": s.Opt(s.List(s.Any())),
	}),
	"tool": message(s.Fields{"tool_call_id": s.Req(s.Str().Len(1, 0)), "content": s.Req(content("text", "document"))}),
}}

func message(f s.Fields) *s.Spec {
	f["role"] = s.Req(s.Str())
	return s.Obj(f)
}

var callSpec = s.Obj(s.Fields{
	"id": s.Req(s.Str().Len(1, 0)), "type": s.Req(s.OneOf("function")),
	"function": s.Req(s.Obj(s.Fields{"name": s.Req(s.Str()), "arguments": s.Req(s.Str())})),
})

// parts are what content may be made of.
var parts = map[string]*s.Spec{
	"text":     s.Obj(s.Fields{"type": s.Req(s.Str()), "text": s.Req(s.Str())}),
	"thinking": s.Obj(s.Fields{"type": s.Req(s.Str()), "thinking": s.Req(s.Str())}),
	"image_url": s.Obj(s.Fields{"type": s.Req(s.Str()), "image_url": s.Req(s.Obj(s.Fields{
		"url": s.Req(s.Str()), "detail": s.Opt(s.OneOf("auto", "low", "high"))}))}),
	"document": s.Obj(s.Fields{"type": s.Req(s.Str()), "document": s.Req(s.Obj(documentFields))}),
}

// content accepts a text, or a list of parts of these types.
func content(types ...string) *s.Spec {
	variants := map[string]*s.Spec{}
	for _, t := range types {
		variants[t] = parts[t]
	}
	return s.List(&s.Spec{Kinds: s.Object, Tag: "type", HideVariant: true, Variants: variants}).Also(s.String)
}

// embedSpec is the body of an embed (V2EmbedRequest).
var embedSpec = s.Obj(s.Fields{
	"model":            s.Req(s.Str()),
	"input_type":       s.Opt(s.OneOf("search_document", "search_query", "classification", "clustering", "image")),
	"texts":            s.Opt(s.List(s.Str())),
	"images":           s.Opt(s.List(s.Str())),
	"inputs":           s.Opt(s.List(s.Obj(s.Fields{"content": s.Req(content("text", "image_url").Count(1, 0))}))),
	"max_tokens":       s.Opt(s.Int(1)),
	"output_dimension": s.Opt(s.Int(1)),
	"embedding_types":  s.Opt(s.List(s.OneOf("float", "int8", "uint8", "binary", "ubinary", "base64"))),
	"truncate":         s.Opt(s.OneOf("NONE", "START", "END")),
	"priority":         s.Opt(s.IntIn(0, 999)),
})

// rerankSpec is the body of a rerank (V2RerankRequest).
var rerankSpec = s.Obj(s.Fields{
	"model":              s.Req(s.Str()),
	"query":              s.Req(s.Str()),
	"documents":          s.Req(s.List(s.Str())),
	"top_n":              s.Opt(s.Int(1)),
	"max_tokens_per_doc": s.Opt(s.Int(1)),
	"priority":           s.Opt(s.IntIn(0, 999)),
})
