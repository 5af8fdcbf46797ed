package openai

import s "github.com/posterngw/postern/tools/mock/strict"

// responseSpec is the body of POST /v1/responses (API reference "Create a model
// response"; members of openai-go's ResponseNewParams).
var responseSpec = s.Obj(s.Fields{
	"model":                  s.Req(s.Str()),
	"input":                  s.Opt(s.List(itemSpec).Also(s.String)),
	"background":             s.Opt(s.Flag().OrNull()),
	"context_management":     s.Opt(s.List(s.Any()).OrNull()),
	"conversation":           s.Opt(s.Obj(s.Fields{"id": s.Req(s.Str())}).Also(s.String).OrNull()),
	"include":                s.Opt(s.List(s.OneOf(includes...)).OrNull()),
	"instructions":           s.Opt(s.Str().OrNull()),
	"max_output_tokens":      s.Opt(s.Int(16).OrNull()),
	"max_tool_calls":         s.Opt(s.Int(1).OrNull()),
	"metadata":               s.Opt(s.Any().OrNull()),
	"moderation":             s.Opt(s.Any()),
	"parallel_tool_calls":    s.Opt(s.Flag().OrNull()),
	"previous_response_id":   s.Opt(s.Str().OrNull()),
	"prompt":                 s.Opt(s.Any().OrNull()),
	"prompt_cache_key":       s.Opt(s.Str()),
	"prompt_cache_options":   s.Opt(s.Any()),
	"prompt_cache_retention": s.Opt(s.OneOf("in_memory", "24h").OrNull()),
	"reasoning": s.Opt(s.Obj(s.Fields{
		"effort":           s.Opt(s.OneOf("none", "minimal", "low", "medium", "high", "xhigh", "max").OrNull()),
		"summary":          s.Opt(s.OneOf("auto", "concise", "detailed").OrNull()),
		"generate_summary": s.Opt(s.OneOf("auto", "concise", "detailed").OrNull()),
		"context":          s.Opt(s.Str().OrNull()),
		"mode":             s.Opt(s.Str().OrNull()),
	}).OrNull()),
	"safety_identifier": s.Opt(s.Str().Len(0, 128)),
	"service_tier":      s.Opt(s.OneOf("auto", "default", "flex", "scale", "priority", "fast").OrNull()),
	"store":             s.Opt(s.Flag().OrNull()),
	"stream":            s.Opt(s.Flag().OrNull()),
	"stream_options":    s.Opt(s.Obj(s.Fields{"include_obfuscation": s.Opt(s.Flag())}).OrNull()),
	"temperature":       s.Opt(s.Num(0, 2).OrNull()),
	"text": s.Opt(s.Obj(s.Fields{
		"format":    s.Opt(textFormatSpec),
		"verbosity": s.Opt(s.OneOf("low", "medium", "high").OrNull()),
	})),
	"tool_choice":  s.Opt(responseChoiceSpec.Also(s.String)),
	"tools":        s.Opt(s.List(responseToolSpec).Count(0, 128)),
	"top_logprobs": s.Opt(s.IntIn(0, 20).OrNull()),
	"top_p":        s.Opt(s.Num(0, 1).OrNull()),
	"truncation":   s.Opt(s.OneOf("auto", "disabled").OrNull()),
	"user":         s.Opt(s.Str()),
})

// What include may name; the first two have a meaning here.
const (
	includeEncrypted = "reasoning.encrypted_content"
	includeLogprobs  = "message.output_text.logprobs"
)

var includes = []string{
	includeEncrypted, includeLogprobs, "file_search_call.results", "web_search_call.results",
	"web_search_call.action.sources", "message.input_image.image_url",
	"computer_call_output.output.image_url", "code_interpreter_call.outputs",
}

