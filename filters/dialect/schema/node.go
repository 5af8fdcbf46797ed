package schema

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// kinds are the types of JSON Schema, by bit.
type kinds uint8

const (
	null kinds = 1 << iota
	boolean
	object
	array
	number
	integer
	text
)

var kindNames = []string{"null", "boolean", "object", "array", "number", "integer", "string"}

// only reports whether there is no more than one of them.
func (k kinds) only() bool { return k&(k-1) == 0 }

// kindOf reads a name of a type, in capitals or not.
func kindOf(name []byte) kinds {
	for i, word := range kindNames {
		if len(name) == len(word) && bytes.EqualFold(name, []byte(word)) {
			return 1 << i
		}
	}
	return 0
}

// node is a schema with its keywords apart: those of what it refers to, and of
// what allOf joins, are its own.
type node struct {
	kinds    kinds
	nullable bool
	any      bool     // it takes everything
	props    [][]byte // objects of properties
	required [][]byte
	more     []byte // additionalProperties
	items    []byte
	anyOf    [][]byte // alternatives
	enum     []byte
	constant []byte
	form     []byte
	rest     []keyword
}

type keyword struct {
	name  string
	value []byte
}

// read adds a schema's keywords to a node.
func (w *walk) read(n *node, raw []byte, depth int) {
	w.nodes++
	switch {
	case depth > MaxDepth:
		w.refuse("nests too deep")
	case jsonx.KindOf(raw) == jsonx.Boolean:
		n.any = true
		if takes, _ := jsonx.Bool(raw); !takes {
			w.lose("false", dialect.Defaulted, lacks)
		}
	case jsonx.KindOf(raw) != jsonx.Object:
		w.refuse("has a part that is neither an object nor a boolean")
	}
	for it := jsonx.Members(raw); w.err == nil && it.Next(); {
		w.keyword(n, &it, depth)
	}
	if w.nodes > maxNodes {
		w.refuse("has too many parts")
	}
}

func (w *walk) keyword(n *node, it *jsonx.Iter, depth int) {
	value := it.Value()
	switch name := string(dialect.Name(it)); name {
	case "type":
		n.types(value)
	case "nullable":
		is, _ := jsonx.Bool(value)
		n.nullable = n.nullable || is
	case "properties":
		n.props = append(n.props, value)
	case "required":
		n.required = append(n.required, value)
		for name := jsonx.Elements(value); name.Next(); {
			w.nodes++
		}
	case "additionalProperties":
		n.more = value
	case "items":
		n.items = value
	case "anyOf", "oneOf":
		w.choices(n, name, value)
	case "allOf":
		for part := jsonx.Elements(value); w.err == nil && part.Next(); {
			w.read(n, part.Value(), depth+1)
		}
	case "enum":
		n.enum = value
	case "const":
		n.constant = value
	case "format":
		n.form = value
	case "$ref":
		w.follow(n, jsonx.Interior(value), depth)
	default:
		w.other(n, name, value)
	}
}

func (n *node) types(value []byte) {
	if name := jsonx.Interior(value); name != nil {
		n.kinds |= kindOf(name)
	}
	for it := jsonx.Elements(value); it.Next(); {
		n.kinds |= kindOf(jsonx.Interior(it.Value()))
	}
}

func (w *walk) choices(n *node, name string, value []byte) {
	if len(n.anyOf) > 0 {
		w.lose(name, dialect.Dropped, "one list of alternatives is taken")
		return
	}
	if name == "oneOf" && w.rules.Keeps != nil {
		w.lose(name, dialect.Defaulted, "more than one of the alternatives may match")
	}
	for it := jsonx.Elements(value); it.Next(); {
		n.anyOf = append(n.anyOf, it.Value())
	}
}

// other keeps a keyword, or leaves it out.
func (w *walk) other(n *node, name string, value []byte) {
	key := []byte(name)
	switch r := w.rules; {
	case r.Leaves.Find(key) >= 0:
	case r.Keeps == nil && name != "$defs" && name != "definitions", r.Keeps != nil && r.Keeps.Find(key) >= 0:
		w.nodes++
		n.rest = append(n.rest, keyword{name, value})
	case r.Keeps != nil:
		w.lose(plainName(name), dialect.Dropped, lacks)
	}
}

// plainName bounds a keyword that a client made up.
func plainName(name string) string {
	const most = 40
	if len(name) > most {
		return "…"
	}
	return name
}

// follow reads what a reference points at in its place.
func (w *walk) follow(n *node, ref []byte, depth int) {
	target, ok := w.find(ref)
	if !ok {
		w.refuse("has a reference that leads nowhere")
		return
	}
	for _, open := range w.inside {
		if open == string(ref) {
			n.kinds |= object
			w.lose("$ref", dialect.Defaulted, "a schema that contains itself is cut")
			return
		}
	}
	w.inside = append(w.inside, string(ref))
	w.read(n, target, depth+1)
}

// find resolves a reference within the document: "#", or "#/" and a JSON pointer.
func (w *walk) find(ref []byte) ([]byte, bool) {
	path, ok := bytes.CutPrefix(ref, []byte("#"))
	if !ok || len(path) > 512 || w.looked > maxLook {
		return nil, false
	}
	at := w.root
	for len(path) > 0 {
		if path[0] != '/' {
			return nil, false
		}
		var name []byte
		if end := bytes.IndexByte(path[1:], '/'); end >= 0 {
			name, path = path[1:1+end], path[1+end:]
		} else {
			name, path = path[1:], nil
		}
		w.looked += len(at)
		if at, ok = step(at, unpoint(name)); !ok {
			return nil, false
		}
	}
	return at, true
}

func step(at []byte, name string) ([]byte, bool) {
	for it := jsonx.Members(at); it.Next(); {
		if it.KeyIs(name) {
			return it.Value(), true
		}
	}
	return nil, false
}

// unpoint undoes the escapes of a JSON string and of a JSON pointer in a URI
// fragment (RFC 6901, section 6), as far as names of definitions have them.
func unpoint(name []byte) string {
	name = jsonx.Unescape(nil, name)
	for _, pair := range [][2]string{{"%7B", "{"}, {"%7D", "}"}, {"%5B", "["}, {"%5D", "]"}, {"%20", " "}, {"%25", "%"}, {"~1", "/"}, {"~0", "~"}} {
		name = bytes.ReplaceAll(name, []byte(pair[0]), []byte(pair[1]))
	}
	return string(name)
}
