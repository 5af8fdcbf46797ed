package cohere

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// counts is usage as the API tells it: what the model read and wrote (tokens),
// and what of that is paid for (billed_units). Embeddings have only the latter.
type counts struct {
	input, output, cached    int64
	billedInput, billedOther int64
	tokens, billed           bool
}

// usageOf reads usage, or version 1's meta. Tokens read from the cache are among
// those of the input; of counts that are only billed, those are told.
func usageOf(raw []byte) llm.Usage {
	var c counts
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "tokens":
			c.tokens = read(it.Value(), &c.input, &c.output) || c.tokens
		case "billed_units":
			c.billed = read(it.Value(), &c.billedInput, &c.billedOther) || c.billed
		case "cached_tokens":
			set(&c.cached, it.Value())
		}
	}
	if !c.tokens {
		return llm.Usage{Input: c.billedInput, Output: c.billedOther, Known: c.billed}
	}
	cached := min(c.cached, c.input)
	return llm.Usage{Input: c.input - cached, CacheRead: cached, Output: c.output, Known: true}
}

// read reads the counts of one kind, and reports whether there are any.
func read(raw []byte, input, output *int64) (found bool) {
	for it := jsonx.Members(raw); it.Next(); {
		var n int64
		switch string(dialect.Name(&it)) {
		case "input_tokens", "image_tokens":
			if set(&n, it.Value()) {
				*input, found = *input+n, true
			}
		case "output_tokens":
			if set(&n, it.Value()) {
				*output, found = n, true
			}
		}
	}
	return found
}

func set(to *int64, raw []byte) bool {
	n, ok := jsonx.Int(raw)
	if ok {
		*to = dialect.Tokens(n)
	}
	return ok
}

// writeUsage writes the members of usage or meta. Reasoning and audio count as
// the rest does, what is written to a cache as read.
func writeUsage(w *dialect.Writer, u *llm.Usage) {
	for _, part := range []string{"billed_units", "tokens"} {
		w.Object(part)
		w.Int("input_tokens", u.InputTotal())
		w.Int("output_tokens", u.OutputTotal())
		w.Close('}')
	}
	if u.CacheRead > 0 {
		w.Int("cached_tokens", u.CacheRead)
	}
}
