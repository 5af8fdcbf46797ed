package openai_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

func patched(t testing.TB, body string, p dialect.Patch) string {
	f, doc := facts(t, []byte(body))
	var e jsonx.Edits
	codec.Same.Request(&e, &f, doc, &p)
	require.False(t, e.Conflict())
	return string(e.Apply(nil, doc.Body()))
}

func TestRequestEdits(t *testing.T) {
	const head = `{"model":"fast","messages":[]`
	const to = `{"model":"gpt-4o","messages":[]`
	plain := dialect.Target{Model: "gpt-4o"}
	capped := dialect.Target{Model: "fast", MaxTokens: 99}
	compatible := dialect.Target{Model: "fast", MaxTokens: 99, Flavour: "compatible"}
	for name, c := range map[string]struct {
		body  string
		patch dialect.Patch
		want  string
	}{
		"model":                   {head + `}`, dialect.Patch{Target: &plain}, to + `}`},
		"same model":              {head + `}`, dialect.Patch{Target: &dialect.Target{Model: "fast"}}, head + `}`},
		"escaped key":             {`{"m\u006fdel":"fast","messages":[]}`, dialect.Patch{Target: &plain}, `{"m\u006fdel":"gpt-4o","messages":[]}`},
		"model to escape":         {head + `}`, dialect.Patch{Target: &dialect.Target{Model: "a\"b"}}, `{"model":"a\"b","messages":[]}`},
		"usage":                   {head + `,"stream":true}`, dialect.Patch{Target: &plain, Usage: true}, to + `,"stream":true,"stream_options":{"include_usage":true}}`},
		"usage not streamed":      {head + `}`, dialect.Patch{Target: &plain, Usage: true}, to + `}`},
		"usage asked for":         {head + `,"stream":true,"stream_options":{"include_usage":true}}`, dialect.Patch{Target: &plain, Usage: true}, to + `,"stream":true,"stream_options":{"include_usage":true}}`},
		"usage declined":          {head + `,"stream":true,"stream_options":{"include_usage":false}}`, dialect.Patch{Target: &plain, Usage: true}, to + `,"stream":true,"stream_options":{"include_usage":true}}`},
		"usage twice":             {head + `,"stream":true,"stream_options":{"include_usage":true,"include_usage":false}}`, dialect.Patch{Target: &plain, Usage: true}, to + `,"stream":true,"stream_options":{"include_usage":true,"include_usage":true}}`},
		"other option":            {head + `,"stream":true,"stream_options":{"include_obfuscation": false }}`, dialect.Patch{Target: &plain, Usage: true}, to + `,"stream":true,"stream_options":{"include_obfuscation": false ,"include_usage":true}}`},
		"empty options":           {head + `,"stream":true,"stream_options":{ }}`, dialect.Patch{Target: &plain, Usage: true}, to + `,"stream":true,"stream_options":{ "include_usage":true}}`},
		"null options":            {head + `,"stream":true,"stream_options":null}`, dialect.Patch{Target: &plain, Usage: true}, to + `,"stream":true,"stream_options":{"include_usage":true}}`},
		"no cap given":            {head + `}`, dialect.Patch{Target: &capped}, head + `,"max_completion_tokens":99}`},
		"cap of compatible":       {head + `}`, dialect.Patch{Target: &compatible}, head + `,"max_tokens":99}`},
		"cap given":               {head + `,"max_tokens":5}`, dialect.Patch{Target: &capped}, head + `,"max_tokens":5}`},
		"cap null":                {head + `,"max_completion_tokens":null}`, dialect.Patch{Target: &capped}, head + `,"max_completion_tokens":99}`},
		"cap that bounds nothing": {head + `,"max_tokens":-1}`, dialect.Patch{Target: &capped}, head + `,"max_completion_tokens":99}`},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, patched(t, c.body, c.patch)) })
	}
}

// member is a member of a generated request, spelled at random.
type member struct{ before, key, middle, value, after string }

