package gemini

import s "github.com/posterngw/postern/tools/mock/strict"

// generateSpec is the body of generateContent; what only Vertex AI takes is in
// vertexSpec besides.
var generateSpec = s.Obj(generateFields)

var vertexSpec = s.Obj(with(generateFields, s.Fields{
	"labels": s.Opt(s.Any()), "modelArmorConfig": s.Opt(s.Any()),
	"contents": s.Opt(s.List(s.Obj(s.Fields{"role": s.Opt(s.Str()), "parts": s.Opt(s.List(s.Obj(without(partFields, "toolCall", "toolResponse", "partMetadata"))))}))),
}, "store"))

var generateFields = s.Fields{
	"model":             s.Opt(s.Str()),
	"contents":          s.Opt(s.List(contentSpec)),
	"systemInstruction": s.Opt(contentSpec),
	"tools":             s.Opt(s.List(toolSpec)),
	"toolConfig":        s.Opt(toolConfigSpec),
	"safetySettings": s.Opt(s.List(s.Obj(s.Fields{
		"category": s.Opt(harms), "threshold": s.Opt(thresholds), "method": s.Opt(s.OneOf("SEVERITY", "PROBABILITY"))}))),
	"generationConfig": s.Opt(generationSpec),
	"cachedContent":    s.Opt(s.Str()),
	"serviceTier":      s.Opt(s.OneOf("unspecified", "standard", "flex", "priority")),
	"store":            s.Opt(s.Flag()),
}

var harms = s.OneOf("HARM_CATEGORY_UNSPECIFIED", "HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH", "HARM_CATEGORY_SEXUALLY_EXPLICIT",
	"HARM_CATEGORY_DANGEROUS_CONTENT", "HARM_CATEGORY_CIVIC_INTEGRITY", "HARM_CATEGORY_JAILBREAK")

