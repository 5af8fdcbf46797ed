package gemini

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// readLogprobs turns a logprobsResult into what the vocabulary holds: the tokens in
// their order, each with its alternatives.
func readLogprobs(raw []byte) llm.Raw {
	var w dialect.Writer
	w.Begin('{')
	w.Array("content")
	others := jsonx.Elements(get(raw, "topCandidates"))
	for it := jsonx.Elements(get(raw, "chosenCandidates")); it.Next(); {
		w.Open('{')
		readToken(&w, it.Value())
		w.Array("top_logprobs")
		if others.Next() {
			for k := jsonx.Elements(get(others.Value(), "candidates")); k.Next(); {
				w.Open('{')
				readToken(&w, k.Value())
				w.Close('}')
			}
		}
		w.Close(']')
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
	return w.B
}

func readToken(w *dialect.Writer, raw []byte) {
	w.Text("token", getText(raw, "token"))
	p := number(get(raw, "logProbability"))
	if p == "" {
		p = "0"
	}
	w.Number("logprob", p)
	w.Literal("bytes", "null")
}

// writeLogprobs writes a logprobsResult.
func writeLogprobs(w *dialect.Writer, raw llm.Raw) {
	content, _ := jsonx.Lookup(raw, "content")
	if jsonx.KindOf(content) != jsonx.Array {
		return
	}
	w.Object("logprobsResult")
	w.Array("topCandidates")
	for it := jsonx.Elements(content); it.Next(); {
		others, _ := jsonx.Lookup(it.Value(), "top_logprobs")
		w.Open('{')
		w.Array("candidates")
		for k := jsonx.Elements(others); k.Next(); {
			writeToken(w, k.Value())
		}
		w.Close(']')
		w.Close('}')
	}
	w.Close(']')
	w.Array("chosenCandidates")
	for it := jsonx.Elements(content); it.Next(); {
		writeToken(w, it.Value())
	}
	w.Close(']')
	w.Close('}')
}

func writeToken(w *dialect.Writer, raw []byte) {
	token, _ := jsonx.Lookup(raw, "token")
	p, _ := jsonx.Lookup(raw, "logprob")
	w.Open('{')
	w.Text("token", jsonx.Interior(token))
	w.Number("logProbability", number(p))
	w.Close('}')
}