func (m member) String() string { return m.before + m.key + m.middle + m.value + m.after }

func document(list []member, tail string) string {
	parts := make([]string, len(list))
	for i, m := range list {
		parts[i] = m.String()
	}
	return "{" + strings.Join(parts, ",") + tail + "}"
}

// drawRequest draws a request with unknown members, odd numbers, odd spellings
// and white space; it returns its members with model first.
func drawRequest(t *rapid.T) []member {
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t", "\r\n  "})
	odd := rapid.SampledFrom([]string{
		"1.0", "1e2", "-0", "0.30", "1E+5", "12345678901234567890", `"\u0041\/\ud83d"`, `"é😀"`, `[ 1 , {"model":"x"} ]`,
		`{"model" : "inner","stream":true}`, "null", "true", `""`, `"a\\\"b"`,
	})
	draw := func(key, value string) member {
		return member{space.Draw(t, "s"), key, space.Draw(t, "s") + ":" + space.Draw(t, "s"), value, space.Draw(t, "s")}
	}
	list := []member{
		draw(rapid.SampledFrom([]string{`"model"`, `"m\u006Fdel"`}).Draw(t, "key"), `"fast"`),
		draw(`"messages"`, rapid.SampledFrom([]string{"[]", `[ {"role":"user" ,"content":"model\":\"x"} ]`}).Draw(t, "messages")),
		draw(`"stream"`, "true"),
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "unknown") {
		list = append(list, draw(`"x_`+string(rune('a'+i))+`"`, odd.Draw(t, "value")))
	}
	return list
}

