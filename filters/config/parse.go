package config

import (
	"slices"
	"strconv"
)

// Bounds of a document. A document beyond them is refused, never cut.
const (
	MaxBytes = 8 << 20
	MaxDepth = 64
	MaxNodes = 1 << 19
	MaxKey   = 512 // bytes
)

// ParseJSON reads one JSON text (RFC 8259). A duplicate key is an error, as is
// text that is not valid UTF-8 or escapes half a surrogate pair. After a
// syntax error the node is nil; with duplicate keys alone it holds the first
// value of each key.
func ParseJSON(data []byte) (*Node, Errors) {
	if len(data) > MaxBytes {
		return nil, Errors{{Line: 1, Column: 1, Code: TooLarge,
			Message: "the document is larger than " + strconv.Itoa(MaxBytes) + " bytes"}}
	}
	p := &parser{text: string(data), line: 1}
	n, ok := p.value()
	if p.space(); ok && p.pos < len(p.text) {
		ok = p.fail("text after the end of the document", "")
	}
	p.errs.Sort()
	if !ok {
		return nil, p.errs
	}
	return n, p.errs
}

// parser is a recursive-descent parser. Every method that can fail returns
// whether to go on; the first syntax error ends the parse.
type parser struct {
	text      string
	pos       int
	line      int32
	lineStart int
	wide      int // bytes on this line that continue a character
	nodes     int
	depth     int
	path      []step
	slab      []Node
	members   []Member // of the objects that it is in
	items     []*Node  // of the lists that it is in
	errs      Errors
}

func (p *parser) column() int32 { return int32(p.pos - p.lineStart - p.wide + 1) }

func (p *parser) fail(message, hint string) bool { return p.failAs(Syntax, message, hint) }

func (p *parser) failAs(code Code, message, hint string) bool {
	p.errs.Add(Error{Line: int(p.line), Column: int(p.column()), Pointer: pointer(p.path),
		Code: code, Message: message, Hint: hint})
	return false
}

