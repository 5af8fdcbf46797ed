package jsonx

// text reads a string to its end, or to a character that the chunk cuts or that is wrong, which the other states then read byte by byte.
func (t *Tap) text(i int) int {
	chunk := t.chunk
	end := run(chunk, i)
	t.keep(chunk[i:end])
	if end == len(chunk) {
		return end
	}
	c := chunk[end]
	switch {
	case c == '"':
		t.closeText(end)
		return end + 1
	case c == '\\':
		t.state = tapEscape
	case c < 0x20:
		t.fail(CodeControl, t.read+end)
		return end
	default:
		t.lead(c, end)
	}
	t.keep(chunk[end : end+1])
	return end + 1
}

// keep holds the name of a member of the top-level object, as far as it can still be one of the keys: a character of a name is
// at most six bytes long when it is escaped.
func (t *Tap) keep(b []byte) {
	if !t.isKey || t.level != 1 {
		return
	}
	room := 6*t.keys.longest + 1 - len(t.name)
	t.name = append(t.name, b[:min(len(b), room)]...)
}

// closeText ends a string with the quote at i.
func (t *Tap) closeText(i int) {
	if !t.isKey {
		t.ended(i + 1)
		return
	}
	t.state = tapColon
	if t.level != 1 {
		return
	}
	t.slot = t.keys.Find(t.name)
	if t.slot < 0 {
		return
	}
	if t.found&(1<<t.slot) != 0 {
		t.fail(CodeDuplicateKey, t.at)
	}
	t.found |= 1 << t.slot
}

// lead reads the first byte of a UTF-8 sequence.
func (t *Tap) lead(c byte, i int) {
	t.seq = t.read + i
	t.rest, t.lo, t.hi = lead(c)
	t.state = tapRune
	if t.rest == 0 {
		t.fail(CodeUTF8, t.seq)
	}
}

// inside reads a byte of an escape, a UTF-8 sequence, a literal or a number.
func (t *Tap) inside(c byte, i int) int {
	switch t.state {
	case tapEscape, tapHex, tapRune:
		t.part(c, i)
		t.keep([]byte{c})
	case tapLiteral:
		if c != t.want[0] {
			t.fail(CodeSyntax, t.read+i)
			break
		}
		if t.want = t.want[1:]; t.want == "" {
			t.ended(i + 1)
		}
	default:
		return t.number(c, i)
	}
	return i + 1
}

// part reads a byte of an escape or of a UTF-8 sequence.
func (t *Tap) part(c byte, i int) {
	switch {
	case t.state == tapRune && (c < t.lo || c > t.hi):
		t.fail(CodeUTF8, t.seq)
	case t.state == tapRune:
		t.lo, t.hi = 0x80, 0xBF
		if t.rest--; t.rest == 0 {
			t.state = tapText
		}
	case t.state == tapHex && unhex(c) < 0:
		t.fail(CodeEscape, t.read+i)
	case t.state == tapHex:
		if t.hex--; t.hex == 0 {
			t.state = tapText
		}
	case c == 'u':
		t.state, t.hex = tapHex, 4
	default:
		t.state = tapText
		if !isEscape(c) {
			t.fail(CodeEscape, t.read+i)
		}
	}
}

// number reads the byte at i, which is part of a number or ends it.
func (t *Tap) number(c byte, i int) int {
	digit, e := isDigit(c), c|0x20 == 'e'
	switch s := t.state; {
	case s == tapZero && digit:
		t.fail(CodeNumber, t.read+i)
	case s == tapMinus && c == '0':
		t.state = tapZero
	case s == tapMinus && digit:
		t.state = tapInt
	case s == tapDot && digit:
		t.state = tapFraction
	case (s == tapE || s == tapSign) && digit:
		t.state = tapExponent
	case s == tapE && (c == '+' || c == '-'):
		t.state = tapSign
	case (s == tapZero || s == tapInt) && c == '.':
		t.state = tapDot
	case (s == tapZero || s == tapInt || s == tapFraction) && e:
		t.state = tapE
	case (s == tapInt || s == tapFraction || s == tapExponent) && digit:
	case s == tapMinus || s == tapDot || s == tapE || s == tapSign:
		t.fail(CodeNumber, t.read+i)
	default:
		t.ended(i)
		return i
	}
	return i + 1
}

// capture adds the bytes of the current value up to offset end of the chunk, or gives the value up when it is over the bound.
func (t *Tap) capture(end int) {
	b := t.chunk[t.from:end]
	start := int(t.spans[t.slot].val)
	if len(t.buf)-start+len(b) > t.max {
		t.buf = t.buf[:start]
		t.from, t.slot = -1, -1
		return
	}
	t.buf = append(t.buf, b...)
}

// captured ends the capture of the current value at offset end of the chunk.
func (t *Tap) captured(end int) {
	t.capture(end)
	if t.slot >= 0 {
		t.spans[t.slot].end = uint32(len(t.buf))
	}
	t.from, t.slot = -1, -1
}