// Every byte but the edited members is as it was.
func TestRequestKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := drawRequest(t)
		order := rapid.Permutation(seq(len(list))).Draw(t, "order")
		shuffled, model := make([]member, len(list)), 0
		for i, k := range order {
			shuffled[i] = list[k]
			if k == 0 {
				model = i
			}
		}
		body := document(shuffled, "")
		doc, bad := jsonx.Scan([]byte(body), codec.Client.Inspected(), jsonx.Limits{})
		if bad != nil {
			t.Fatal(bad)
		}
		f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
		if err != nil {
			t.Fatal(err)
		}
		var e jsonx.Edits
		codec.Same.Request(&e, &f, &doc, &dialect.Patch{Target: &dialect.Target{Model: "gpt", MaxTokens: 7}, Usage: true})
		got := string(e.Apply(nil, doc.Body()))

		last := &shuffled[len(shuffled)-1]
		tail := last.after
		last.after = ""
		shuffled[model].value = `"gpt"`
		want := document(shuffled, `,"stream_options":{"include_usage":true},"max_completion_tokens":7`+tail)
		if got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func seq(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func TestAnswerEdits(t *testing.T) {
	const body = `{"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"content":"model"},"finish_reason":"length"}], "usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}, "x":1.0}`
	var e jsonx.Edits
	u, finish, err := codec.Same.Answer(&e, &llm.Facts{}, []byte(body), &dialect.Patch{Model: "fast"})
	require.Nil(t, err)
	require.Equal(t, llm.FinishLength, finish)
	require.Equal(t, llm.Usage{Input: 9, Output: 2, Known: true}, u)
	require.Equal(t, strings.Replace(body, "gpt-4o-2024-08-06", "fast", 1), string(e.Apply(nil, []byte(body))))

	for name, c := range map[string]struct {
		body  string
		class llm.Class
	}{
		"no JSON":        {`<html>`, llm.MalformedAnswer},
		"truncated":      {body[:50], llm.MalformedAnswer},
		"no choices":     {`{"id":"c"}`, llm.MalformedAnswer},
		"twice":          {`{"choices":[],"choices":[]}`, llm.MalformedAnswer},
		"error":          {`{"error":{"message":"m","type":"server_error"}}`, llm.ProviderError},
		"error text":     {`{"error":"m"}`, llm.ProviderError},
		"error as code":  {`{"error":{"message":"m","code":429}}`, llm.RateLimited},
		"error as kind":  {`{"error":{"message":"m","type":"insufficient_quota"}}`, llm.QuotaExhausted},
		"error of vllm":  {`{"object":"error","message":"This model's maximum context length is 10 tokens","type":"BadRequestError","code":400}`, llm.ContextLength},
		"error of azure": {`{"error":{"code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, llm.ContentFilter},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := codec.Same.Answer(&e, &llm.Facts{}, []byte(c.body), &dialect.Patch{})
			require.NotNil(t, err)
			require.Equal(t, c.class, err.Class)
		})
	}
}

func event(data string) string { return "data: " + data + "\n\n" }

func TestTap(t *testing.T) {
	const (
		role   = `{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}`
		piece  = `{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"say \"usage\":{"},"finish_reason":null}],"usage":null}`
		finish = `{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}`
		usage  = `{"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}`
		rides  = `{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}`
		oops   = `{"error":{"message":"overloaded","code":503}}`
	)
	const done = "[DONE]"
	const told = "start \"c\" \"m\" 0\nblock 0.0 text \"\" \"\" redacted=false\ndelta 0.0 text \"say \\\"usage\\\":{\" \"\"\n"
	const tail = "finish 0 stop \"\"\nusage input=9 output=2 known=true\nend\n"
	ours := dialect.Patch{Usage: true}
	stream := func(data ...string) string {
		s := ""
		for _, d := range data {
			s += event(d)
		}
		return s
	}
	for name, c := range map[string]struct {
		in     string
		patch  dialect.Patch
		wants  bool
		out    string
		script string
	}{
		"as it came":     {stream(role, piece, finish, done), dialect.Patch{}, false, stream(role, piece, finish, done), told + "finish 0 stop \"\"\nend\n"},
		"our usage":      {stream(role, piece, finish, usage, done), ours, false, stream(role, piece, finish, done), told + tail},
		"client's usage": {stream(role, piece, finish, usage, done), ours, true, stream(role, piece, finish, usage, done), told + tail},
		"usage rides":    {stream(role, piece, rides, done), ours, false, stream(role, piece, rides, done), told + tail},
		"comments": {": hi\n\n" + stream(role) + ":\n\n" + stream(piece, finish) + ": ping\n\n" + stream(done), ours, false,
			": hi\n\n" + stream(role) + ":\n\n" + stream(piece, finish) + ": ping\n\n" + stream(done), told + "finish 0 stop \"\"\nend\n"},
		"no done":       {stream(role, piece, finish), ours, false, stream(role, piece, finish), told + "finish 0 stop \"\"\nend\n"},
		"no end":        {stream(role, piece), ours, false, stream(role, piece), told + "failure malformed 502 malformed_answer\n"},
		"cut in event":  {stream(role, piece) + "data: {\"id\"", ours, false, stream(role, piece), told + "failure malformed 502 malformed_answer\n"},
		"unterminated":  {stream(role, piece, finish) + "data: [DONE]", ours, false, stream(role, piece, finish, done), told + "finish 0 stop \"\"\nend\n"},
		"error":         {stream(role, piece, oops, done), ours, false, stream(role, piece), told + "failure overloaded 503 provider_overloaded\n"},
		"error first":   {stream(oops, done), ours, false, "", "failure overloaded 503 provider_overloaded\n"},
		"only done":     {stream(done), ours, false, stream(done), "end\n"},
		"nothing":       {"", ours, false, "", "failure malformed 502 malformed_answer\n"},
		"no stream":     {"<html>\n\n", ours, false, "<html>\n\n", "failure malformed 502 malformed_answer\n"},
		"after the end": {stream(role, piece, finish, done, done), ours, false, stream(role, piece, finish, done, done), told + "finish 0 stop \"\"\nend\n"},
		"renamed": {stream(role, piece, finish, usage, done), dialect.Patch{Usage: true, Model: "a\"b"}, false,
			strings.ReplaceAll(stream(role, piece, finish, done), `"model":"m"`, `"model":"a\"b"`), told + tail},
	} {
		t.Run(name, func(t *testing.T) {
			f := llm.Facts{Stream: true, WantsUsage: c.wants}
			dialecttest.OneCut([]byte(c.in), func(chunks ...[]byte) {
				tap := codec.Same.NewTap(&f, limits, &c.patch)
				out, events := dialecttest.Tap(tap, chunks...)
				require.Equal(t, c.out, string(out))
				require.Equal(t, c.script, dialecttest.Script(events))
				require.Zero(t, tap.Overflowed())
			})
		})
	}
}

