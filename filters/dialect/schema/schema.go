// Package schema brings JSON Schema (draft 2020-12) into the subsets of it that
// providers take, and back. What a subset is made of is data: [Rules]. One walk
// serves them all.
//
// What has no place in a subset is replaced by what comes nearest or left out;
// the ledger is told each time that something is lost. What would change the
// meaning for good (a reference that leads nowhere, nesting beyond [MaxDepth], a
// schema that grows beyond [maxBytes] once its references are written out) is refused.
//
//   - $ref is written out in place; a schema that contains itself is cut there,
//     and takes any object.
//   - allOf becomes one schema; oneOf becomes anyOf, which takes more.
//   - null among the types, or as an alternative, becomes nullable, or the other
//     way round; several types become alternatives.
//   - const becomes an enum of one.
//   - Annotations that constrain nothing are left out without a word.
//
// The package validates no values, fetches nothing, and knows no provider's
// models: which subset one takes is the codec's own knowledge.
package schema

import (
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// The bounds of one schema.
const (
	MaxDepth = 48      // nested schemas
	maxNodes = 4096    // schemas, unknown keywords and required names within it, references written out
	maxLook  = 1 << 25 // bytes read to follow references
	maxBytes = 1 << 19 // of what is written
)

// Rules say what a subset is made of.
type Rules struct {
	// Keeps are the keywords that are taken as they are; nil: all but Leaves.
	Keeps *jsonx.Keys
	// Leaves are the keywords that are left out without a loss.
	Leaves *jsonx.Keys
	// Formats are the values of format that are taken; nil: all.
	Formats []string
	Capital bool // names of types are in capitals
	// Nullable says that null is spelled "nullable": true; else it is a type.
	Nullable bool
	// Words says that an enum holds strings only.
	Words bool
	// Alone says that a schema with anyOf has nothing else.
	Alone bool
	// Closed says that an object must require each of its members and take no
	// others: what is optional becomes nullable.
	Closed bool
	// Shut says that an object must take no other members than its own.
	Shut bool
	// Open says that additionalProperties may be a schema or true.
	Open bool
}

// OpenAPI is the subset of OpenAPI 3.0 that Google's Schema type holds (API
// reference, Schema, v1beta).
var OpenAPI = Rules{
	Keeps: jsonx.NewKeys("title", "description", "minItems", "maxItems", "minProperties", "maxProperties", "minLength",
		"maxLength", "pattern", "example", "default", "minimum", "maximum", "propertyOrdering"),
	Leaves:  annotations,
	Formats: []string{"float", "double", "int32", "int64", "enum", "date-time"},
	Capital: true, Nullable: true, Words: true, Alone: true,
}

// Plain is JSON Schema itself: what a schema of the subsets means without them.
var Plain = Rules{Leaves: jsonx.NewKeys("propertyOrdering", "example"), Open: true}

// Strict is the subset that OpenAI's strict mode takes (structured outputs guide,
// supported schemas).
var Strict = Rules{
	Keeps: jsonx.NewKeys("title", "description", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
		"multipleOf", "minItems", "maxItems"),
	Leaves:  annotations,
	Formats: []string{"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"},
	Closed:  true,
}

// Claude is the subset that Anthropic's structured outputs take (structured outputs
// guide, JSON Schema limitations).
var Claude = Rules{
	Keeps:   jsonx.NewKeys("title", "description", "default", "pattern"),
	Leaves:  annotations,
	Formats: []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
	Shut:    true,
}

var annotations = jsonx.NewKeys("$schema", "$id", "$anchor", "$comment", "$defs", "definitions", "examples", "readOnly",
	"writeOnly", "deprecated", "contentMediaType", "contentEncoding")

// Lower appends what a schema becomes. at is its place in the request, for the
// ledger and for an error.
func (r *Rules) Lower(dst []byte, schema []byte, at string, l *dialect.Ledger) ([]byte, *llm.Error) {
	w := &walk{rules: r, root: schema, at: at, ledger: l, w: dialect.Writer{B: dst}, limit: len(dst) + maxBytes}
	w.schema(schema, 0, false)
	if w.err != nil {
		return dst, w.err
	}
	return w.w.B, nil
}

// walk is the state of one lowering.
type walk struct {
	rules  *Rules
	root   []byte
	at     string
	ledger *dialect.Ledger
	w      dialect.Writer
	err    *llm.Error
	limit  int
	nodes  int
	looked int      // bytes that following references took
	inside []string // references that are being written out
}

func (w *walk) refuse(why string) {
	if w.err == nil {
		w.err = dialect.Unsupported(w.at, "The JSON schema "+why+".")
	}
}

func (w *walk) lose(keyword string, fate dialect.Fate, why string) {
	w.ledger.Note(w.at+"/"+keyword, fate, why)
}

const lacks = "the target's schemas lack it"

// schema writes one schema. optional asks that it takes null, too.
func (w *walk) schema(raw []byte, depth int, optional bool) {
	n := node{nullable: optional}
	inside := len(w.inside)
	w.read(&n, raw, depth)
	if w.err == nil {
		w.write(&n, depth)
	}
	w.inside = w.inside[:inside]
	if len(w.w.B) > w.limit {
		w.refuse("is too large once its references are written out")
	}
}

// write writes a schema that was taken apart.
func (w *walk) write(n *node, depth int) {
	if depth == 0 {
		w.w.Begin('{')
	} else {
		w.w.Open('{')
	}
	n.settle(w, depth)
	if len(n.anyOf) > 0 {
		w.alternatives(n, depth)
	} else {
		w.plain(n, depth)
	}
	w.w.Close('}')
}

// plain writes a schema without alternatives.
func (w *walk) plain(n *node, depth int) {
	w.types(n)
	w.format(n)
	w.rest(n)
	w.enum(n)
	w.object(n, depth)
	w.array(n, depth)
}
