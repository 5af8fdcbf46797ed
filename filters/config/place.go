package config

import (
	"slices"
	"strconv"
	"strings"
)

// step is one token of a pointer.
type step struct {
	token  string
	index  int
	inList bool
}

// place is where a value stands: a chain up to the document. The pointer is
// rendered only when an error needs it.
type place struct {
	step
	parent *place // nil for the document itself
	node   *Node
	// line and column are where an error about the value as a whole shows:
	// its key, or the value itself in a list.
	line, column int32
}

// pointer renders the place by RFC 6901.
func (p *place) pointer() string {
	var path []step
	for ; p.parent != nil; p = p.parent {
		path = append(path, p.step)
	}
	slices.Reverse(path)
	return pointer(path)
}

// Pointer renders the path to a value by RFC 6901, from the document down. A
// path that is very long is cut.
func Pointer(tokens []string) string {
	path := make([]step, len(tokens))
	for i, t := range tokens {
		path[i].token = t
	}
	return pointer(path)
}

// maxPointer is about how many bytes of a pointer are shown.
const maxPointer = 2 * MaxKey

func pointer(path []step) string {
	var b []byte
	for _, s := range path {
		if len(b) > maxPointer {
			return string(b) + "…"
		}
		b = append(b, '/')
		if s.inList {
			b = strconv.AppendInt(b, int64(s.index), 10)
		} else {
			b = append(b, EscapeToken(s.token)...)
		}
	}
	return string(b)
}

// EscapeToken spells a key as a token of a JSON pointer (RFC 6901, section 3).
func EscapeToken(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

// UnescapeToken is the key that a token of a JSON pointer spells.
func UnescapeToken(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

// member is the place of a key of the object at p.
func (p *place) member(m *Member) *place {
	return &place{step: step{token: m.Key}, parent: p, node: m.Value, line: m.KeyLine, column: m.KeyColumn}
}

// absent is the place of a key that the object at p lacks: errors show at p.
func (p *place) absent(key string) *place {
	return &place{step: step{token: key}, parent: p, line: p.line, column: p.column}
}

// item is the place of entry i of the list at p.
func (p *place) item(i int) *place {
	n := p.node.Items[i]
	return &place{step: step{index: i, inList: true}, parent: p, node: n, line: n.Line, column: n.Column}
}

// to goes to a key or index of the value at p, whether or not it is there.
func (p *place) to(token string) *place {
	if p.node != nil && p.node.Kind == KindList {
		i, err := strconv.Atoi(token)
		if err == nil && 0 <= i && i < len(p.node.Items) {
			return p.item(i)
		}
	}
	if m := p.node.member(token); m != nil {
		return p.member(m)
	}
	return p.absent(token)
}

// find looks for a node in the document below p, by identity.
func (p *place) find(n *Node) *place {
	switch {
	case p.node == n:
		return p
	case p.node == nil:
		return nil
	}
	for i := range p.node.Members {
		if q := p.member(&p.node.Members[i]).find(n); q != nil {
			return q
		}
	}
	for i := range p.node.Items {
		if q := p.item(i).find(n); q != nil {
			return q
		}
	}
	return nil
}

// at makes an error of this place, shown at its key.
func (p *place) at(code Code, message, hint string) Error {
	return Error{Line: int(p.line), Column: int(p.column), Pointer: p.pointer(),
		Code: code, Message: message, Hint: hint}
}

// atValue makes an error of this place, shown at its value.
func (p *place) atValue(code Code, message, hint string) Error {
	e := p.at(code, message, hint)
	if p.node != nil && p.node.Line > 0 {
		e.Line, e.Column = int(p.node.Line), int(p.node.Column)
	}
	return e
}

// manyKeys is from how many keys on an object's duplicates are found by a map.
const manyKeys = 16

// keySet finds duplicate keys.
type keySet struct{ index map[string]int }

// add returns where key stands in members already, or -1 after noting that the
// caller appends it.
func (k *keySet) add(members []Member, key string) int {
	if len(members) < manyKeys {
		return slices.IndexFunc(members, func(m Member) bool { return m.Key == key })
	}
	if k.index == nil {
		k.index = make(map[string]int, 2*manyKeys)
		for i := range members {
			k.index[members[i].Key] = i
		}
	}
	if i, ok := k.index[key]; ok {
		return i
	}
	k.index[key] = len(members)
	return -1
}

// duplicate is the error of a key that the object has already.
func duplicate(first, again Member, pointer string) Error {
	return Error{Line: int(again.KeyLine), Column: int(again.KeyColumn), Pointer: pointer,
		Code: DuplicateKey, Message: "duplicate key " + Quote(again.Key),
		Hint: "the first is at " + position(first.KeyLine, first.KeyColumn)}
}

func position(line, column int32) string {
	return "line " + strconv.Itoa(int(line)) + ", column " + strconv.Itoa(int(column))
}
