package openai

import s "github.com/posterngw/postern/tools/mock/strict"

// roles in the order in which the API lists them.
var roles = []string{"system", "assistant", "user", "function", "tool", "developer"}

// chatSpec is the body of POST /v1/chat/completions (API reference "Create
// chat completion"; members of openai-go's ChatCompletionNewParams).
var chatSpec = s.Obj(s.Fields{
	"messages":               s.Req(s.List(messageSpec).Count(1, 2048)),
	"model":                  s.Req(s.Str()),
	"audio":                  s.Opt(s.Obj(s.Fields{"format": s.Req(s.Str()), "voice": s.Req(s.Str().Also(s.Object))}).OrNull()),
	"frequency_penalty":      s.Opt(s.Num(-2, 2).OrNull()),
	"function_call":          s.Opt(s.OneOf("none", "auto").Also(s.Object)),
	"functions":              s.Opt(s.List(functionSpec).Count(1, 128)),
	"logit_bias":             s.Opt(s.Any().OrNull()),
	"logprobs":               s.Opt(s.Flag().OrNull()),
	"max_completion_tokens":  s.Opt(s.Int(1).OrNull()),
	"max_tokens":             s.Opt(s.Int(1).OrNull()),
	"metadata":               s.Opt(s.Any().OrNull()),
	"modalities":             s.Opt(s.List(s.OneOf("text", "audio")).OrNull()),
	"moderation":             s.Opt(s.Any()),
	"n":                      s.Opt(s.IntIn(1, 128).OrNull()),
	"parallel_tool_calls":    s.Opt(s.Flag()),
	"prediction":             s.Opt(s.Obj(s.Fields{"type": s.Req(s.OneOf("content")), "content": s.Req(textOrParts)}).OrNull()),
	"presence_penalty":       s.Opt(s.Num(-2, 2).OrNull()),
	"prompt_cache_key":       s.Opt(s.Str()),
	"prompt_cache_options":   s.Opt(s.Obj(s.Fields{"mode": s.Opt(s.OneOf("implicit", "explicit")), "ttl": s.Opt(s.OneOf("30m"))})),
	"prompt_cache_retention": s.Opt(s.OneOf("in_memory", "24h").OrNull()),
	"reasoning_effort":       s.Opt(s.OneOf("none", "minimal", "low", "medium", "high", "xhigh", "max").OrNull()),
	"response_format":        s.Opt(formatSpec),
	"safety_identifier":      s.Opt(s.Str().Len(0, 128)),
	"seed":                   s.Opt((&s.Spec{Kinds: s.Number, Integer: true}).OrNull()),
	"service_tier":           s.Opt(s.OneOf("auto", "default", "flex", "scale", "priority", "fast").OrNull()),
	"stop":                   s.Opt((&s.Spec{Kinds: s.String | s.Array | s.Null, Items: s.Str(), MinItems: 1, MaxItems: 4})),
	"store":                  s.Opt(s.Flag().OrNull()),
	"stream":                 s.Opt(s.Flag().OrNull()),
	"stream_options":         s.Opt(s.Obj(s.Fields{"include_usage": s.Opt(s.Flag()), "include_obfuscation": s.Opt(s.Flag())}).OrNull()),
	"temperature":            s.Opt(s.Num(0, 2).OrNull()),
	"tool_choice":            s.Opt(choiceSpec.Also(s.String)),
	"tools":                  s.Opt(s.List(toolSpec).Count(1, 128)),
	"top_logprobs":           s.Opt(s.IntIn(0, 20).OrNull()),
	"top_p":                  s.Opt(s.Num(0, 1).OrNull()),
	"user":                   s.Opt(s.Str()),
	"verbosity":              s.Opt(s.OneOf("low", "medium", "high").OrNull()),
	"web_search_options":     s.Opt(s.Any()),
})

// messageSpec is one message, by its role.
var messageSpec = func() *s.Spec {
	u := s.Union("role", map[string]*s.Spec{
		"system":    instructions,
		"developer": instructions,
		"user": s.Obj(s.Fields{
			"role": s.Req(s.Str()), "content": s.Req(textOrUserParts.OrNull()), "name": s.Opt(s.Str()),
		}),
		"assistant": assistantSpec,
		"tool": s.Obj(s.Fields{
			"role": s.Req(s.Str()), "content": s.Req(textOrParts), "tool_call_id": s.Req(s.Str()), "name": s.Opt(s.Str()),
		}),
		"function": s.Obj(s.Fields{
			"role": s.Req(s.Str()), "content": s.Req(s.Str().OrNull()), "name": s.Req(s.Str()),
		}),
	})
	u.Enum, u.HideVariant = roles, true
	return u
}()

var instructions = s.Obj(s.Fields{
	"role": s.Req(s.Str()), "content": s.Req(textOrParts), "name": s.Opt(s.Str()),
})

var assistantSpec = s.Obj(s.Fields{
	"role":          s.Req(s.Str()),
	"annotations":   s.Opt(s.List(nil)),
	"audio":         s.Opt(s.Any().OrNull()),
	"content":       s.Opt(parts(map[string]*s.Spec{"text": textPart, "refusal": refusalPart}).OrNull()),
	"function_call": s.Opt(s.Obj(s.Fields{"name": s.Req(s.Str()), "arguments": s.Req(s.Str())}).OrNull()),
	"name":          s.Opt(s.Str()),
	"refusal":       s.Opt(s.Str().OrNull()),
	"tool_calls":    s.Opt(s.List(callSpec).Count(1, 0)),
})

