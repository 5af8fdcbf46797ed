package gemini

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// counts is a usageMetadata object as it is written.
type counts struct {
	prompt, cached, candidates, thoughts, tools, total int64
	audioIn, audioCached, audioOut                     int64
	tier                                               llm.Tier
	known                                              bool
}

// read takes the counts of a usageMetadata object; the first chunks of a stream on
// Vertex have one without any.
func (c *counts) read(raw []byte) {
	*c = counts{}
	for it := jsonx.Members(raw); it.Next(); {
		switch field(&it) {
		case "promptTokenCount":
			c.set(&c.prompt, it.Value())
		case "cachedContentTokenCount":
			c.set(&c.cached, it.Value())
		case "candidatesTokenCount", "responseTokenCount":
			c.set(&c.candidates, it.Value())
		case "thoughtsTokenCount":
			c.set(&c.thoughts, it.Value())
		case "toolUsePromptTokenCount":
			c.set(&c.tools, it.Value())
		case "totalTokenCount":
			c.set(&c.total, it.Value())
		case "promptTokensDetails":
			c.audioIn = audioOf(it.Value())
		case "cacheTokensDetails":
			c.audioCached = audioOf(it.Value())
		case "candidatesTokensDetails":
			c.audioOut = audioOf(it.Value())
		case "trafficType":
			c.tier = tierOf(jsonx.Interior(it.Value()))
		}
	}
}

func (c *counts) set(to *int64, raw []byte) {
	if n, ok := jsonx.Int([]byte(number(raw))); ok {
		*to = dialect.Tokens(n)
		c.known = true
	}
}

// tierOf reads trafficType, which only Vertex has.
func tierOf(word []byte) llm.Tier {
	switch string(word) {
	case "ON_DEMAND_FLEX":
		return llm.FlexTier
	case "ON_DEMAND_PRIORITY":
		return llm.PriorityTier
	case "PROVISIONED_THROUGHPUT":
		return llm.ReservedTier
	}
	return llm.StandardTier
}

// audioOf sums the tokens of modality AUDIO, which is 4 where enums are numbers.
func audioOf(list []byte) int64 {
	var sum int64
	for it := jsonx.Elements(list); it.Next(); {
		modality := get(it.Value(), "modality")
		if !jsonx.Equal(jsonx.Interior(modality), "AUDIO") && string(modality) != "4" {
			continue
		}
		n, _ := jsonx.Int([]byte(number(get(it.Value(), "tokenCount"))))
		sum = dialect.Tokens(sum + dialect.Tokens(n))
	}
	return sum
}

// usage returns disjoint buckets. promptTokenCount includes the cached tokens and
// those of audio; what tools of the provider fed in, and thoughts, are counted apart.
// Where the total says that the candidates include the thoughts, they do.
func (c *counts) usage() llm.Usage {
	if c.thoughts > 0 && c.total > 0 && c.thoughts <= c.candidates && c.total == c.prompt+c.candidates+c.tools {
		c.candidates -= c.thoughts
	}
	u := llm.Usage{Input: c.prompt, Output: c.candidates, Reasoning: c.thoughts, Tier: c.tier, Known: c.known}
	u.CacheRead = dialect.Take(&u.Input, c.cached)
	u.InputAudio = dialect.Take(&u.Input, max(c.audioIn-c.audioCached, 0))
	u.OutputAudio = dialect.Take(&u.Output, c.audioOut)
	u.Input += c.tools
	return u
}

// writeUsage writes usageMetadata.
func writeUsage(w *dialect.Writer, u *llm.Usage) {
	w.Object("usageMetadata")
	w.Int("promptTokenCount", u.InputTotal())
	w.Int("candidatesTokenCount", u.Output+u.OutputAudio)
	w.Int("totalTokenCount", u.Total())
	if u.CacheRead > 0 {
		w.Int("cachedContentTokenCount", u.CacheRead)
	}
	if u.Reasoning > 0 {
		w.Int("thoughtsTokenCount", u.Reasoning)
	}
	writeModalities(w, "promptTokensDetails", u.InputTotal()-u.InputAudio, u.InputAudio)
	writeModalities(w, "candidatesTokensDetails", u.Output, u.OutputAudio)
	w.Close('}')
}

func writeModalities(w *dialect.Writer, name string, text, audio int64) {
	if text == 0 && audio == 0 {
		return
	}
	w.Array(name)
	for _, m := range []struct {
		word   string
		tokens int64
	}{{"TEXT", text}, {"AUDIO", audio}} {
		if m.tokens == 0 {
			continue
		}
		w.Open('{')
		w.Word("modality", m.word)
		w.Int("tokenCount", m.tokens)
		w.Close('}')
	}
	w.Close(']')
}
