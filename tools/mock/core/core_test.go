package core_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/mock/core"
	"github.com/posterngw/postern/tools/mock/strict"
)

func world() *core.World { return &core.World{Now: time.Now} }

func schema(t testing.TB, text string) *strict.Value {
	v, err := strict.Parse([]byte(text))
	require.NoError(t, err)
	return v
}

func TestPieces(t *testing.T) {
	for in, want := range map[string][]string{
		"":                    nil,
		"Hello, world!":       {"Hello", ",", " world", "!"},
		"internationalise me": {"interna", "tionali", "se", " me"},
		"a  b\n\nc":           {"a", " ", " b", "\n", "\n", "c"},
		"日本 é☕":               {"日", "本", " é", "☕"},
	} {
		require.Equal(t, want, core.Pieces(in), in)
		require.Equal(t, len(want), core.CountTokens(in), in)
	}
}

func FuzzPieces(f *testing.F) {
	f.Add("Hello, wörld ☕\n \xff x", 3)
	f.Fuzz(func(t *testing.T, text string, n int) {
		pieces := core.Pieces(text)
		require.Equal(t, text, strings.Join(pieces, ""))
		require.Equal(t, len(pieces), core.CountTokens(text))
		require.Equal(t, text, strings.Join(core.Even(pieces, n), ""))
		require.Equal(t, text, strings.Join(core.Ragged(pieces, world().Rand(text), n), ""))
		require.Equal(t, text, strings.Join(core.Bytewise(text, 1+n&31), ""))
	})
}

func TestEvenMakesExactlyThatManyChunks(t *testing.T) {
	pieces := core.Pieces(strings.Repeat(" word", 100))
	for _, n := range []int{1, 3, 51, 99, 100} {
		require.Len(t, core.Even(pieces, n), n)
	}
}

func TestSample(t *testing.T) {
	for name, tc := range map[string]struct{ schema, want string }{
		"none":          {`{}`, `"Paris"`},
		"required only": {`{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string"}},"required":["city"]}`, `{"city":"Paris"}`},
		"none required": {`{"type":"object","properties":{"city":{"type":"string"},"unit":{}}}`, `{"city":"Paris"}`},
		"undeclared":    {`{"type":"object","required":["x"]}`, `{"x":"Paris"}`},
		"enum":          {`{"enum":["a",2]}`, `"a"`},
		"enum mention":  {`{"enum":["london","paris"]}`, `"paris"`},
		"const":         {`{"const":{"a":1}}`, `{"a":1}`},
		"bounds":        {`{"type":"integer","minimum":10,"maximum":12}`, `10`},
		"exclusive":     {`{"type":"integer","exclusiveMaximum":3}`, `2`},
		"multiple":      {`{"type":"number","multipleOf":5,"minimum":11}`, `15`},
		"narrow":        {`{"type":"number","minimum":0.2,"maximum":0.4}`, `0.30000000000000004`},
		"boolean":       {`{"type":"boolean"}`, `true`},
		"nullable":      {`{"type":["null","integer"]}`, `7`},
		"any of":        {`{"anyOf":[{"type":"null"},{"type":"boolean"}]}`, `true`},
		"all of":        {`{"allOf":[{"properties":{"a":{"type":"null"}},"required":["a"]},{"properties":{"b":{"const":1}},"required":["b"]}]}`, `{"a":null,"b":1}`},
		"ref":           {`{"type":"object","properties":{"n":{"$ref":"#/$defs/node"}},"required":["n"],"$defs":{"node":{"const":3}}}`, `{"n":3}`},
		"array":         {`{"type":"array","items":{"type":"integer"},"minItems":2}`, `[7,7]`},
		"empty array":   {`{"type":"array","maxItems":0}`, `[]`},
		"tuple":         {`{"type":"array","prefixItems":[{"type":"integer"},{"type":"boolean"}]}`, `[7,true]`},
		"format":        {`{"type":"string","format":"date"}`, `"2026-01-02"`},
		"long":          {`{"type":"string","minLength":8}`, `"Parisxxx"`},
		"short":         {`{"type":"string","maxLength":2}`, `"Pa"`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, core.Sample(schema(t, tc.schema), []string{"Paris"}, 0))
		})
	}
}

