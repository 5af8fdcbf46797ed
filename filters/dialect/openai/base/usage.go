package base

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// counts is a usage object as it is written.
type counts struct {
	prompt, completion, total                    int64
	cached, cacheWrite, audioIn, hit             int64
	reasoning, audioOut                          int64
	hasPrompt, hasCompletion, hasTotal, hasCache bool
}

// ReadUsage reads a usage object into disjoint buckets; false when it is none.
// tier is the answer's service_tier, as it is written; absent it is the standard
// one. The responses API says input_tokens and output_tokens.
//
// prompt_tokens includes cached, written and audio tokens, completion_tokens
// includes reasoning and audio ones. One server differs and is found by its own
// sum: where total_tokens is prompt, completion and reasoning together (xAI),
// completion_tokens does not include reasoning. A part that is larger than its
// whole is cut, so no bucket is negative and the sums hold.
func ReadUsage(raw, tier []byte) (llm.Usage, bool) {
	var c counts
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "prompt_tokens", "input_tokens":
			c.prompt, c.hasPrompt = tokens(&it)
		case "completion_tokens", "output_tokens":
			c.completion, c.hasCompletion = tokens(&it)
		case "total_tokens":
			c.total, c.hasTotal = tokens(&it)
		case "prompt_tokens_details", "input_tokens_details":
			c.promptDetails(it.Value())
		case "completion_tokens_details", "output_tokens_details":
			c.completionDetails(it.Value())
		case "prompt_cache_hit_tokens": // DeepSeek
			c.hit, _ = tokens(&it)
		}
	}
	if !c.hasPrompt && !c.hasCompletion {
		return llm.Usage{}, false
	}
	u := c.buckets()
	u.Tier = llm.TierOf(jsonx.Interior(tier))
	return u, true
}

func (c *counts) promptDetails(raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "cached_tokens":
			c.cached, c.hasCache = tokens(&it)
		case "cache_write_tokens":
			c.cacheWrite, _ = tokens(&it)
		case "audio_tokens":
			c.audioIn, _ = tokens(&it)
		}
	}
}

func (c *counts) completionDetails(raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "reasoning_tokens":
			c.reasoning, _ = tokens(&it)
		case "audio_tokens":
			c.audioOut, _ = tokens(&it)
		}
	}
}

func tokens(it *jsonx.Iter) (int64, bool) {
	n, ok := jsonx.Int(it.Value())
	return dialect.Tokens(n), ok
}

func (c *counts) buckets() llm.Usage {
	if !c.hasCache {
		c.cached = c.hit
	}
	if c.hasTotal && c.reasoning > 0 && c.total == c.prompt+c.completion+c.reasoning {
		c.completion += c.reasoning
	}
	u := llm.Usage{Input: c.prompt, Output: c.completion, Known: true}
	u.CacheRead = dialect.Take(&u.Input, c.cached)
	u.CacheWrite = dialect.Take(&u.Input, c.cacheWrite)
	u.InputAudio = dialect.Take(&u.Input, c.audioIn)
	u.Reasoning = dialect.Take(&u.Output, c.reasoning)
	u.OutputAudio = dialect.Take(&u.Output, c.audioOut)
	return u
}

// WriteUsage writes the usage member in OpenAI's convention.
func WriteUsage(w *dialect.Writer, u *llm.Usage) {
	w.Object("usage")
	w.Int("prompt_tokens", u.InputTotal())
	w.Int("completion_tokens", u.OutputTotal())
	w.Int("total_tokens", u.Total())
	w.Object("prompt_tokens_details")
	w.Int("cached_tokens", u.CacheRead)
	if u.Written() > 0 {
		w.Int("cache_write_tokens", u.Written())
	}
	w.Int("audio_tokens", u.InputAudio)
	w.Close('}')
	w.Object("completion_tokens_details")
	w.Int("reasoning_tokens", u.Reasoning)
	w.Int("audio_tokens", u.OutputAudio)
	w.Close('}')
	w.Close('}')
}
