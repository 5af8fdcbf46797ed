package anthropic

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// counts is a usage object. A stream sends one at its start and another at its
// end, whose numbers are totals: what the later one names replaces the earlier.
type counts struct {
	input, cacheRead, cacheWrite, hour, output, thinking int64
	tier                                                 llm.Tier
	known                                                bool
}

// read takes the counts that a usage object names.
func (c *counts) read(raw []byte) {
	for it := jsonx.Members(raw); it.Next(); {
		switch string(dialect.Name(&it)) {
		case "input_tokens":
			c.set(&c.input, it.Value())
		case "cache_read_input_tokens":
			c.set(&c.cacheRead, it.Value())
		case "cache_creation_input_tokens":
			c.set(&c.cacheWrite, it.Value())
		case "cache_creation":
			if raw, ok := jsonx.Lookup(it.Value(), "ephemeral_1h_input_tokens"); ok {
				c.set(&c.hour, raw)
			}
		case "service_tier":
			c.tier = llm.TierOf(jsonx.Interior(it.Value()))
		case "output_tokens":
			c.set(&c.output, it.Value())
		case "output_tokens_details":
			if raw, ok := jsonx.Lookup(it.Value(), "thinking_tokens"); ok {
				c.set(&c.thinking, raw)
			}
		}
	}
}

func (c *counts) set(to *int64, raw []byte) {
	if n, ok := jsonx.Int(raw); ok {
		*to = dialect.Tokens(n)
		c.known = true
	}
}

// usage returns disjoint buckets: input_tokens excludes the cached ones already,
// output_tokens includes the thinking, and what is written to the cache includes
// what is to stay for an hour.
func (c *counts) usage() llm.Usage {
	thinking, hour := min(c.thinking, c.output), min(c.hour, c.cacheWrite)
	return llm.Usage{
		Input: c.input, CacheRead: c.cacheRead, CacheWrite: c.cacheWrite - hour, CacheWriteHour: hour,
		Output: c.output - thinking, Reasoning: thinking, Tier: c.tier, Known: c.known,
	}
}
