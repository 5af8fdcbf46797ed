package schema

import (
	"bytes"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// settle brings null, constants and the type in order before a node is written.
func (n *node) settle(w *walk, depth int) {
	if n.constant != nil && n.enum == nil {
		n.enum = append(append([]byte("["), n.constant...), ']')
	}
	n.alternativesOfNull(w, depth)
	if n.kinds&null != 0 && n.kinds != null {
		n.kinds, n.nullable = n.kinds&^null, true
	}
	if n.kinds&^null != 0 || len(n.anyOf) > 0 || w.rules.Keeps == nil {
		return
	}
	switch {
	case len(n.props) > 0 || n.more != nil:
		n.kinds |= object
	case n.items != nil:
		n.kinds |= array
	case n.enum != nil && words(n.enum):
		n.kinds |= text
	}
}

// alternativesOfNull takes the alternative null out: it makes the node nullable.
// A single alternative that is left is the node itself.
func (n *node) alternativesOfNull(w *walk, depth int) {
	kept := n.anyOf[:0]
	for _, raw := range n.anyOf {
		if isNull(raw) {
			n.nullable = true
		} else {
			kept = append(kept, raw)
		}
	}
	n.anyOf = kept
	if len(kept) == 1 && w.err == nil {
		n.anyOf = nil
		w.read(n, kept[0], depth+1)
		n.alternativesOfNull(w, depth+1)
	}
}

func isNull(raw []byte) bool {
	kind, _ := jsonx.Lookup(raw, "type")
	return kindOf(jsonx.Interior(kind)) == null
}

// words reports whether a list holds only strings and null.
func words(list []byte) bool {
	for it := jsonx.Elements(list); it.Next(); {
		if it.Kind() != jsonx.String && it.Kind() != jsonx.Null {
			return false
		}
	}
	return true
}

func (w *walk) name(k kinds) string {
	for i, word := range kindNames {
		if k == 1<<i {
			if w.rules.Capital {
				return string(bytes.ToUpper([]byte(word)))
			}
			return word
		}
	}
	return ""
}

// types writes type, with null in it where null is a type.
func (w *walk) types(n *node) {
	switch {
	case n.kinds == 0:
	case n.kinds.only() && (w.rules.Nullable || !n.nullable):
		w.w.Word("type", w.name(n.kinds))
	case w.rules.Nullable:
		w.several(n)
	default:
		w.w.Array("type")
		for k := kinds(1); k <= text; k <<= 1 {
			if n.kinds&k != 0 || k == null && n.nullable {
				w.w.Element([]byte(w.name(k)))
			}
		}
		w.w.Close(']')
	}
	if n.nullable && w.rules.Nullable {
		w.w.Literal("nullable", "true")
	}
}

// several writes several types as alternatives, where a type is one name. What
// else constrains them is written for the whole.
func (w *walk) several(n *node) {
	w.w.Array("anyOf")
	for k := kinds(1); k <= text; k <<= 1 {
		if n.kinds&k == 0 {
			continue
		}
		w.w.Open('{')
		w.w.Word("type", w.name(k))
		w.w.Close('}')
	}
	w.w.Close(']')
	if len(n.rest) > 0 || n.items != nil || len(n.props) > 0 {
		w.lose("type", dialect.Defaulted, "what constrains one of several types is left out")
	}
	n.rest, n.items, n.props, n.enum, n.form, n.kinds = nil, nil, nil, nil, nil, 0
}

func (w *walk) format(n *node) {
	if n.form == nil {
		return
	}
	if w.rules.Formats == nil {
		w.w.Raw("format", n.form)
		return
	}
	for _, f := range w.rules.Formats {
		if jsonx.Equal(jsonx.Interior(n.form), f) {
			w.w.Raw("format", n.form)
			return
		}
	}
	w.lose("format", dialect.Dropped, lacks)
}

// rest writes the keywords that are kept. Counts may have come as strings, as
// 64-bit numbers do in the JSON form of protocol buffers.
func (w *walk) rest(n *node) {
	for i, k := range n.rest {
		if n.again(i) {
			continue
		}
		value := k.value
		if digits := jsonx.Interior(value); isCount(k.name) && digits != nil {
			if _, ok := jsonx.Int(digits); ok {
				value = digits
			}
		}
		w.w.Key(string(jsonx.Escape(nil, k.name)))
		w.w.B = append(w.w.B, value...)
	}
}

// again reports whether a later keyword has the name of the i-th.
func (n *node) again(i int) bool {
	for _, k := range n.rest[i+1:] {
		if k.name == n.rest[i].name {
			return true
		}
	}
	return false
}

func isCount(name string) bool {
	switch name {
	case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
		return true
	}
	return false
}

// enum writes the values that are taken; null is one of them where null is a type.
func (w *walk) enum(n *node) {
	if n.enum == nil {
		return
	}
	if w.rules.Words && (!words(n.enum) || n.kinds != text) {
		w.lose("enum", dialect.Dropped, "only strings can be listed")
		return
	}
	w.w.Array("enum")
	null := false
	for it := jsonx.Elements(n.enum); it.Next(); {
		if it.Kind() == jsonx.Null {
			if null = true; w.rules.Nullable {
				continue
			}
		}
		value := it.Value()
		w.w.Open(value[0])
		w.w.B = append(w.w.B, value[1:]...)
	}
	if n.nullable && !null && !w.rules.Nullable {
		w.w.Open('n')
		w.w.B = append(w.w.B, "ull"...)
	}
	w.w.Close(']')
}

// alternatives writes anyOf.
func (w *walk) alternatives(n *node, depth int) {
	r := w.rules
	if !r.Alone {
		w.plain(&node{kinds: n.kinds, props: n.props, required: n.required, more: n.more, rest: n.rest, items: n.items, form: n.form, enum: n.enum}, depth)
	} else if len(n.props) > 0 || n.items != nil || n.enum != nil {
		w.lose("anyOf", dialect.Defaulted, "alternatives stand alone")
	}
	w.w.Array("anyOf")
	for _, raw := range n.anyOf {
		w.schema(raw, depth+1, n.nullable && r.Nullable)
	}
	if n.nullable && !r.Nullable {
		w.w.Open('{')
		w.w.Word("type", "null")
		w.w.Close('}')
	}
	w.w.Close(']')
}

// object writes properties, required and additionalProperties.
func (w *walk) object(n *node, depth int) {
	r := w.rules
	if len(n.props) > 0 {
		w.w.Object("properties")
		w.members(n, depth)
		w.w.Close('}')
	}
	w.required(n)
	switch kind := jsonx.KindOf(n.more); {
	case (r.Closed || r.Shut) && n.kinds&object != 0:
		w.w.Literal("additionalProperties", "false")
	case n.more == nil:
	case r.Open && kind == jsonx.Object:
		w.w.Key("additionalProperties")
		w.schema(n.more, depth+1, false)
	case r.Open:
		w.w.Raw("additionalProperties", n.more)
	}
	if no, ok := jsonx.Bool(n.more); n.more != nil && !r.Open && (!ok || no) {
		w.lose("additionalProperties", dialect.Dropped, lacks)
	}
}

func (w *walk) members(n *node, depth int) {
	for _, props := range n.props {
		for it := jsonx.Members(props); w.err == nil && it.Next(); {
			w.w.Key(string(it.Key()))
			optional := w.rules.Closed && !n.requires(it.Key())
			if optional {
				w.lose("required", dialect.Defaulted, "what is optional may be null instead")
			}
			w.schema(it.Value(), depth+1, optional)
		}
	}
}

func (n *node) requires(key []byte) bool {
	name := string(jsonx.Unescape(nil, key))
	for _, list := range n.required {
		for it := jsonx.Elements(list); it.Next(); {
			if jsonx.Equal(jsonx.Interior(it.Value()), name) {
				return true
			}
		}
	}
	return false
}

func (n *node) has(interior []byte) bool {
	name := string(jsonx.Unescape(nil, interior))
	for _, props := range n.props {
		if _, ok := step(props, name); ok {
			return true
		}
	}
	return false
}

// required writes the members that must be there: all of them where objects are
// closed, else those named; subsets refuse a name that no property has.
func (w *walk) required(n *node) {
	start := len(w.w.B)
	w.w.Array("required")
	count := 0
	if w.rules.Closed {
		for _, props := range n.props {
			for it := jsonx.Members(props); it.Next(); count++ {
				w.w.Element(it.Key())
			}
		}
	}
	for _, list := range n.required {
		for it := jsonx.Elements(list); !w.rules.Closed && it.Next(); {
			name := jsonx.Interior(it.Value())
			if name == nil || w.rules.Keeps != nil && !n.has(name) {
				continue
			}
			w.w.Element(name)
			count++
		}
	}
	if w.w.Close(']'); count == 0 && !(w.rules.Closed && n.kinds&object != 0) {
		w.w.B = w.w.B[:start]
	}
}

// array writes items: subsets want it of every array.
func (w *walk) array(n *node, depth int) {
	switch {
	case n.kinds&array == 0 && (w.rules.Keeps != nil || n.items == nil):
	case n.items != nil && jsonx.KindOf(n.items) != jsonx.Array:
		w.w.Key("items")
		w.schema(n.items, depth+1, false)
	case w.rules.Keeps != nil:
		w.w.Object("items")
		w.w.Word("type", w.name(text))
		w.w.Close('}')
		w.lose("items", dialect.Defaulted, "items of any type are strings")
	case n.items != nil:
		w.w.Raw("items", n.items)
	}
}
