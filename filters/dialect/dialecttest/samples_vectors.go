package dialecttest

import "github.com/posterngw/postern/filters/llm"

func embedRequests() []Sample[llm.Request] {
	ask := func(name string, edit func(*llm.Request), inputs ...llm.Part) Sample[llm.Request] {
		r := llm.Request{Facts: llm.Facts{Operation: llm.Embed, Model: "m", Choices: 1}, Embed: &llm.EmbedRequest{Inputs: inputs}}
		if edit != nil {
			edit(&r)
		}
		return Sample[llm.Request]{name, r}
	}
	image := llm.Part{Kind: llm.ImagePart, Media: llm.Media{Type: llm.Escaped("image/png"), Data: llm.Escaped("iVBORw0KGgo=")}}
	return []Sample[llm.Request]{
		ask("text", nil, text("Hi")),
		ask("texts", nil, text("a"), text(`\"b\" \u00e9`), text("c")),
		ask("dimensions", func(r *llm.Request) { r.Embed.Dimensions = "256" }, text("a")),
		ask("base64", func(r *llm.Request) { r.Base64 = true }, text("a")),
		ask("task", func(r *llm.Request) { r.Embed.Task = llm.Escaped("search_query") }, text("a")),
		ask("image", func(r *llm.Request) { r.Images = 1 }, image),
		ask("tokens", nil, llm.Part{Kind: llm.OtherPart, Other: llm.Raw("[1,2,3]")}),
	}
}

func embedAnswers() []Sample[llm.Answer] {
	answer := func(vectors ...llm.Vector) llm.Answer {
		return llm.Answer{ID: llm.Escaped("e-1"), Model: llm.Escaped("m"), Vectors: vectors, Usage: llm.Usage{Input: 7, Known: true}}
	}
	return []Sample[llm.Answer]{
		{"vector", answer(llm.Vector{Values: llm.Raw("[0.1,-2.50,3e-05]")})},
		{"vectors", answer(llm.Vector{Values: llm.Raw("[1,2]")}, llm.Vector{Index: 1, Values: llm.Raw("[3,4]")})},
		{"base64", answer(llm.Vector{Base64: llm.Escaped("AACAPwAAAEA=")}, llm.Vector{Index: 1, Base64: llm.Escaped("AABAQAAAgEA=")})},
	}
}

func rerankRequests() []Sample[llm.Request] {
	ask := func(name string, top llm.Number, documents ...string) Sample[llm.Request] {
		q := &llm.RerankRequest{Query: llm.Escaped(`What is \"it\"?`), Top: top}
		for _, d := range documents {
			q.Documents = append(q.Documents, llm.Escaped(d))
		}
		return Sample[llm.Request]{name, llm.Request{Facts: llm.Facts{Operation: llm.Rerank, Model: "m", Choices: 1}, Rerank: q}}
	}
	return []Sample[llm.Request]{ask("documents", "", "a", `b\n`), ask("top", "1", "a", "b", "c")}
}

func rerankAnswers() []Sample[llm.Answer] {
	return []Sample[llm.Answer]{{"ranks", llm.Answer{ID: llm.Escaped("r-1"),
		Ranks: []llm.Rank{{Index: 1, Score: "0.98"}, {Index: 0, Score: "1.5e-05", Text: llm.Escaped("a")}}}}}
}