// itemSpec is one item of the input; one without a type is a message.
var itemSpec = func() *s.Spec {
	open := s.Obj(nil)
	u := union(map[string]*s.Spec{
		"message": s.Obj(s.Fields{
			"type": s.Opt(s.Str()), "role": s.Req(s.OneOf("assistant", "system", "developer", "user")),
			"content": s.Req(parts(inputParts)), "id": s.Opt(s.Str()), "phase": s.Opt(s.Str().OrNull()),
			"status": s.Opt(s.OneOf("in_progress", "completed", "incomplete")),
		}),
		"function_call": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "call_id": s.Req(s.Str().Len(1, 64)), "name": s.Req(s.Str()), "arguments": s.Req(s.Str()),
			"id": s.Opt(s.Str()), "namespace": s.Opt(s.Str()), "status": s.Opt(s.Str()),
		}),
		"function_call_output": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "call_id": s.Req(s.Str().Len(1, 64)), "output": s.Req(parts(inputParts)),
			"id": s.Opt(s.Str().OrNull()), "status": s.Opt(s.Str().OrNull()),
		}),
		"custom_tool_call": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "call_id": s.Req(s.Str()), "name": s.Req(s.Str()), "input": s.Req(s.Str()), "id": s.Opt(s.Str()),
			"status": s.Opt(s.Str()),
		}),
		"custom_tool_call_output": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "call_id": s.Req(s.Str()), "output": s.Req(parts(inputParts)), "id": s.Opt(s.Str()),
		}),
		"reasoning": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "id": s.Req(s.Str()), "summary": s.Req(s.List(s.Obj(s.Fields{"type": s.Req(s.OneOf("summary_text")), "text": s.Req(s.Str())}))),
			"content":           s.Opt(s.List(s.Any()).OrNull()),
			"encrypted_content": s.Opt(s.Str().OrNull()), "status": s.Opt(s.Str().OrNull()),
		}),
		"item_reference": s.Obj(s.Fields{"type": s.Opt(s.Str()), "id": s.Req(s.Str())}),
		// What OpenAI's own tools left behind; its fields are not looked at.
		"web_search_call": open, "file_search_call": open, "code_interpreter_call": open, "image_generation_call": open,
		"mcp_call": open, "mcp_list_tools": open, "computer_call": open, "compaction": open,
	})
	u.TagDefault = "message"
	return u
}()

var inputParts = map[string]*s.Spec{
	"input_text":  s.Obj(s.Fields{"type": s.Req(s.Str()), "text": s.Req(s.Str()), "prompt_cache_breakpoint": breakpoint}),
	"output_text": s.Obj(s.Fields{"type": s.Req(s.Str()), "text": s.Req(s.Str()), "annotations": s.Opt(s.List(s.Any())), "logprobs": s.Opt(s.List(s.Any()).OrNull())}),
	"refusal":     refusalPart,
	"input_image": s.Obj(s.Fields{
		"type": s.Req(s.Str()), "image_url": s.Opt(s.Str().OrNull()), "file_id": s.Opt(s.Str().OrNull()),
		"detail": s.Opt(s.OneOf("auto", "low", "high", "original").OrNull()), "prompt_cache_breakpoint": breakpoint,
	}),
	"input_file": s.Obj(s.Fields{
		"type": s.Req(s.Str()), "file_id": s.Opt(s.Str().OrNull()), "file_data": s.Opt(s.Str()), "file_url": s.Opt(s.Str()),
		"filename": s.Opt(s.Str()), "detail": s.Opt(s.Str()), "prompt_cache_breakpoint": breakpoint,
	}),
}

var responseToolSpec = func() *s.Spec {
	variants := map[string]*s.Spec{
		"function": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "name": s.Req(nameSpec), "description": s.Opt(s.Str().OrNull()),
			"parameters": s.Opt(s.Any().OrNull()), "strict": s.Opt(s.Flag().OrNull()),
		}),
		"custom": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "name": s.Req(nameSpec), "description": s.Opt(s.Str()), "format": s.Opt(s.Any()),
		}),
	}
	for _, name := range hosted {
		variants[name] = s.Obj(nil)
	}
	return union(variants)
}()

// hosted are the tools that OpenAI runs.
var hosted = []string{
	"web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "mcp",
	"computer_use_preview", "local_shell", "shell", "apply_patch",
}

var responseChoiceSpec = func() *s.Spec {
	variants := map[string]*s.Spec{
		"function": s.Obj(s.Fields{"type": s.Req(s.Str()), "name": s.Req(s.Str())}),
		"custom":   s.Obj(s.Fields{"type": s.Req(s.Str()), "name": s.Req(s.Str())}),
		"allowed_tools": s.Obj(s.Fields{
			"type": s.Req(s.Str()), "mode": s.Req(s.OneOf("auto", "required")), "tools": s.Req(s.List(s.Any())),
		}),
	}
	for _, name := range hosted {
		variants[name] = s.Obj(nil)
	}
	u := union(variants)
	u.Enum = []string{"none", "auto", "required"}
	return u
}()

var textFormatSpec = union(map[string]*s.Spec{
	"text":        s.Obj(s.Fields{"type": s.Req(s.Str())}),
	"json_object": s.Obj(s.Fields{"type": s.Req(s.Str())}),
	"json_schema": s.Obj(s.Fields{
		"type": s.Req(s.Str()), "name": s.Req(nameSpec), "description": s.Opt(s.Str()),
		"schema": s.Req(s.Any()), "strict": s.Opt(s.Flag().OrNull()),
	}),
})
