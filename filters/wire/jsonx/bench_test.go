package jsonx

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

var benchKeys = NewKeys("model", "stream", "max_tokens", "messages", "temperature", "user", "stream_options", "tools")

const smallBody = `{"model":"gpt-4o-mini","messages":[{"role":"system","content":"You are a helpful assistant."},` +
	`{"role":"user","content":"What is the capital of France? Answer in one word, and say why it is not Lyon."}],` +
	`"temperature":0.7,"max_tokens":256,"stream":true,"user":"team-a/app-7","stream_options":{"include_usage":true}}`

// chatBody returns a chat request of about size bytes whose one long message repeats text.
func chatBody(text string, size int) []byte {
	content := strings.Repeat(text, size/len(text))
	return append(append([]byte(`{"model":"gpt-4o","messages":[{"role":"user","content":`), Quote(nil, content)...), `}],"stream":true}`...)
}

const prose = "It was the best of times, it was the worst of times, it was the age of wisdom and of foolishness, it was the epoch of belief. "

func benchBodies() map[string][]byte {
	tool := `{"type":"function","function":{"name":"get_weather","description":"Looks the weather up","parameters":{"type":"object",` +
		`"properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1}},"required":["city"]}}}`
	numbers := make([]string, 20000)
	for i := range numbers {
		numbers[i] = strconv.FormatFloat(float64(i%997)/-31337.1, 'g', -1, 64)
	}
	return map[string][]byte{
		"small":    []byte(smallBody),
		"prose":    chatBody(strings.Repeat(prose, 8)+"\n", 225<<10),
		"code":     chatBody("\tif err := f(\"x\"); err != nil {\n\t\treturn err\n\t}\n", 225<<10),
		"cyrillic": chatBody("Все счастливые семьи похожи друг на друга. ", 225<<10),
		"chinese":  chatBody("道可道，非常道。名可名，非常名。無名天地之始；", 225<<10),
		"tools":    []byte(`{"tools":[` + strings.Repeat(tool+",", 800) + tool + `],"model":"m"}`),
		"numbers":  []byte(`{"data":[` + strings.Join(numbers, ",") + `]}`),
	}
}

func forBodies(b *testing.B, f func(b *testing.B, body []byte)) {
	bodies := benchBodies()
	for _, name := range []string{"small", "prose", "code", "cyrillic", "chinese", "tools", "numbers"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bodies[name])))
			f(b, bodies[name])
		})
	}
}

func BenchmarkScan(b *testing.B) {
	forBodies(b, func(b *testing.B, body []byte) {
		var d Document
		for b.Loop() {
			if err := d.Scan(body, benchKeys, Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkHop(b *testing.B) {
	forBodies(b, func(b *testing.B, body []byte) {
		for b.Loop() {
			for rest := body; ; {
				n := bytes.IndexByte(rest, '"')
				if n < 0 {
					break
				}
				rest = rest[n+1:]
			}
		}
	})
}

func BenchmarkStdValid(b *testing.B) {
	forBodies(b, func(b *testing.B, body []byte) {
		for b.Loop() {
			json.Valid(body)
		}
	})
}

func BenchmarkTap(b *testing.B) {
	forBodies(b, func(b *testing.B, body []byte) {
		tap := NewTap(benchKeys, 1024, Limits{})
		for b.Loop() {
			tap.Reset()
			for rest := body; len(rest) > 0; {
				n := min(16<<10, len(rest))
				if err := tap.Write(rest[:n]); err != nil {
					b.Fatal(err)
				}
				rest = rest[n:]
			}
		}
	})
}

func BenchmarkSkip(b *testing.B) {
	forBodies(b, func(b *testing.B, body []byte) {
		for b.Loop() {
			it := Members(body)
			for it.Next() {
			}
		}
	})
}

var chunkBody = []byte(`{"id":"chatcmpl-9x","object":"chat.completion.chunk","created":1721075653,"model":"gpt-4o-2024-08-06",` +
	`"system_fingerprint":"fp_1234","choices":[{"index":0,"delta":{"content":" the"},"logprobs":null,"finish_reason":null}],"usage":null}`)

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Lookup(chunkBody, "choices", "0", "delta", "content"); !ok {
			b.Fatal()
		}
	}
}

func BenchmarkEdits(b *testing.B) {
	body := []byte(smallBody)
	d, _ := Scan(body, benchKeys, Limits{})
	model, options := []byte(`"gpt-4o-2024-08-06"`), []byte(`{"type":"json_object"}`)
	var e Edits
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		e.Reset()
		e.SetMember(&d, 0, "model", model)
		e.SetMember(&d, -1, "response_format", options)
		e.RemoveMember(&d, 6)
		out = e.Apply(out[:0], body)
	}
}

func BenchmarkText(b *testing.B) {
	text := strings.Repeat(prose+"\n\"é\" ", 8)
	quoted := Quote(nil, text)
	dst := make([]byte, 0, 2*len(quoted))
	b.Run("escape", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			dst = Escape(dst[:0], text)
		}
	})
	b.Run("unescape", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			dst = Unescape(dst[:0], Interior(quoted))
		}
	})
}
