// Package estimate guesses how many tokens a text is, where nobody counted them:
// in one pass, by the class of each byte, and corrected by a factor that each
// target's own counts teach.
//
// A class has a weight, in thousandths of a token, and the weights of a text are
// added up: the estimate grows with the text, costs the same for every byte, and
// that of two texts together is that of both, but for rounding.
//
// It is no tokenizer: one text may be half or twice as many tokens. It keeps no
// text, knows no model, and is never used where a provider reports usage.
package estimate

import "github.com/posterngw/postern/filters/llm"

// Weights of the classes, in thousandths of a token for each byte or, beyond
// ASCII, for each character. They were fitted to what models wrote and counted.
const (
	lower   = 190
	upper   = 400
	digit   = 500
	space   = 120
	control = 450 // ends of lines, tabs
	sign    = 500
	two     = 600 // characters of two bytes in UTF-8
	three   = 900
	four    = 2000
)

var weights = makeWeights()

func makeWeights() (w [256]uint16) {
	for i := range w {
		switch c := byte(i); {
		case 'a' <= c && c <= 'z':
			w[i] = lower
		case 'A' <= c && c <= 'Z':
			w[i] = upper
		case '0' <= c && c <= '9':
			w[i] = digit
		case c == ' ':
			w[i] = space
		case c < ' ':
			w[i] = control
		case c < 0x80:
			w[i] = sign
		case c >= 0xf0:
			w[i] = four
		case c >= 0xe0:
			w[i] = three
		case c >= 0xc0:
			w[i] = two
		}
	}
	return w
}

// Text estimates the tokens of plain text.
func Text(text []byte) int64 {
	var sum int64
	for _, c := range text {
		sum += int64(weights[c])
	}
	return round(sum)
}

// Escaped estimates the tokens of the text that the interior of a JSON string, or
// a whole JSON document, spells: an escape counts as what it stands for.
func Escaped(text []byte) int64 {
	var sum int64
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' || i+1 == len(text) {
			sum += int64(weights[c])
			continue
		}
		i++
		switch text[i] {
		case 'u':
			sum += three
			i = min(i+4, len(text)-1)
		case 'n', 'r', 't', 'b', 'f':
			sum += control
		default:
			sum += sign
		}
	}
	return round(sum)
}

// round rounds thousandths up: a text that is not empty is at least one token.
func round(sum int64) int64 { return (sum + 999) / 1000 }

// Bytes estimates the tokens of a text of which only the size is known.
func Bytes(n int) int64 { return int64(n+bytesPerToken-1) / bytesPerToken }

const bytesPerToken = 4

// Factor is how many tokens a target counts for each that is estimated: an average
// in which what is new weighs an eighth. The zero value is one to one.
type Factor struct{ learned float64 }

// Factors are what one VM learned, by the names of targets.
type Factors map[string]*Factor

// Of is a target's factor, which its first use makes.
func (all Factors) Of(target string) *Factor {
	f := all[target]
	if f == nil {
		f = &Factor{}
		all[target] = f
	}
	return f
}

// The bounds of a factor: what lies beyond is not how a model counts.
const (
	least, most = 0.3, 3
	gain        = 0.125
)

// Learn takes a count and what was estimated for it. Little text teaches nothing.
func (f *Factor) Learn(actual, estimated int64) {
	if f == nil || actual <= 0 || estimated < 16 {
		return
	}
	ratio := min(max(float64(actual)/float64(estimated), least), most)
	f.learned = f.value() + gain*(ratio-f.value())
}

func (f *Factor) value() float64 {
	if f == nil || f.learned == 0 {
		return 1
	}
	return f.learned
}

// Apply corrects an estimate.
func (f *Factor) Apply(estimated int64) int64 { return int64(float64(estimated)*f.value() + 0.5) }

// Fill completes what a provider did not count: output by the tokens that were seen
// to go by, input by the bytes of its text. What was counted is never made less.
func (f *Factor) Fill(u *llm.Usage, seen int64, text int) {
	if !u.Known || u.OutputTotal() < seen {
		u.Estimated = true
		u.Output += max(0, seen-u.OutputTotal())
	}
	if u.InputTotal() == 0 {
		u.Estimated = true
		u.Input = f.Apply(Bytes(text))
	}
}