func TestSampleIsBounded(t *testing.T) {
	node := `{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}},"required":["a","b"]}`
	out := core.Sample(schema(t, node), []string{"x"}, 0)
	require.True(t, json.Valid([]byte(out)))
	require.Less(t, len(out), 64<<10)

	wide := `{"type":"array","minItems":64,"items":{"type":"array","minItems":64,"items":{"type":"array","minItems":64,"items":{}}}}`
	out = core.Sample(schema(t, wide), []string{"x"}, 0)
	require.True(t, json.Valid([]byte(out)))
	require.Less(t, len(out), 1<<20)

	loop := `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}}`
	require.Equal(t, "null", core.Sample(schema(t, loop), []string{"x"}, 0))
}

func FuzzSample(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":["string","null"],"minLength":3}},"required":["a"]}`)
	f.Add(`{"allOf":[{"$ref":"#"}]}`)
	f.Add(`{"type":"number","minimum":9,"maximum":1,"multipleOf":0.1}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := strict.Parse([]byte(text))
		if err != nil {
			return
		}
		require.True(t, json.Valid([]byte(core.Sample(v, []string{"word"}, 1))))
	})
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"What is the weather in Paris?": "Paris",
		"tell me about quicksort":       "quicksort",
		"":                              "example",
		"Is it warm? I hope. So":        "warm",
	} {
		require.Equal(t, want, core.Words(in)[0], in)
	}
}

func TestCompose(t *testing.T) {
	tools := []core.Tool{{Name: "get_weather", Schema: schema(t, `{"properties":{"city":{}},"required":["city"]}`)}, {Name: "get_time"}}
	for name, tc := range map[string]struct {
		p     core.Prompt
		s     core.Scenario
		check func(*testing.T, core.Answer)
	}{
		"text": {p: core.Prompt{Text: "hello"}, check: func(t *testing.T, a core.Answer) {
			require.Contains(t, strings.Join(a.Choices[0].Text, ""), `"hello"`)
			require.Equal(t, len(a.Choices[0].Text), a.Usage.Output)
		}},
		"max tokens": {p: core.Prompt{Text: "hello", MaxTokens: 3}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, core.FinishLength, a.Choices[0].Finish)
			require.Equal(t, 3, a.Usage.Output)
		}},
		"not a token": {p: core.Prompt{MaxTokens: -1}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, core.FinishLength, a.Choices[0].Finish)
			require.Zero(t, a.Usage.Output)
		}},
		"reasoning eats the budget": {p: core.Prompt{MaxTokens: 60, Reasoning: 64}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, core.FinishLength, a.Choices[0].Finish)
			require.Empty(t, a.Choices[0].Text)
			require.Equal(t, core.Usage{Output: 60, Reasoning: 60}, a.Usage)
		}},
		"stop": {p: core.Prompt{Text: "one STOP two", Stop: []string{"two", "STOP"}}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, core.FinishSequence, a.Choices[0].Finish)
			require.Equal(t, "STOP", a.Choices[0].StopText)
			require.Equal(t, `You said: "one `, strings.Join(a.Choices[0].Text, ""))
		}},
		"call": {p: core.Prompt{Text: "weather in Rome", Tools: tools}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, []core.Call{{Name: "get_weather", Args: `{"city":"Rome"}`}}, a.Choices[0].Calls)
			require.Equal(t, core.FinishCalls, a.Choices[0].Finish)
		}},
		"the tool that is mentioned": {p: core.Prompt{Text: "please get time", Tools: tools}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, "get_time", a.Choices[0].Calls[0].Name)
		}},
		"parallel": {p: core.Prompt{Text: "both please", Tools: tools, Parallel: true}, check: func(t *testing.T, a core.Answer) {
			require.Len(t, a.Choices[0].Calls, 2)
		}},
		"not parallel": {p: core.Prompt{Text: "both please", Tools: tools}, check: func(t *testing.T, a core.Answer) {
			require.Len(t, a.Choices[0].Calls, 1)
		}},
		"result": {p: core.Prompt{Tools: tools, Results: []string{"22 C"}}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, `The tool said "22 C".`, strings.Join(a.Choices[0].Text, ""))
		}},
		"required in spite of a result": {p: core.Prompt{Tools: tools, Results: []string{"x"}, Choice: core.ToolChoice{Mode: core.ToolsRequired}}, check: func(t *testing.T, a core.Answer) {
			require.Len(t, a.Choices[0].Calls, 1)
		}},
		"none": {p: core.Prompt{Tools: tools, Choice: core.ToolChoice{Mode: core.ToolsNone}}, check: func(t *testing.T, a core.Answer) {
			require.Empty(t, a.Choices[0].Calls)
		}},
		"named": {p: core.Prompt{Tools: tools, Parallel: true, Text: "both", Choice: core.ToolChoice{Mode: core.ToolsNamed, Name: "get_time"}}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, []core.Call{{Name: "get_time", Args: "{}"}}, a.Choices[0].Calls)
		}},
		"arguments cut": {p: core.Prompt{Text: "weather in Rome", Tools: tools, MaxTokens: 2}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, core.FinishLength, a.Choices[0].Finish)
			require.False(t, json.Valid([]byte(a.Choices[0].Calls[0].Args)))
		}},
		"exact tokens": {s: core.Scenario{Tokens: 500}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, 500, a.Usage.Output)
		}},
		"several": {p: core.Prompt{Text: "hi", N: 3}, check: func(t *testing.T, a core.Answer) {
			require.Len(t, a.Choices, 3)
		}},
		"no choices": {p: core.Prompt{Input: core.Usage{Input: 9}}, s: core.Scenario{EmptyChoices: true}, check: func(t *testing.T, a core.Answer) {
			require.Equal(t, core.Answer{Usage: core.Usage{Input: 9}}, a)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a := world().Compose(&tc.p, &tc.s)
			require.Equal(t, a, world().Compose(&tc.p, &tc.s), "the same again")
			tc.check(t, a)
		})
	}
}

