package core

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
)

// Vector is the embedding of a text: the normalised sum of one pseudo-random
// vector for each of its words, regardless of case and punctuation.
func (w *World) Vector(text string, size int) []float32 {
	sum := make([]float64, size)
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return strings.ContainsRune(" \t\r\n.,;:!?\"'()[]{}", r)
	})
	for _, word := range append(words, "") {
		r := w.Rand("vector", word)
		for i := range sum {
			sum[i] += r.Float()*2 - 1
		}
	}
	norm := 0.0
	for _, v := range sum {
		norm += v * v
	}
	out := make([]float32, size)
	for i, v := range sum {
		out[i] = float32(v / math.Sqrt(norm))
	}
	return out
}

// PackVector is base64 of little-endian 32-bit floats.
func PackVector(vector []float32) string {
	raw := make([]byte, 0, 4*len(vector))
	for _, v := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
