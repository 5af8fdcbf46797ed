package core

import (
	"bytes"
	"strconv"
	"strings"
)

// Bounds of benchmark answers.
const (
	maxBenchBytes  = 4 << 20
	maxBenchChunks = 10_000
)

// BenchModel finds out without parsing whether a body asks for a benchmark
// model: "bench-600b" is a body of 600 bytes, "bench-51-chunks" an answer with
// 51 content events. It looks for the first member called model anywhere in the
// document, which is good enough for the requests of a benchmark.
func BenchModel(body []byte) (Bench, bool) {
	_, rest, ok := bytes.Cut(body, []byte(`"model"`))
	if !ok {
		return Bench{}, false
	}
	rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n:"), []byte(`"bench-`))
	if !ok {
		return Bench{}, false
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return Bench{}, false
	}
	b, ok := parseBench(string(rest[:end]))
	b.Stream = flag(body, `"stream"`)
	b.Usage = b.Stream && flag(body, `"include_usage"`)
	return b, ok
}

// BenchPath is BenchModel for APIs that have the model and the method in the path:
// "/v1beta/models/bench-51-chunks:streamGenerateContent".
func BenchPath(path string) (Bench, bool) {
	_, rest, ok := strings.Cut(path, "/bench-")
	end := strings.IndexAny(rest, ":/")
	if !ok || end < 0 {
		return Bench{}, false
	}
	b, ok := parseBench(rest[:end])
	b.Stream = strings.Contains(rest[end:], "stream")
	return b, ok
}

func parseBench(name string) (Bench, bool) {
	b := Bench{Model: "bench-" + name}
	if digits, ok := strings.CutSuffix(name, "-chunks"); ok {
		n, err := strconv.Atoi(digits)
		b.Chunks = n
		return b, err == nil && n > 0 && n <= maxBenchChunks
	}
	digits, ok := strings.CutSuffix(name, "b")
	n, err := strconv.Atoi(digits)
	b.Bytes = n
	return b, ok && err == nil && n > 0 && n <= maxBenchBytes
}

func flag(body []byte, name string) bool {
	_, rest, ok := bytes.Cut(body, []byte(name))
	return ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n:"), []byte("true"))
}

// BenchText is a text of n bytes that needs no escaping.
func BenchText(n int) string {
	const words = "lorem ipsum dolor sit amet "
	if n <= 0 {
		return ""
	}
	return strings.Repeat(words, n/len(words)+1)[:n]
}