func TestTapReturnsTheChunkItself(t *testing.T) {
	f := llm.Facts{Stream: true}
	tap := codec.Same.NewTap(&f, limits, &dialect.Patch{Usage: true})
	for i, chunk := range streamed(true) {
		out := tap.Write(chunk, func(*llm.Event) {})
		if i == 49 {
			require.Empty(t, out, "the usage is ours")
			continue
		}
		require.Same(t, &chunk[0], &out[0])
		require.Len(t, out, len(chunk))
	}
	require.EqualValues(t, (10*len(" word0")+37*len(" word10"))/4, tap.Seen())
}

func TestTapSkipsLongEvents(t *testing.T) {
	f := llm.Facts{Stream: true}
	tap := codec.Same.NewTap(&f, dialect.Limits{Event: 300}, &dialect.Patch{})
	long := event(`{"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("x", 400) + `"}}]}`)
	first := event(`{"choices":[{"index":0,"delta":{"content":"a"}}]}`)
	last := event(`{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}`)
	out, events := dialecttest.Tap(tap, []byte(first+long+last))
	require.Equal(t, first+last, string(out))
	require.Equal(t, 1, tap.Overflowed())
	require.Equal(t, llm.End, events[len(events)-1].Kind)
}

func TestNoAllocationPerChunk(t *testing.T) {
	chunks := streamed(true)
	f := llm.Facts{Stream: true, WantsUsage: true}
	emit := func(*llm.Event) {}
	tap := codec.Same.NewTap(&f, limits, &dialect.Patch{Usage: true, Model: "fast"})
	decoder := codec.Provider.NewDecoder(&f, nil, limits)
	encoder := codec.Client.NewEncoder(&f, "fast")
	var out []byte
	write := func(ev *llm.Event) { out = encoder.Append(out[:0], ev) }
	for _, c := range chunks[:3] {
		tap.Write(c, emit)
		decoder.Write(c, write)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { tap.Write(chunks[3], emit) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { decoder.Write(chunks[3], write) }))
}

// What a chunk is like does not change what becomes of it.
func TestTapOfRepeatedChunks(t *testing.T) {
	forms := []string{
		event(`{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}],"usage":null}`),
		event(`{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"%s"}}],"obfuscation":"%s"}`),
		event(`{"id":"c","choices":[{"index":0,"delta":{"content":"%s","refusal":"no"}}],"model":"m"}`),
		event(`{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"%s"}}]}}]}`),
		"data:{\"choices\":[{\"index\":0,\r\ndata: \"delta\":{\"content\":\"%s\"}}]}\r\n\r\n",
		"data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}\r\r",
	}
	others := []string{": ping\n\n", "\n", event("[DONE]"), event(`{"error":"x"}`),
		event(`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`),
		event(`{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}`)}
	rapid.Check(t, func(t *rapid.T) {
		patch := dialect.Patch{Usage: true, Model: rapid.SampledFrom([]string{"", "shown"}).Draw(t, "model")}
		lim := dialect.Limits{Event: rapid.SampledFrom([]int{150, 4096}).Draw(t, "limit")}
		dialecttest.Repeats(t, forms, others, func(chunks ...[]byte) string {
			return dialecttest.Passed(codec.Same.NewTap(&llm.Facts{Stream: true}, lim, &patch), chunks...)
		})
	})
}
