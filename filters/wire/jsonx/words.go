package jsonx

import (
	"encoding/binary"
	"math/bits"
)

// The text of strings is nearly all that a document holds, so it is read eight bytes at a time. Two tricks do it without a branch
// for each byte: masks that find special bytes in a word, and a state machine whose table rows are shifted, not indexed. Branches
// are what a loop costs in WebAssembly as Go compiles it, and there are no vector instructions to lean on.

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// special returns a word that is zero under highs if all bytes of w are plain text of a string: ASCII, no quote, no backslash, no
// control character. Otherwise its lowest bit under highs is in the first byte that is not: each subtraction sets the high bit of a byte
// only if that byte is special or a lower one was.
func special(w uint64) uint64 {
	return w | (w - ' '*ones) | ((w ^ '"'*ones) - ones) | ((w ^ '\\'*ones) - ones)
}

// quotes returns a word whose lowest bit is in the first quote or backslash of w; zero if there is none.
func quotes(w uint64) uint64 { return (zeros(w^'"'*ones) | zeros(w^'\\'*ones)) & highs }

// marks returns a word whose lowest bit is in the first quote, brace or bracket of w (or Y, y, _ or DEL, which stand in strings only).
func marks(w uint64) uint64 {
	return (zeros(w^'"'*ones) | zeros(((w|0x20*ones)^'{'*ones)&^(0x06*ones))) & highs
}

// zeros sets, under highs, the high bit of the first zero byte of w, and none before it.
func zeros(w uint64) uint64 { return (w - ones) &^ w }

// allDigits reports whether all bytes of w are ASCII digits: their upper halves are those of '0', and still are with 6 added.
func allDigits(w uint64) bool {
	const upper = 0xF0 * ones
	return w&upper == '0'*ones && (w+6*ones)&upper == '0'*ones
}

// plain returns the offset of the first byte at or after i that is not plain text of a string, or len(b).
func plain(b []byte, i int) int {
	if i+8 <= len(b) { // names and short texts end here
		if hit := special(word(b[i:])) & highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
		i += 8
	}
	for i+32 <= len(b) {
		p := b[i : i+32]
		if (special(word(p))|special(word(p[8:]))|special(word(p[16:]))|special(word(p[24:])))&highs != 0 {
			break
		}
		i += 32
	}
	for ; i+8 <= len(b); i += 8 {
		if hit := special(word(b[i:])) & highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(b) && special('a'*(ones-1)|uint64(b[i]))&highs == 0 {
		i++
	}
	return i
}

// The states of a string's text. Each is the place of its row in a word of textSteps.
const (
	stStop  = 6 * iota // the byte cannot stand here, or ends the string, or is the u of an escape
	stText             // between characters
	stEsc              // behind a backslash
	stTail1            // one more byte of a UTF-8 sequence
	stTail2            // two more
	stTail3            // three more
	stE0               // behind E0, ED, F0, F4: the range of the next byte is smaller
	stED
	stF0
	stF4
)

// textSteps holds for each byte the next state from each state: textSteps[c] >> state & 63. The chain from byte to byte is one shift.
var textSteps = makeTextSteps()

func makeTextSteps() (steps [256]uint64) {
	for c := range 256 {
		for state := stText; state <= stF4; state += 6 {
			steps[c] |= uint64(textStep(state, byte(c))) << state
		}
	}
	return steps
}

func textStep(state int, c byte) int {
	lo, hi, next := byte(0x80), byte(0xBF), stTail1
	switch state {
	case stText:
		return textFirst(c)
	case stEsc:
		if isEscape(c) {
			return stText
		}
		return stStop
	case stTail1:
		next = stText
	case stTail3:
		next = stTail2
	case stE0:
		lo = 0xA0
	case stED:
		hi = 0x9F
	case stF0:
		lo, next = 0x90, stTail2
	case stF4:
		hi, next = 0x8F, stTail2
	}
	if c < lo || c > hi {
		return stStop
	}
	return next
}

// textFirst returns the state behind the first byte of a character.
func textFirst(c byte) int {
	switch {
	case c == '\\':
		return stEsc
	case c < ' ' || c == '"':
		return stStop
	case c < 0x80:
		return stText
	case c == 0xE0:
		return stE0
	case c == 0xED:
		return stED
	case c == 0xF0:
		return stF0
	case c == 0xF4:
		return stF4
	}
	n, _, _ := lead(c)
	return [...]int{stStop, stTail1, stTail2, stTail3}[n]
}

// run reads text of a string from i, which is between characters, and returns the offset of the first character that is not
// complete and valid: the closing quote, something wrong, something that is cut by the end of b, or len(b).
func run(b []byte, i int) int {
	for {
		if i = plain(b, i); i >= len(b) || b[i] == '"' {
			return i
		}
		end, state := mixed(b, i)
		switch {
		case state == stEsc && isUnit(b[end-1:]):
			i = end + 5
		case state != stText:
			return charStart(b, end-1)
		case end == i || end >= len(b):
			return end
		default:
			i = end
		}
	}
}

// isUnit reports whether b begins with \uXXXX.
func isUnit(b []byte) bool {
	_, ok := hex4(b)
	return ok
}

// charStart returns where the character begins of which the byte at i is the last one read.
func charStart(b []byte, i int) int {
	for b[i]&0xC0 == 0x80 {
		i--
	}
	return i
}

// mixed reads text with escapes and characters beyond ASCII from i, until there is plain text again or a byte stops the state
// machine. It returns that place and the state before it.
func mixed(b []byte, i int) (int, uint64) {
	st := uint64(stText)
	for i+8 <= len(b) {
		w := word(b[i:])
		next := textSteps[w&255] >> st
		next = textSteps[w>>8&255] >> (next & 63)
		next = textSteps[w>>16&255] >> (next & 63)
		next = textSteps[w>>24&255] >> (next & 63)
		next = textSteps[w>>32&255] >> (next & 63)
		next = textSteps[w>>40&255] >> (next & 63)
		next = textSteps[w>>48&255] >> (next & 63)
		next = textSteps[w>>56] >> (next & 63) & 63
		if next == stStop {
			break
		}
		i += 8
		st = next
		if st == stText && special(w)&highs == 0 {
			return i, st
		}
	}
	for i < len(b) {
		next := textSteps[b[i]] >> st & 63
		if next == stStop {
			return i, st
		}
		i++
		st = next
	}
	return i, st
}

// TextEnd returns the offset of the quote that closes the string whose interior begins at b[i], or, where the string is not valid or
// not whole, that of what is wrong.
func TextEnd(b []byte, i int) int { return run(b, i) }