// space skips white space and counts lines.
func (p *parser) space() {
	for ; p.pos < len(p.text); p.pos++ {
		switch p.text[p.pos] {
		case '\n':
			p.line++
			p.lineStart, p.wide = p.pos+1, 0
		case ' ', '\t', '\r':
		default:
			return
		}
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

func (p *parser) value() (*Node, bool) {
	c := p.peek()
	if p.nodes++; p.nodes > MaxNodes {
		return nil, p.failAs(TooLarge, "the document has too many values", "")
	}
	n := p.node()
	switch {
	case c == '{':
		return n, p.nested(n, (*parser).object)
	case c == '[':
		return n, p.nested(n, (*parser).list)
	case c == '"':
		n.Kind = KindString
		return n, p.str(&n.Text)
	case c == '-' || '0' <= c && c <= '9':
		return n, p.number(n)
	default:
		return n, p.literal(n)
	}
}

// node takes a node from a slab: a document has many and they live as long as
// each other.
func (p *parser) node() *Node {
	if len(p.slab) == 0 {
		p.slab = make([]Node, min(max(p.nodes, 8), 512))
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	n.Line, n.Column = p.line, p.column()
	return n
}

func (p *parser) nested(n *Node, read func(*parser, *Node) bool) bool {
	if p.depth == MaxDepth {
		return p.failAs(TooLarge, "nested too deep", "at most "+strconv.Itoa(MaxDepth)+" levels")
	}
	p.depth++
	p.pos++
	ok := read(p, n)
	p.depth--
	return ok
}

// below reads a value that is one step down.
func (p *parser) below(s step) (*Node, bool) {
	p.path = append(p.path, s)
	n, ok := p.value()
	if ok {
		p.path = p.path[:len(p.path)-1]
	}
	return n, ok
}

func (p *parser) object(n *Node) bool {
	n.Kind = KindMap
	if p.peek() == '}' {
		p.pos++
		return true
	}
	var keys keySet
	first := len(p.members)
	for {
		if !p.member(first, &keys) {
			return false
		}
		if more, ok := p.more('}'); !more {
			n.Members = slices.Clone(p.members[first:])
			p.members = p.members[:first]
			return ok
		}
	}
}

// more reads what follows an entry: a comma, after which there is another, or
// the end.
func (p *parser) more(end byte) (more, ok bool) {
	switch c := p.peek(); c {
	case ',':
		p.pos++
		if p.peek() == end {
			return false, p.fail("a comma without an entry after it", "remove the comma")
		}
		return true, true
	case end:
		p.pos++
		return false, true
	}
	return false, p.fail("expected ',' or '"+string(rune(end))+"'", "")
}

// member reads one key and its value of the object whose members begin at an
// index.
func (p *parser) member(begin int, keys *keySet) bool {
	if p.peek() != '"' {
		return p.fail("expected a key in double quotes", p.notJSON())
	}
	m := Member{KeyLine: p.line, KeyColumn: p.column()}
	if !p.str(&m.Key) {
		return false
	}
	if len(m.Key) > MaxKey {
		p.errs.Add(Error{Line: int(m.KeyLine), Column: int(m.KeyColumn), Pointer: pointer(p.path),
			Code: TooLarge, Message: "a key is too long", Hint: "at most " + strconv.Itoa(MaxKey) + " bytes"})
		return false
	}
	if p.peek() != ':' {
		return p.fail("expected ':'", "")
	}
	p.pos++
	ok := false
	if m.Value, ok = p.below(step{token: m.Key}); !ok {
		return false
	}
	if first := keys.add(p.members[begin:], m.Key); first >= 0 {
		at := pointer(p.path) + "/" + EscapeToken(m.Key)
		p.errs.Add(duplicate(p.members[begin+first], m, at))
		return true
	}
	p.members = append(p.members, m)
	return true
}

func (p *parser) list(n *Node) bool {
	n.Kind = KindList
	if p.peek() == ']' {
		p.pos++
		return true
	}
	first := len(p.items)
	for {
		v, ok := p.below(step{index: len(p.items) - first, inList: true})
		if !ok {
			return false
		}
		p.items = append(p.items, v)
		if more, ok := p.more(']'); !more {
			n.Items = slices.Clone(p.items[first:])
			p.items = p.items[:first]
			return ok
		}
	}
}

var literals = [...]struct {
	text string
	kind Kind
}{{"true", KindBool}, {"false", KindBool}, {"null", KindNull}}

func (p *parser) literal(n *Node) bool {
	if p.pos == len(p.text) {
		return p.fail("unexpected end of the document", "")
	}
	for _, l := range literals {
		if len(p.text)-p.pos < len(l.text) || p.text[p.pos:p.pos+len(l.text)] != l.text {
			continue
		}
		p.pos += len(l.text)
		if n.Kind = l.kind; l.kind == KindBool {
			n.Text = l.text
		}
		return true
	}
	return p.fail("expected a value", p.notJSON())
}

// notJSON is a hint on what other formats have.
func (p *parser) notJSON() string {
	switch p.peek() {
	case '\'':
		return "JSON has double quotes only"
	case '/', '#':
		return "JSON has no comments"
	}
	return ""
}

// number reads RFC 8259's number and keeps its spelling.
func (p *parser) number(n *Node) bool {
	start := p.pos
	end := start + numberLen(p.text[start:])
	if end == start {
		return p.fail("not a number", "write it as 1234 or 1.5")
	}
	p.pos = end
	n.Kind, n.Text = KindNumber, p.text[start:end]
	return true
}

// ValidNumber reports whether s is spelled as JSON spells a number.
func ValidNumber(s string) bool { return s != "" && numberLen(s) == len(s) }

// numberLen returns how many bytes at the start of s are a number, 0 if none.
func numberLen(s string) int {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digits(s[i:])
	if whole == 0 || whole > 1 && s[i] == '0' {
		return 0
	}
	i += whole
	if i < len(s) && s[i] == '.' {
		d := digits(s[i+1:])
		if d == 0 {
			return 0
		}
		i += 1 + d
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		d := digits(s[i:])
		if d == 0 {
			return 0
		}
		i += d
	}
	return i
}

func digits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}
