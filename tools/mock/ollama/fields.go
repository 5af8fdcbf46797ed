package ollama

import s "github.com/posterngw/postern/tools/mock/strict"

// null accepts what clients send for what they do not set.
func null(spec *s.Spec) s.Rule { return s.Opt(spec.OrNull()) }

// common are the members of every request for text.
func common(more s.Fields) *s.Spec {
	for name, rule := range (s.Fields{
		"model":      s.Req(s.Str().Len(1, 0)),
		"stream":     null(s.Flag()),
		"format":     null(s.Any().Also(s.String)),
		"options":    null(optionSpec),
		"keep_alive": null(s.Str().Also(s.Number)),
		"think":      null(s.Flag().Also(s.String)),
	}) {
		more[name] = rule
	}
	return s.Obj(more)
}

var chatSpec = common(s.Fields{
	"messages": null(s.List(messageSpec)),
	"tools":    null(s.List(toolSpec)),
})

var generateSpec = common(s.Fields{
	"prompt": null(s.Str()), "suffix": null(s.Str()), "system": null(s.Str()), "template": null(s.Str()),
	"raw": null(s.Flag()), "context": null(s.List(s.Int(0))), "images": null(s.List(s.Str())),
})

var embedSpec = s.Obj(s.Fields{
	"model": s.Req(s.Str().Len(1, 0)), "input": s.Req(s.List(s.Str()).Also(s.String)), "truncate": null(s.Flag()),
	"dimensions": null(s.Int(0)), "options": null(optionSpec), "keep_alive": null(s.Str().Also(s.Number)),
})

var messageSpec = s.Obj(s.Fields{
	"role": s.Req(s.OneOf("system", "user", "assistant", "tool")), "content": null(s.Str()), "thinking": null(s.Str()),
	"images": null(s.List(s.Str())), "tool_name": null(s.Str()), "tool_call_id": null(s.Str()),
	"tool_calls": null(s.List(s.Obj(s.Fields{
		"id": s.Opt(s.Str()),
		"function": s.Req(s.Obj(s.Fields{
			"index": s.Opt(s.Int(0)), "name": s.Req(s.Str()), "arguments": s.Req(s.Any())})),
	}))),
})

var toolSpec = s.Obj(s.Fields{
	"type": s.Opt(s.Str()),
	"function": s.Req(s.Obj(s.Fields{
		"name": s.Req(s.Str()), "description": null(s.Str()), "parameters": null(s.Any())})),
})

var optionSpec = s.Obj(options())

func options() s.Fields {
	out := s.Fields{"stop": null(s.List(s.Str()))}
	for _, name := range []string{"num_keep", "seed", "num_predict", "top_k", "repeat_last_n", "num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "mirostat"} {
		out[name] = null(&s.Spec{Kinds: s.Number, Integer: true})
	}
	for _, name := range []string{"temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty", "mirostat_tau", "mirostat_eta", "tfs_z"} {
		out[name] = null(&s.Spec{Kinds: s.Number})
	}
	for _, name := range []string{"numa", "use_mmap", "penalize_newline", "low_vram", "f16_kv", "vocab_only", "use_mlock"} {
		out[name] = null(s.Flag())
	}
	return out
}
