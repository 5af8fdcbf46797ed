package core

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPiece is the longest run of letters that counts as one token.
const maxPiece = 7

// Pieces cuts a text into token-like pieces: a word with its leading space, up
// to maxPiece letters at a time, punctuation and ideographs one by one. Joined
// they give the text again. The mock counts tokens by them, so that the chunks
// of a stream, max_tokens and the usage of an answer agree.
func Pieces(text string) []string {
	var out []string
	for len(text) > 0 {
		n := pieceLen(text)
		out = append(out, text[:n])
		text = text[n:]
	}
	return out
}

// CountTokens is the number of Pieces of a text.
func CountTokens(text string) int {
	n := 0
	for len(text) > 0 {
		text = text[pieceLen(text):]
		n++
	}
	return n
}

func pieceLen(text string) int {
	r, size := utf8.DecodeRuneInString(text)
	n := 0
	if r == ' ' {
		n = size
		r, size = utf8.DecodeRuneInString(text[n:])
		if size == 0 || !wordRune(r) {
			return n
		}
	}
	if !wordRune(r) {
		return n + size
	}
	for letters := 0; letters < maxPiece && size > 0 && wordRune(r); letters++ {
		n += size
		r, size = utf8.DecodeRuneInString(text[n:])
	}
	return n
}

func wordRune(r rune) bool {
	return r < 0x2e80 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// Even groups pieces into n chunks of about equal size; with fewer pieces than
// n it returns one chunk for each.
func Even(pieces []string, n int) []string {
	if n <= 0 || n >= len(pieces) {
		return pieces
	}
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, strings.Join(pieces[i*len(pieces)/n:(i+1)*len(pieces)/n], ""))
	}
	return out
}

// Ragged groups pieces into chunks of one to max pieces.
func Ragged(pieces []string, r *Rand, max int) []string {
	var out []string
	for len(pieces) > 0 {
		n := min(1+r.Intn(max), len(pieces))
		out = append(out, strings.Join(pieces[:n], ""))
		pieces = pieces[n:]
	}
	return out
}

// Bytewise groups a text into chunks of about size bytes, cut between runes
// but not between words: how providers cut tool arguments.
func Bytewise(text string, size int) []string {
	var out []string
	for len(text) > size {
		n := size
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		out = append(out, text[:n])
		text = text[n:]
	}
	if text != "" {
		out = append(out, text)
	}
	return out
}

// clip shortens a text to n runes.
func clip(s string, n int) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n]) + "…"
}
