package openai_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/anthropic"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// small is an ordinary request of about 300 bytes.
const small = `{"model":"fast","messages":[{"role":"system","content":"You are a helpful assistant."},` +
	`{"role":"user","content":"What is the capital of France, and how many people live there today?"}],` +
	`"temperature":0.7,"stream":true,"max_tokens":256,"user":"u-1234","top_p":1,"presence_penalty":0}`

// large is a conversation of about 214 KB with code and prose.
func large() []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"fast","messages":[{"role":"system","content":"You review code."}`)
	for i := 0; b.Len() < 214<<10; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"},{"role":"assistant","content":"%s"}`,
			strings.Repeat(`func f(a int) string {\n\treturn \"x\" + strconv.Itoa(a)\n}\n`, 20),
			strings.Repeat("The function is fine, but it should say what it does. ", 20))
	}
	b.WriteString(`],"stream":false,"max_tokens":1024}`)
	return b.Bytes()
}

// streamed is a stream of 51 chunks, as OpenAI sends it, an event each.
func streamed(usage bool) [][]byte {
	chunk := func(delta, finish, counts string) []byte {
		tail := ""
		if usage {
			tail = `,"usage":null`
		}
		choices := `[{"index":0,"delta":` + delta + `,"logprobs":null,"finish_reason":` + finish + `}]`
		if counts != "" {
			choices, tail = "[]", `,"usage":`+counts
		}
		return []byte(`data: {"id":"chatcmpl-DuLeEBVm5LS4rIiGdSJtHqH8h1BgG","object":"chat.completion.chunk","created":1782321954,` +
			`"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0392822090","choices":` +
			choices + tail + `,"obfuscation":"PcDWkTE9"}` + "\n\n")
	}
	list := [][]byte{chunk(`{"role":"assistant","content":"","refusal":null}`, "null", "")}
	for i := range 47 {
		list = append(list, chunk(fmt.Sprintf(`{"content":" word%d"}`, i), "null", ""))
	}
	list = append(list, chunk(`{}`, `"stop"`, ""))
	if usage {
		list = append(list, chunk("", "", `{"prompt_tokens":19,"completion_tokens":47,"total_tokens":66,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},`+
			`"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`))
	}
	return append(list, []byte("data: [DONE]\n\n"))
}

func BenchmarkFacts(b *testing.B) {
	for name, body := range map[string][]byte{"300B": []byte(small), "214KB": large()} {
		b.Run(name, func(b *testing.B) {
			var doc jsonx.Document
			if err := doc.Scan(body, codec.Client.Inspected(), jsonx.Limits{}); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScanFactsPatch(b *testing.B) {
	for name, body := range map[string][]byte{"300B": []byte(small), "214KB": large()} {
		b.Run(name, func(b *testing.B) {
			var doc jsonx.Document
			var edits jsonx.Edits
			var out []byte
			p := dialect.Patch{Target: &dialect.Target{Model: "gpt-4o-mini"}, Usage: true}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := doc.Scan(body, codec.Client.Inspected(), jsonx.Limits{}); err != nil {
					b.Fatal(err)
				}
				f, err := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
				if err != nil {
					b.Fatal(err)
				}
				edits.Reset()
				codec.Same.Request(&edits, &f, &doc, &p)
				out = edits.Apply(out[:0], body)
			}
		})
	}
}

func BenchmarkTap51(b *testing.B) {
	chunks := streamed(true)
	f := llm.Facts{Stream: true}
	for name, p := range map[string]dialect.Patch{"pass": {Usage: true}, "rename": {Usage: true, Model: "fast"}} {
		b.Run(name, func(b *testing.B) {
			usage := 0
			emit := func(ev *llm.Event) {
				if ev.Kind == llm.UsageEvent {
					usage++
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				t := codec.Same.NewTap(&f, limits, &p)
				for _, c := range chunks {
					t.Write(c, emit)
				}
				t.Close(emit)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(chunks)), "ns/chunk")
		})
	}
}

// BenchmarkTapChunk is one chunk of a stream that is under way.
func BenchmarkTapChunk(b *testing.B) {
	chunks := streamed(true)
	f := llm.Facts{Stream: true}
	for name, p := range map[string]dialect.Patch{"pass": {Usage: true}, "rename": {Usage: true, Model: "fast"}} {
		b.Run(name, func(b *testing.B) {
			emit := func(*llm.Event) {}
			t := codec.Same.NewTap(&f, limits, &p)
			t.Write(chunks[0], emit)
			t.Write(chunks[1], emit)
			b.SetBytes(int64(len(chunks[2])))
			b.ReportAllocs()
			for b.Loop() {
				t.Write(chunks[2], emit)
			}
		})
	}
}

func BenchmarkDecode51(b *testing.B) {
	chunks := streamed(true)
	emit := func(*llm.Event) {}
	b.ReportAllocs()
	for b.Loop() {
		d := codec.Provider.NewDecoder(&llm.Facts{}, nil, limits)
		for _, c := range chunks {
			d.Write(c, emit)
		}
		d.Close(emit)
	}
}

// BenchmarkTranslate is a request that changes dialect, scanned, decoded and encoded.
func BenchmarkTranslate(b *testing.B) {
	target := dialect.Target{Model: "claude-sonnet-5"}
	provider := anthropic.Messages().Provider
	for name, body := range map[string][]byte{"300B": []byte(small), "214KB": large()} {
		b.Run(name, func(b *testing.B) {
			var doc jsonx.Document
			var out []byte
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := doc.Scan(body, codec.Client.Inspected(), jsonx.Limits{}); err != nil {
					b.Fatal(err)
				}
				f, _ := codec.Client.Facts(dialect.Call{Operation: llm.Chat}, &doc)
				r, err := codec.Client.Decode(f, &doc)
				if err != nil {
					b.Fatal(err)
				}
				if out, err = provider.Encode(out[:0], r, &target, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
