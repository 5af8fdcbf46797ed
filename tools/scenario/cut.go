package scenario

import (
	"math/rand/v2"
	"strings"
)

// Cutter splits a body into the chunks that a network would deliver.
type Cutter func(body string) []string

// Whole is a body in one piece.
func Whole(body string) []string { return []string{body} }

// Bytes is a body byte by byte.
func Bytes(body string) []string { return strings.Split(body, "") }

// At cuts once.
func At(n int) Cutter {
	return func(body string) []string {
		if n <= 0 || n >= len(body) {
			return []string{body}
		}
		return []string{body[:n], body[n:]}
	}
}

// Pieces cuts at random: the same pieces for the same seed.
func Pieces(seed uint64) Cutter {
	return func(body string) []string {
		draw := rand.New(rand.NewPCG(seed, uint64(len(body))))
		var pieces []string
		for len(body) > 0 {
			n := min(len(body), 1+draw.IntN(1+draw.IntN(120)))
			pieces, body = append(pieces, body[:n]), body[n:]
		}
		return append(pieces, "") // the end comes alone, as some hosts send it
	}
}

// Delimiters are the places of a body within two bytes of a line's end or of
// another byte that frames.
func Delimiters(body string) []int {
	var places []int
	for i := 1; i < len(body); i++ {
		if strings.ContainsAny(body[max(0, i-2):min(len(body), i+2)], "\n\r:") {
			places = append(places, i)
		}
	}
	return places
}