var callSpec = union(map[string]*s.Spec{
	"function": s.Obj(s.Fields{
		"id": s.Req(s.Str()), "type": s.Req(s.Str()),
		"function": s.Req(s.Obj(s.Fields{"name": s.Req(s.Str()), "arguments": s.Req(s.Str())})),
	}),
	"custom": s.Obj(s.Fields{
		"id": s.Req(s.Str()), "type": s.Req(s.Str()),
		"custom": s.Req(s.Obj(s.Fields{"name": s.Req(s.Str()), "input": s.Req(s.Str())})),
	}),
})

var breakpoint = s.Opt(s.Obj(s.Fields{"mode": s.Req(s.OneOf("explicit")), "ttl": s.Opt(s.Str())}))

var textPart = s.Obj(s.Fields{"type": s.Req(s.Str()), "text": s.Req(s.Str()), "prompt_cache_breakpoint": breakpoint})

var refusalPart = s.Obj(s.Fields{"type": s.Req(s.Str()), "refusal": s.Req(s.Str())})

var textOrParts = parts(map[string]*s.Spec{"text": textPart})

var textOrUserParts = parts(map[string]*s.Spec{
	"text": textPart,
	"image_url": s.Obj(s.Fields{
		"type": s.Req(s.Str()), "prompt_cache_breakpoint": breakpoint,
		"image_url": s.Req(s.Obj(s.Fields{
			"url": s.Req(s.Str()), "detail": s.Opt(s.OneOf("auto", "low", "high", "original")),
		})),
	}),
	"input_audio": s.Obj(s.Fields{
		"type": s.Req(s.Str()), "prompt_cache_breakpoint": breakpoint,
		"input_audio": s.Req(s.Obj(s.Fields{"data": s.Req(s.Str()), "format": s.Req(s.OneOf("wav", "mp3"))})),
	}),
	"file": s.Obj(s.Fields{
		"type": s.Req(s.Str()), "prompt_cache_breakpoint": breakpoint,
		"file": s.Req(s.Obj(s.Fields{"file_data": s.Opt(s.Str()), "file_id": s.Opt(s.Str()), "filename": s.Opt(s.Str())})),
	}),
})

var functionSpec = s.Obj(s.Fields{
	"name":        s.Req(nameSpec),
	"description": s.Opt(s.Str()),
	"parameters":  s.Opt(s.Any()),
	"strict":      s.Opt(s.Flag().OrNull()),
})

var nameSpec = &s.Spec{Kinds: s.String, MinLen: 1, MaxLen: 64, Name: true}

var toolSpec = union(map[string]*s.Spec{
	"function": s.Obj(s.Fields{"type": s.Req(s.Str()), "function": s.Req(functionSpec)}),
	"custom": s.Obj(s.Fields{"type": s.Req(s.Str()), "custom": s.Req(s.Obj(s.Fields{
		"name": s.Req(nameSpec), "description": s.Opt(s.Str()), "format": s.Opt(s.Any()),
	}))}),
})

var named = s.Req(s.Obj(s.Fields{"name": s.Req(s.Str())}))

var choiceSpec = func() *s.Spec {
	u := union(map[string]*s.Spec{
		"function": s.Obj(s.Fields{"type": s.Req(s.Str()), "function": named}),
		"custom":   s.Obj(s.Fields{"type": s.Req(s.Str()), "custom": named}),
		"allowed_tools": s.Obj(s.Fields{"type": s.Req(s.Str()), "allowed_tools": s.Req(s.Obj(s.Fields{
			"mode": s.Req(s.OneOf("auto", "required")), "tools": s.Req(s.List(s.Any())),
		}))}),
	})
	u.Enum = []string{"none", "auto", "required"}
	return u
}()

var formatSpec = union(map[string]*s.Spec{
	"text":        s.Obj(s.Fields{"type": s.Req(s.Str())}),
	"json_object": s.Obj(s.Fields{"type": s.Req(s.Str())}),
	"json_schema": s.Obj(s.Fields{"type": s.Req(s.Str()), "json_schema": s.Req(s.Obj(s.Fields{
		"name": s.Req(nameSpec), "description": s.Opt(s.Str()),
		"schema": s.Opt(s.Any()), "strict": s.Opt(s.Flag().OrNull()),
	}))}),
})

// embeddingSpec is the body of POST /v1/embeddings.
var embeddingSpec = s.Obj(s.Fields{
	"input":           s.Req(&s.Spec{Kinds: s.String | s.Array, MinLen: 1, MinItems: 1, MaxItems: maxInputs, Items: &s.Spec{Kinds: s.String | s.Number | s.Array}}),
	"model":           s.Req(s.Str()),
	"dimensions":      s.Opt(s.Int(1)),
	"encoding_format": s.Opt(s.OneOf("float", "base64")),
	"user":            s.Opt(s.Str()),
})

func union(variants map[string]*s.Spec) *s.Spec {
	u := s.Union("type", variants)
	u.HideVariant = true
	return u
}

// parts accepts a string or a list of content parts.
func parts(variants map[string]*s.Spec) *s.Spec {
	return s.List(union(variants)).Also(s.String)
}
