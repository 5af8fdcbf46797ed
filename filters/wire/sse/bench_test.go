package sse

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

const benchEvent = `data: {"id":"chatcmpl-9x","object":"chat.completion.chunk","created":1721075653,"model":"gpt-4o-2024-08-06",` +
	`"system_fingerprint":"fp_1234","choices":[{"index":0,"delta":{"content":" the"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"

// benchChunks returns a stream of 51 events as 51 chunks that begin shift bytes into an event.
func benchChunks(shift int) (chunks [][]byte, size int) {
	stream := bytes.Repeat([]byte(benchEvent), 51)
	chunks = append(chunks, stream[:shift:shift])
	for rest := stream[shift:]; len(rest) > 0; {
		n := min(len(benchEvent), len(rest))
		chunks = append(chunks, rest[:n:n])
		rest = rest[n:]
	}
	return chunks, len(stream)
}

func benchFramer(b *testing.B, shift int) {
	chunks, size := benchChunks(shift)
	b.ReportAllocs()
	b.SetBytes(int64(size))
	var f Framer
	for b.Loop() {
		f.Init(Limits{})
		events := 0
		for _, chunk := range chunks {
			f.Feed(chunk)
			for _, ok := f.Next(); ok; _, ok = f.Next() {
				events++
			}
		}
		if events != 51 {
			b.Fatal(events)
		}
	}
}

func BenchmarkStreamOf51Chunks(b *testing.B)           { benchFramer(b, 0) }
func BenchmarkStreamOf51StraddlingChunks(b *testing.B) { benchFramer(b, 100) }

func BenchmarkStreamInOneChunk(b *testing.B) {
	stream := bytes.Repeat([]byte(benchEvent), 51)
	b.ReportAllocs()
	b.SetBytes(int64(len(stream)))
	var f Framer
	for b.Loop() {
		f.Init(Limits{})
		f.Feed(stream)
		for _, ok := f.Next(); ok; _, ok = f.Next() {
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	data := []byte(benchEvent[6 : len(benchEvent)-2])
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = Append(dst[:0], "message", data)
	}
}

// TestNoAllocation holds that a stream takes no memory for each chunk once the buffers are there, also with many data lines.
func TestNoAllocation(t *testing.T) {
	var f Framer
	for _, shift := range []int{0, 100} {
		chunks, _ := benchChunks(shift)
		chunks = append(chunks, []byte("data: a\ndata: b\n"), []byte("data: c\n\n"))
		run := func() {
			f.Init(Limits{})
			for _, chunk := range chunks {
				f.Feed(chunk)
				for _, ok := f.Next(); ok; _, ok = f.Next() {
				}
			}
		}
		run()
		require.Zero(t, testing.AllocsPerRun(20, run))
	}
}