func TestSplitModel(t *testing.T) {
	for in, want := range map[string][]string{
		"gpt-4o":                {"gpt-4o"},
		"gpt-4o!slow=5ms!crlf":  {"gpt-4o", "slow=5ms", "crlf"},
		"mock-429":              {"mock-429", "429"},
		"mock-error-rate-limit": {"mock-error-rate-limit", "rate-limit"},
		"mock-slow=1ms!gzip":    {"mock-slow=1ms", "slow=1ms", "gzip"},
		"mock-small":            {"mock-small"},
		"!503":                  {"", "503"},
	} {
		base, specs := core.SplitModel(in)
		require.Equal(t, want, append([]string{base}, specs...), in)
	}
}

func TestBehaviourArguments(t *testing.T) {
	for _, b := range core.Behaviours {
		var s core.Scenario
		require.NoError(t, s.Parse(b.Name), b.Name)
		require.NotEqual(t, core.Scenario{}, s, b.Name)
		if b.Default != "" {
			var again core.Scenario
			require.NoError(t, again.Parse(b.Name+"="+b.Default))
			require.Equal(t, s, again)
		}
	}
	for _, bad := range []string{"nonsense", "gzip=1", "slow=fast", "slow=-1s", "hang=11m", "html=7", "chunks=0", "tokens=999999999", "rate-limit=x"} {
		require.Error(t, new(core.Scenario).Parse(bad), bad)
	}
}

func FuzzBehaviours(f *testing.F) {
	f.Add("slow=5ms, crlf,,429")
	f.Fuzz(func(t *testing.T, list string) {
		var s core.Scenario
		if err := s.Parse(list); err == nil {
			require.LessOrEqual(t, s.HeaderDelay, 10*time.Minute)
			require.LessOrEqual(t, s.Huge, 16<<20)
		}
	})
}

func TestBenchModel(t *testing.T) {
	for in, want := range map[string]core.Bench{
		`{"model":"bench-600b"}`:                                                           {Model: "bench-600b", Bytes: 600},
		`{ "stream" : true, "model" : "bench-51-chunks" }`:                                 {Model: "bench-51-chunks", Chunks: 51, Stream: true},
		`{"model":"bench-5-chunks","stream":true,"stream_options":{"include_usage":true}}`: {Model: "bench-5-chunks", Chunks: 5, Stream: true, Usage: true},
	} {
		b, ok := core.BenchModel([]byte(in))
		require.True(t, ok, in)
		require.Equal(t, want, b)
	}
	for _, in := range []string{``, `{"model":"gpt-4o"}`, `{"model":"bench-x"}`, `{"model":"bench-0b"}`, `{"model":"bench-99999999999b"}`,
		`{"model":"bench-`, `{"messages":[{"content":"\"model\":\"bench-600b\""}],"model":"gpt-4o"}`} {
		_, ok := core.BenchModel([]byte(in))
		require.False(t, ok, in)
	}
}

func TestIdentifiersDependOnSeedAndCount(t *testing.T) {
	a, b := &core.World{Seed: 1}, &core.World{Seed: 1}
	first := a.NextID("x_", core.Base62, 20)
	require.Equal(t, first, b.NextID("x_", core.Base62, 20))
	require.NotEqual(t, first, a.NextID("x_", core.Base62, 20))
	require.NotEqual(t, first, (&core.World{Seed: 2}).NextID("x_", core.Base62, 20))
	require.Len(t, first, 22)
}
