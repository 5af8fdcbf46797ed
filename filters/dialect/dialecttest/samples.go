package dialecttest

import "github.com/posterngw/postern/filters/llm"

// Sample is a canonical value with a name for its test.
type Sample[T any] struct {
	Name  string
	Value T
}

func text(s string) llm.Part { return llm.Part{Text: llm.Escaped(s)} }

func said(role llm.Role, parts ...llm.Part) llm.Message {
	return llm.Message{Role: role, Parts: parts}
}

func called(id, name, arguments string) llm.Part {
	return llm.Part{Kind: llm.ToolCallPart, Call: llm.ToolCall{ID: llm.Escaped(id), Name: llm.Escaped(name), Arguments: llm.Escaped(arguments)}}
}

func resulted(id string, parts ...llm.Part) llm.Part {
	return llm.Part{Kind: llm.ToolResultPart, Result: llm.ToolResult{ID: llm.Escaped(id), Parts: parts}}
}

func asked(edit func(*llm.Request)) llm.Request {
	r := llm.Request{
		Facts:    llm.Facts{Operation: llm.Chat, Model: "m", Choices: 1, MaxTokens: 4096},
		Messages: []llm.Message{said(llm.User, text("Hi"))},
	}
	edit(&r)
	return r
}

// Requests are what every provider codec of an operation either carries or
// refuses with the name of the part.
func Requests(op llm.Operation) []Sample[llm.Request] {
	var list []Sample[llm.Request]
	switch op {
	case llm.Embed:
		return embedRequests()
	case llm.Rerank:
		return rerankRequests()
	}
	for name, edit := range requests {
		list = append(list, Sample[llm.Request]{name, asked(edit)})
	}
	return list
}

