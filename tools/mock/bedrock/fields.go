package bedrock

import s "github.com/posterngw/postern/tools/mock/strict"

// converseSpec is the body of Converse (API reference; members of ConverseInput).
var converseSpec = s.Obj(s.Fields{
	"messages":                          s.Req(s.List(messageSpec).Count(1, 100_000)),
	"system":                            s.Opt(s.List(s.Obj(s.Fields{"text": s.Opt(s.Str().Len(1, 0)), "cachePoint": point, "guardContent": s.Opt(s.Any())}))),
	"inferenceConfig":                   s.Opt(inferenceSpec),
	"toolConfig":                        s.Opt(toolsSpec),
	"additionalModelRequestFields":      s.Opt(s.Any()),
	"additionalModelResponseFieldPaths": s.Opt(s.List(s.Str().Len(1, 256)).Count(0, 10)),
	"guardrailConfig":                   s.Opt(s.Any()),
	"performanceConfig":                 s.Opt(s.Obj(s.Fields{"latency": s.Opt(s.OneOf("standard", "optimized"))})),
	"promptVariables":                   s.Opt(s.Any()),
	"requestMetadata":                   s.Opt(s.Any()),
	"serviceTier":                       s.Opt(s.Obj(s.Fields{"type": s.Req(s.OneOf("default", "priority", "flex", "reserved"))})),
	"outputConfig":                      s.Opt(s.Obj(s.Fields{"textFormat": s.Opt(formatSpec), "effort": s.Opt(s.Str())})),
})

var inferenceSpec = s.Obj(s.Fields{
	"maxTokens": s.Opt(s.Int(1)), "temperature": s.Opt(s.Num(0, 1)), "topP": s.Opt(s.Num(0, 1)),
	"stopSequences": s.Opt(s.List(s.Str().Len(1, 0)).Count(0, 2500)),
})

var formatSpec = s.Obj(s.Fields{
	"type": s.Req(s.OneOf("json_schema")),
	"structure": s.Req(s.Obj(s.Fields{"jsonSchema": s.Req(s.Obj(s.Fields{
		"schema": s.Req(s.Str()), "name": s.Opt(s.Str()), "description": s.Opt(s.Str())}))})),
})

var point = s.Opt(s.Obj(s.Fields{"type": s.Req(s.OneOf("default")), "ttl": s.Opt(s.OneOf("5m", "1h"))}))

var source = s.Req(s.Obj(s.Fields{
	"bytes": s.Opt(s.Str().Len(1, 0)), "s3Location": s.Opt(s.Obj(s.Fields{"uri": s.Req(s.Str()), "bucketOwner": s.Opt(s.Str())})),
	"text": s.Opt(s.Str()), "content": s.Opt(s.List(s.Any())),
}))

var (
	imageSpec    = s.Opt(s.Obj(s.Fields{"format": s.Req(s.OneOf("png", "jpeg", "gif", "webp")), "source": source}))
	documentSpec = s.Opt(s.Obj(s.Fields{
		"format": s.Opt(s.OneOf("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md")),
		"name":   s.Req(s.Str().Len(1, 200)), "source": source, "context": s.Opt(s.Str()), "citations": s.Opt(s.Any()),
	}))
	videoSpec = s.Opt(s.Obj(s.Fields{"format": s.Req(s.Str()), "source": source}))
)

var messageSpec = s.Obj(s.Fields{"role": s.Req(s.OneOf("user", "assistant")), "content": s.Req(s.List(blockSpec))})

var blockSpec = s.Obj(s.Fields{
	"text": s.Opt(s.Str()), "image": imageSpec, "document": documentSpec, "video": videoSpec, "audio": videoSpec, "cachePoint": point,
	"guardContent": s.Opt(s.Any()), "citationsContent": s.Opt(s.Any()), "searchResult": s.Opt(s.Any()),
	"reasoningContent": s.Opt(s.Obj(s.Fields{
		"reasoningText":   s.Opt(s.Obj(s.Fields{"text": s.Req(s.Str()), "signature": s.Opt(s.Str())})),
		"redactedContent": s.Opt(s.Str()),
	})),
	"toolUse": s.Opt(s.Obj(s.Fields{
		"toolUseId": s.Req(s.Str().Len(1, 64)), "name": s.Req(nameSpec), "input": s.Req(s.Any()), "type": s.Opt(s.Str())})),
	"toolResult": s.Opt(s.Obj(s.Fields{
		"toolUseId": s.Req(s.Str().Len(1, 64)), "status": s.Opt(s.OneOf("success", "error")), "type": s.Opt(s.Str()),
		"content": s.Req(s.List(s.Obj(s.Fields{
			"text": s.Opt(s.Str()), "json": s.Opt(&s.Spec{}), "image": imageSpec, "document": documentSpec, "video": videoSpec, "searchResult": s.Opt(s.Any()),
		}))),
	})),
})

var nameSpec = &s.Spec{Kinds: s.String, MinLen: 1, MaxLen: 64, Name: true}

var toolsSpec = s.Obj(s.Fields{
	"tools": s.Req(s.List(s.Obj(s.Fields{
		"cachePoint": point, "systemTool": s.Opt(s.Obj(s.Fields{"name": s.Req(s.Str())})),
		"toolSpec": s.Opt(s.Obj(s.Fields{
			"name": s.Req(nameSpec), "description": s.Opt(s.Str().Len(1, 0)), "strict": s.Opt(s.Flag()),
			"inputSchema": s.Req(s.Obj(s.Fields{"json": s.Req(s.Any())})),
		})),
	})).Count(1, 0)),
	"toolChoice": s.Opt(s.Obj(s.Fields{"auto": s.Opt(s.Any()), "any": s.Opt(s.Any()), "tool": s.Opt(s.Obj(s.Fields{"name": s.Req(nameSpec)}))})),
})
