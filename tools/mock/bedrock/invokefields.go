package bedrock

import (
	"maps"

	s "github.com/posterngw/postern/tools/mock/strict"
)

// The bodies of InvokeModel by family, as recorded requests have them and Amazon's
// guides list them ("Inference request parameters and response fields for foundation
// models" of the Bedrock user guide, and of Nova's "Using the Invoke API").

var novaSpec = s.Obj(s.Fields{
	"schemaVersion": s.Opt(s.OneOf("messages-v1")),
	"messages":      converseSpec.Fields["messages"],
	"system":        converseSpec.Fields["system"],
	"toolConfig":    converseSpec.Fields["toolConfig"],
	"inferenceConfig": s.Opt(s.Obj(with(inferenceSpec.Fields, s.Fields{
		"topK": s.Opt(s.IntIn(0, 128)), "max_new_tokens": s.Opt(s.Int(1)), "reasoningConfig": s.Opt(s.Any()),
	}))),
})

func with(fields, more s.Fields) s.Fields {
	out := maps.Clone(fields)
	maps.Copy(out, more)
	return out
}

var llamaSpec = s.Obj(s.Fields{
	"prompt": s.Req(s.Str()), "max_gen_len": s.Opt(s.IntIn(1, 2048)), "temperature": s.Opt(s.Num(0, 1)), "top_p": s.Opt(s.Num(0, 1)),
	"images": s.Opt(s.List(s.Str())),
})

var mistralSpec = s.Obj(s.Fields{
	"prompt": s.Req(s.Str()), "max_tokens": s.Opt(s.IntIn(1, 8192)), "temperature": s.Opt(s.Num(0, 1)), "top_p": s.Opt(s.Num(0, 1)),
	"top_k": s.Opt(s.IntIn(1, 200)), "stop": s.Opt(s.List(s.Str()).Count(0, 10)),
})

var titanSpec = s.Obj(s.Fields{
	"inputText": s.Req(s.Str()),
	"textGenerationConfig": s.Opt(s.Obj(s.Fields{
		"maxTokenCount": s.Opt(s.IntIn(0, 8192)), "temperature": s.Opt(s.Num(0, 1)), "topP": s.Opt(s.Num(0, 1)), "stopSequences": s.Opt(s.List(s.Str())),
	})),
})

var commandSpec = s.Obj(s.Fields{
	"message": s.Req(s.Str()),
	"chat_history": s.Opt(s.List(s.Obj(s.Fields{
		"role": s.Req(s.OneOf("USER", "CHATBOT")), "message": s.Req(s.Str())}))),
	"preamble": s.Opt(s.Str()), "documents": s.Opt(s.List(s.Any())), "search_queries_only": s.Opt(s.Flag()),
	"max_tokens": s.Opt(s.IntIn(1, 4096)), "temperature": s.Opt(s.Num(0, 1)), "p": s.Opt(s.Num(0.01, 0.99)), "k": s.Opt(s.IntIn(0, 500)),
	"prompt_truncation": s.Opt(s.OneOf("OFF", "AUTO_PRESERVE_ORDER")), "frequency_penalty": s.Opt(s.Num(0, 1)), "presence_penalty": s.Opt(s.Num(0, 1)),
	"seed": s.Opt(s.Int(0)), "return_prompt": s.Opt(s.Flag()), "tools": s.Opt(s.List(s.Any())), "tool_results": s.Opt(s.List(s.Any())),
	"stop_sequences": s.Opt(s.List(s.Str())), "raw_prompting": s.Opt(s.Flag()),
})

// titanEmbedSpec is Titan's second version; the first has the text alone.
var titanEmbedSpec = s.Obj(s.Fields{
	"inputText": s.Req(s.Str().Len(1, 50_000)), "dimensions": s.Opt(s.IntIn(256, 1024)), "normalize": s.Opt(s.Flag()),
	"embeddingTypes": s.Opt(s.List(s.OneOf("float", "binary"))),
})

var titanEmbedFirstSpec = s.Obj(s.Fields{"inputText": s.Req(s.Str().Len(1, 50_000))})

var embedTypes = s.Opt(s.List(s.OneOf("float", "int8", "uint8", "binary", "ubinary")))

// cohereEmbedSpec is version 3; the fourth has a size.
var cohereEmbedSpec = s.Obj(s.Fields{
	"texts": s.Req(s.List(s.Str().Len(0, 2048)).Count(1, 96)), "truncate": s.Opt(s.OneOf("NONE", "START", "END")), "embedding_types": embedTypes,
	"input_type": s.Req(s.OneOf("search_document", "search_query", "classification", "clustering", "image")),
})

var cohereEmbedFourthSpec = s.Obj(with(cohereEmbedSpec.Fields, s.Fields{
	"output_dimension": s.Opt(s.IntIn(256, 1536)), "max_tokens": s.Opt(s.Int(1)),
}))
