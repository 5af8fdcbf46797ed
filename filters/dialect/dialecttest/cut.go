package dialecttest

import "math/rand/v2"

// OneCut calls f with the stream whole and then cut in two at every place.
func OneCut(stream []byte, f func(chunks ...[]byte)) {
	f(stream)
	for i := 1; i < len(stream); i++ {
		f(stream[:i:i], stream[i:])
	}
}

// Delimiters calls f with the stream cut in two at every place within two bytes
// of an end of line: the cuts that tell for streams that are long.
func Delimiters(stream []byte, f func(chunks ...[]byte)) {
	last := 0
	for i := range stream {
		if stream[i] != '\n' && stream[i] != '\r' {
			continue
		}
		for cut := max(i-1, last+1); cut <= i+2 && cut < len(stream); cut++ {
			f(stream[:cut:cut], stream[cut:])
			last = cut
		}
	}
}

// Bytes calls f with the stream one byte at a time.
func Bytes(stream []byte, f func(chunks ...[]byte)) {
	chunks := make([][]byte, len(stream))
	for i := range stream {
		chunks[i] = stream[i : i+1 : i+1]
	}
	f(chunks...)
}

// Partitions calls f n times with the stream in random pieces, by the seed.
func Partitions(stream []byte, seed uint64, n int, f func(chunks ...[]byte)) {
	random := rand.New(rand.NewPCG(seed, 0))
	for range n {
		var chunks [][]byte
		largest := 1 + random.IntN(max(len(stream)/2, 1))
		for rest := stream; len(rest) > 0; {
			size := min(1+random.IntN(largest), len(rest))
			chunks = append(chunks, rest[:size:size])
			rest = rest[size:]
		}
		f(chunks...)
	}
}
