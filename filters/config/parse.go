package config

import "strconv"

// Bounds of a document. A document beyond them is refused, never cut.
const (
	MaxBytes = 8 << 20
	MaxDepth = 64
	MaxNodes = 1 << 19
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
	n, ok := p.value(nil)
	if ok {
		p.space()
		if p.pos < len(p.text) {
			ok = p.fail("text after the end of the document")
		}
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
	depth     int
	nodes     int
	errs      Errors
}

func (p *parser) column() int32 { return int32(p.pos - p.lineStart - p.wide + 1) }

func (p *parser) fail(message string) bool {
	p.errs.Add(Error{Line: int(p.line), Column: int(p.column()), Code: Syntax, Message: message})
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

func (p *parser) value(at *place) (*Node, bool) {
	c := p.peek()
	n := &Node{Line: p.line, Column: p.column()}
	if p.nodes++; p.nodes > MaxNodes {
		return nil, p.fail("the document has too many values")
	}
	switch {
	case c == '{':
		return n, p.nested(n, at, (*parser).object)
	case c == '[':
		return n, p.nested(n, at, (*parser).list)
	case c == '"':
		n.Kind = KindString
		return n, p.str(&n.Text)
	case c == '-' || '0' <= c && c <= '9':
		return n, p.number(n)
	default:
		return n, p.literal(n)
	}
}

func (p *parser) nested(n *Node, at *place, read func(*parser, *Node, *place) bool) bool {
	if p.depth == MaxDepth {
		return p.fail("nested too deep: at most " + strconv.Itoa(MaxDepth) + " levels")
	}
	p.depth++
	p.pos++
	ok := read(p, n, at)
	p.depth--
	return ok
}

func (p *parser) object(n *Node, at *place) bool {
	n.Kind = KindMap
	if p.peek() == '}' {
		p.pos++
		return true
	}
	var keys keySet
	for {
		if !p.memberOf(n, at, &keys) {
			return false
		}
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return true
		default:
			return p.fail("expected ',' or '}'")
		}
	}
}

// memberOf reads one key and its value into n.
func (p *parser) memberOf(n *Node, at *place, keys *keySet) bool {
	if p.peek() != '"' {
		return p.fail("expected a key in quotes")
	}
	m := Member{KeyLine: p.line, KeyColumn: p.column()}
	if !p.str(&m.Key) {
		return false
	}
	here := &place{parent: at, token: m.Key}
	if p.peek() != ':' {
		return p.fail("expected ':'")
	}
	p.pos++
	v, ok := p.value(here)
	if !ok {
		return false
	}
	m.Value = v
	if first := keys.add(n.Members, m.Key); first >= 0 {
		p.errs.Add(duplicate(n.Members[first], m, here))
		return true
	}
	n.Members = append(n.Members, m)
	return true
}

func (p *parser) list(n *Node, at *place) bool {
	n.Kind = KindList
	if p.peek() == ']' {
		p.pos++
		return true
	}
	for {
		v, ok := p.value(&place{parent: at, index: len(n.Items), inList: true})
		if !ok {
			return false
		}
		n.Items = append(n.Items, v)
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return true
		default:
			return p.fail("expected ',' or ']'")
		}
	}
}

var literals = [...]struct {
	text string
	kind Kind
}{{"true", KindBool}, {"false", KindBool}, {"null", KindNull}}

func (p *parser) literal(n *Node) bool {
	if p.pos == len(p.text) {
		return p.fail("unexpected end")
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
	return p.fail("expected a value")
}

// number reads RFC 8259's number and keeps its spelling.
func (p *parser) number(n *Node) bool {
	start := p.pos
	end := start + numberLen(p.text[start:])
	if end == start {
		return p.fail("not a number")
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