var thresholds = s.OneOf("HARM_BLOCK_THRESHOLD_UNSPECIFIED", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")

var contentSpec = s.Obj(s.Fields{"role": s.Opt(s.Str()), "parts": s.Opt(s.List(s.Obj(partFields)))})

var (
	blobSpec = s.Obj(s.Fields{"mimeType": s.Opt(s.Str()), "data": s.Opt(base64Spec), "displayName": s.Opt(s.Str())})
	fileSpec = s.Obj(s.Fields{"mimeType": s.Opt(s.Str()), "fileUri": s.Opt(s.Str()), "displayName": s.Opt(s.Str())})
)

// base64Spec is a string of base64; check knows it by its identity.
var base64Spec = &s.Spec{Kinds: s.String}

// data are the members of a part that exclude each other.
var data = []string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse"}

var partFields = s.Fields{
	"text": s.Opt(s.Str()), "inlineData": s.Opt(blobSpec), "fileData": s.Opt(fileSpec),
	"functionCall": s.Opt(s.Obj(s.Fields{"id": s.Opt(s.Str()), "name": s.Opt(s.Str()), "args": s.Opt(s.Any())})),
	"functionResponse": s.Opt(s.Obj(s.Fields{
		"id": s.Opt(s.Str()), "name": s.Opt(s.Str()), "response": s.Opt(s.Any()), "willContinue": s.Opt(s.Flag()), "scheduling": s.Opt(s.Str()),
		"parts": s.Opt(s.List(s.Obj(s.Fields{"inlineData": s.Opt(blobSpec), "fileData": s.Opt(fileSpec)})))})),
	"executableCode":      s.Opt(s.Obj(s.Fields{"id": s.Opt(s.Str()), "language": s.Opt(s.Str()), "code": s.Opt(s.Str())})),
	"codeExecutionResult": s.Opt(s.Obj(s.Fields{"id": s.Opt(s.Str()), "outcome": s.Opt(s.Str()), "output": s.Opt(s.Str())})),
	"toolCall":            s.Opt(s.Any()), "toolResponse": s.Opt(s.Any()),
	"thought": s.Opt(s.Flag()), "thoughtSignature": s.Opt(base64Spec), "partMetadata": s.Opt(s.Any()),
	"videoMetadata": s.Opt(s.Any()), "mediaResolution": s.Opt(s.Any()),
}

var toolSpec = s.Obj(s.Fields{
	"functionDeclarations": s.Opt(s.List(s.Obj(s.Fields{
		"name": s.Opt(s.Str()), "description": s.Opt(s.Str()), "behavior": s.Opt(s.OneOf("UNSPECIFIED", "BLOCKING", "NON_BLOCKING")),
		"parameters": s.Opt(schemaSpec), "parametersJsonSchema": s.Opt(&s.Spec{}),
		"response": s.Opt(schemaSpec), "responseJsonSchema": s.Opt(&s.Spec{})}))),
	"googleSearch": s.Opt(s.Any()), "googleSearchRetrieval": s.Opt(s.Any()), "codeExecution": s.Opt(s.Obj(s.Fields{})), "urlContext": s.Opt(s.Any()),
	"googleMaps": s.Opt(s.Any()), "fileSearch": s.Opt(s.Any()), "computerUse": s.Opt(s.Any()), "retrieval": s.Opt(s.Any()), "enterpriseWebSearch": s.Opt(s.Any()),
})

var toolConfigSpec = s.Obj(s.Fields{
	"functionCallingConfig": s.Opt(s.Obj(s.Fields{
		"mode":                        s.Opt(s.OneOf("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")),
		"allowedFunctionNames":        s.Opt(s.List(s.Str())),
		"streamFunctionCallArguments": s.Opt(s.Flag())})),
	"retrievalConfig": s.Opt(s.Any()), "includeServerSideToolInvocations": s.Opt(s.Flag()),
})

// schemaSpec is the subset of OpenAPI 3.0 that the API takes; init closes the circle.
var schemaSpec = s.Obj(nil)

func init() {
	count := s.Opt(s.Int(0).Also(s.String))
	bound := s.Opt(&s.Spec{Kinds: s.Number})
	schemaSpec.Fields = s.Fields{
		"type":   s.Opt(s.OneOf("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL", "string", "number", "integer", "boolean", "array", "object", "null")),
		"format": s.Opt(s.Str()), "title": s.Opt(s.Str()), "description": s.Opt(s.Str()), "nullable": s.Opt(s.Flag()),
		"enum": s.Opt(s.List(s.Str())), "required": s.Opt(s.List(s.Str())), "propertyOrdering": s.Opt(s.List(s.Str())),
		"properties": s.Opt(s.Any()), "items": s.Opt(schemaSpec), "anyOf": s.Opt(s.List(schemaSpec)),
		"minItems": count, "maxItems": count, "minProperties": count, "maxProperties": count, "minLength": count, "maxLength": count,
		"minimum": bound, "maximum": bound, "pattern": s.Opt(s.Str()), "default": s.Opt(&s.Spec{}), "example": s.Opt(&s.Spec{}),
	}
}

var number = &s.Spec{Kinds: s.Number}

var generationSpec = s.Obj(s.Fields{
	"temperature": s.Opt(number), "topP": s.Opt(number), "topK": s.Opt(number), "seed": s.Opt(s.Int(-1 << 31)),
	"candidateCount": s.Opt(s.Int(0)), "maxOutputTokens": s.Opt(s.Int(-1 << 31)), "stopSequences": s.Opt(s.List(s.Str())),
	"presencePenalty": s.Opt(number), "frequencyPenalty": s.Opt(number),
	"responseLogprobs": s.Opt(s.Flag()), "logprobs": s.Opt(s.Int(0)),
	"responseMimeType": s.Opt(s.Str()), "responseSchema": s.Opt(schemaSpec), "responseJsonSchema": s.Opt(&s.Spec{}),
	"responseModalities": s.Opt(s.List(s.OneOf("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO"))),
	"thinkingConfig": s.Opt(s.Obj(s.Fields{
		"includeThoughts": s.Opt(s.Flag()), "thinkingBudget": s.Opt(s.Int(-1)),
		"thinkingLevel": s.Opt(s.OneOf("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "minimal", "low", "medium", "high"))})),
	"mediaResolution": s.Opt(s.Str()), "speechConfig": s.Opt(s.Any()), "imageConfig": s.Opt(s.Any()), "audioTimestamp": s.Opt(s.Flag()),
	"routingConfig": s.Opt(s.Any()), "modelSelectionConfig": s.Opt(s.Any()), "enableEnhancedCivicAnswers": s.Opt(s.Flag()),
	"enableAffectiveDialog": s.Opt(s.Flag()), "responseFormat": s.Opt(&s.Spec{}), "translationConfig": s.Opt(s.Any()),
})

// countSpec is the body of countTokens.
var countSpec = s.Obj(s.Fields{"contents": s.Opt(s.List(contentSpec)), "generateContentRequest": s.Opt(generateSpec)})

var vertexCountSpec = s.Obj(s.Fields{
	"contents": s.Opt(s.List(contentSpec)), "systemInstruction": s.Opt(contentSpec), "tools": s.Opt(s.List(toolSpec)),
	"generationConfig": s.Opt(generationSpec), "model": s.Opt(s.Str()), "instances": s.Opt(s.List(s.Any())),
})

var tasks = s.OneOf("TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING",
	"QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY")

// embedSpec is the body of embedContent, and one request of batchEmbedContents.
var embedSpec = s.Obj(s.Fields{
	"model": s.Opt(s.Str()), "content": s.Opt(contentSpec), "taskType": s.Opt(tasks), "title": s.Opt(s.Str()), "outputDimensionality": s.Opt(s.Int(-1 << 31)),
})

var batchSpec = s.Obj(s.Fields{"requests": s.Opt(s.List(embedSpec))})

// predictSpec is the body of predict. Its instances are free JSON to the API, so
// that their members have one spelling.
var predictSpec = s.Obj(s.Fields{
	"instances": s.Opt(s.List(s.Obj(s.Fields{
		"content": s.Opt(s.Str()), "task_type": s.Opt(tasks), "title": s.Opt(s.Str()), "mimeType": s.Opt(s.Str())}))),
	"parameters": s.Opt(s.Obj(s.Fields{
		"autoTruncate": s.Opt(s.Flag()), "outputDimensionality": s.Opt(s.Int(1)), "mimeType": s.Opt(s.Str())})),
})

// with returns the fields and further ones, less those named.
func with(f, more s.Fields, gone ...string) s.Fields {
	out := without(f, gone...)
	for k, v := range more {
		out[k] = v
	}
	return out
}

func without(f s.Fields, gone ...string) s.Fields {
	out := s.Fields{}
	for k, v := range f {
		out[k] = v
	}
	for _, k := range gone {
		delete(out, k)
	}
	return out
}