var weather = llm.Tool{
	Name: llm.Escaped("weather"), Description: llm.Escaped(`The \"weather\" of a city`),
	Schema: llm.Raw(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
}

var requests = map[string]func(*llm.Request){
	"plain":  func(*llm.Request) {},
	"stream": func(r *llm.Request) { r.Stream = true },
	"escapes": func(r *llm.Request) {
		r.Messages = []llm.Message{said(llm.User, text(`a \"quoted\" line\nand \\ \u00e9 \ud83d\ude00 é 😀 \/`))}
	},
	"instructions": func(r *llm.Request) {
		r.Messages = []llm.Message{said(llm.System, text("Be brief.")), said(llm.Developer, text("Use tools.")), said(llm.User, text("Hi"))}
	},
	"turns": func(r *llm.Request) {
		r.Messages = []llm.Message{
			said(llm.User, text("Hi")), said(llm.Assistant, text("Hello")), said(llm.User, text("a"), text("b")),
		}
	},
	"tools": func(r *llm.Request) {
		r.Tools = []llm.Tool{weather, {Name: llm.Escaped("now"), Schema: llm.Raw(`{"type":"object","properties":{}}`)}}
		r.ToolChoice.Mode = llm.ToolsAuto
		r.Messages = []llm.Message{
			said(llm.User, text("Weather in Paris and Rome?")),
			said(llm.Assistant, text("Let me see."), called("call_1", "weather", `{\"city\":\"Paris\"}`), called("call_2", "now", `{}`)),
			said(llm.ToolRole, resulted("call_1", text("20 C"))),
			said(llm.ToolRole, resulted("call_2", text("noon"))),
		}
	},
	"forced tool": func(r *llm.Request) {
		r.Tools = []llm.Tool{weather}
		serial := false
		r.ToolChoice = llm.ToolChoice{Mode: llm.ToolNamed, Name: llm.Escaped("weather"), Parallel: &serial}
	},
	"required tool": func(r *llm.Request) {
		r.Tools = []llm.Tool{weather}
		r.ToolChoice.Mode = llm.ToolsRequired
	},
	"images": func(r *llm.Request) {
		r.Messages = []llm.Message{said(llm.User, text("What is it?"),
			llm.Part{Kind: llm.ImagePart, Media: llm.Media{URL: llm.Escaped("https://example.com/cat.png")}},
			llm.Part{Kind: llm.ImagePart, Media: llm.Media{Type: llm.Escaped("image/jpeg"), Data: llm.Escaped("/9j/4AAQ")}})}
		r.Images = 2
	},
	"document": func(r *llm.Request) {
		r.Messages = []llm.Message{said(llm.User, llm.Part{Kind: llm.DocumentPart, Media: llm.Media{
			Type: llm.Escaped("application/pdf"), Data: llm.Escaped("JVBERi0="), Name: llm.Escaped("a.pdf")}})}
	},
	"sampling": func(r *llm.Request) {
		r.Sampling = llm.Sampling{Temperature: "0.30", Seed: "7"}
		r.Stop = []llm.Escaped{llm.Escaped("END"), llm.Escaped(`\n\n`)}
		r.User = `u "1"`
	},
	"schema": func(r *llm.Request) {
		r.Format = &llm.Format{Name: llm.Escaped("city"), Strict: true,
			Schema: llm.Raw(`{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}`)}
	},
	"effort": func(r *llm.Request) { r.Reasoning = &llm.Reasoning{Effort: llm.Escaped("high")} },
	"audio": func(r *llm.Request) {
		r.Messages = []llm.Message{said(llm.User, llm.Part{Kind: llm.AudioPart, Media: llm.Media{Type: llm.Escaped("audio/wav"), Data: llm.Escaped("UklGRg==")}})}
	},
	"many": func(r *llm.Request) { r.Choices = 2 },
}

// Answers are whole answers that every client codec of an operation must be
// able to tell.
func Answers(op llm.Operation) []Sample[llm.Answer] {
	switch op {
	case llm.Embed:
		return embedAnswers()
	case llm.Rerank:
		return rerankAnswers()
	}
	usage := llm.Usage{Input: 7, CacheRead: 5, Output: 11, Reasoning: 3, Known: true}
	answer := func(finish llm.Finish, parts ...llm.Part) llm.Answer {
		return llm.Answer{ID: llm.Escaped("a-1"), Model: llm.Escaped("m"), Created: 1700000000,
			Choices: []llm.Choice{{Parts: parts, Finish: finish}}, Usage: usage}
	}
	return []Sample[llm.Answer]{
		{"text", answer(llm.FinishStop, text(`Hi \"there\"\n\u00e9`))},
		{"cut short", answer(llm.FinishLength, text("Once upon"))},
		{"filtered", answer(llm.FinishFilter)},
		{"tools", answer(llm.FinishTool, text("Let me see."), called("c1", "weather", `{\"city\":\"Paris\"}`), called("c2", "now", "{}"))},
		{"input", answer(llm.FinishTool, llm.Part{Kind: llm.ToolCallPart, Call: llm.ToolCall{
			ID: llm.Escaped("c1"), Name: llm.Escaped("f"), Input: llm.Raw("{ \"a\": [1, \"x\\\"y\"]\n}")}})},
		{"reasoning", answer(llm.FinishStop, llm.Part{Kind: llm.ReasoningPart, Text: llm.Escaped("Hm."), Signature: llm.Escaped("c2ln")},
			llm.Part{Kind: llm.ReasoningPart, Redacted: true, Signature: llm.Escaped("b3BhcXVl")}, text("42"))},
	}
}

// Streams are streams of events, well formed, that every client codec of an
// operation must be able to tell.
func Streams(op llm.Operation) []Sample[[]llm.Event] {
	if op != llm.Chat {
		return nil
	}
	block := func(n int, kind llm.PartKind, pieces ...string) []llm.Event {
		list := []llm.Event{{Kind: llm.BlockStart, Block: n, Part: kind}}
		if kind == llm.ToolCallPart {
			list[0].ID, list[0].Name = llm.Escaped("call_"+pieces[0]), llm.Escaped(pieces[0])
			pieces = pieces[1:]
		}
		for _, p := range pieces {
			list = append(list, llm.Event{Kind: llm.Delta, Block: n, Part: kind, Text: llm.Escaped(p)})
		}
		return append(list, llm.Event{Kind: llm.BlockStop, Block: n, Part: kind})
	}
	whole := func(finish llm.Finish, blocks ...[]llm.Event) []llm.Event {
		list := []llm.Event{{Kind: llm.Start, ID: llm.Escaped("a-1"), Name: llm.Escaped("m"), Created: 1700000000}}
		for _, b := range blocks {
			list = append(list, b...)
		}
		return append(list, llm.Event{Kind: llm.FinishEvent, Finish: finish},
			llm.Event{Kind: llm.UsageEvent, Usage: &llm.Usage{Input: 3, CacheRead: 2, Output: 4, Known: true}},
			llm.Event{Kind: llm.End})
	}
	return []Sample[[]llm.Event]{
		{"text", whole(llm.FinishStop, block(0, llm.TextPart, "Hi", `\n\"there\"`, " é"))},
		{"empty", whole(llm.FinishStop)},
		{"tool", whole(llm.FinishTool, block(0, llm.ToolCallPart, "weather", `{\"city\":`, `\"Paris\"}`))},
		{"tools", whole(llm.FinishTool, block(0, llm.TextPart, "Let me see."),
			block(1, llm.ToolCallPart, "weather", `{\"city\":\"Paris\"}`), block(2, llm.ToolCallPart, "now", "{}"))},
		{"reasoning", whole(llm.FinishStop, block(0, llm.ReasoningPart, "Hm", ", yes."), block(1, llm.TextPart, "42"))},
		{"length", whole(llm.FinishLength, block(0, llm.TextPart, "Once"))},
	}
}
