package jsonx

import "strconv"

// Bool returns the value of a raw true or false, and whether raw is one of them.
func Bool(raw []byte) (value, ok bool) {
	switch string(raw) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Float returns the value of a raw number, and whether raw is one that a float64 can hold.
func Float(raw []byte) (float64, bool) {
	if !isNumber(raw) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

// Int returns the value of a raw number that is an integer, and whether raw is one that an int64 can hold. 10.0 and 1e3 are
// integers: JSON does not tell them from 10 and 1000, and decoders differ, so a limit must not be missed for its spelling.
func Int(raw []byte) (int64, bool) {
	if !isNumber(raw) {
		return 0, false
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, true
	}
	return spelledInt(raw)
}

// isNumber reports whether raw is a number as JSON spells it (strconv takes more: signs, leading zeros, hexadecimal, words).
func isNumber(raw []byte) bool {
	s := scanner{b: raw}
	return KindOf(raw) == Number && s.number(0) == len(raw)
}

// spelledInt reads an integer with a fraction or an exponent, exactly.
func spelledInt(raw []byte) (int64, bool) {
	mantissa, exp := raw, 0
	for i, c := range raw {
		if c|0x20 == 'e' {
			mantissa, exp = raw[:i], exponent(raw[i+1:])
			break
		}
	}
	digits := make([]byte, 0, 32)
	seen := false
	for _, c := range mantissa {
		if c == '.' {
			seen = true
			continue
		}
		if seen {
			exp--
		}
		digits = append(digits, c)
	}
	return shift(digits, exp)
}

// exponent reads the digits of an exponent. More than a few of them are as good as infinity.
func exponent(raw []byte) int {
	n, err := strconv.Atoi(string(raw))
	if err != nil || n > maxBytes || n < -maxBytes {
		if raw[0] == '-' {
			return -maxBytes
		}
		return maxBytes
	}
	return n
}

// shift returns digits (with a sign perhaps) times ten to the power of exp, if that is an integer.
func shift(digits []byte, exp int) (int64, bool) {
	for exp < 0 && len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exp++
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if len(digits) == 0 || string(digits) == "-" || err == nil && n == 0 {
		return 0, true
	}
	if err != nil || exp < 0 {
		return 0, false
	}
	for ; exp > 0; exp-- {
		if n > maxInt/10 || n < minInt/10 {
			return 0, false
		}
		n *= 10
	}
	return n, true
}

const (
	maxInt = 1<<63 - 1
	minInt = -1 << 63
)
