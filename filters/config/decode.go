package config

import (
	"slices"
	"strconv"
	"time"
)

// Decode reads a document into the variables that the fields point at, and
// fills the defaults of absent keys. It is strict: an unknown or duplicate key,
// a value of another type or beyond its bounds, an absent required key and a
// name that nothing bears are errors, of which it collects up to MaxErrors,
// sorted by position. With errors the variables are partly filled and must not
// be used. n may be nil, which reads as an empty object.
func Decode(n *Node, fields []Field) Errors {
	errs, _ := DecodeWithWarnings(n, fields)
	return errs
}

// DecodeWithWarnings is Decode, and also returns what is accepted but should
// be changed: deprecated keys, and what rules warn of.
func DecodeWithWarnings(n *Node, fields []Field) (errs, warnings Errors) {
	if n == nil {
		n = &Node{Kind: KindMap}
	}
	d := &decoder{spaces: map[string]*space{}}
	d.run(n, fields)
	return d.errs, d.warnings
}

// DecodeKnown is Decode for one part of the program that a document is for: keys
// that it does not know are another part's, and passed over.
func DecodeKnown(n *Node, fields []Field) Errors {
	d := &decoder{spaces: map[string]*space{}, part: true}
	d.run(n, fields)
	return d.errs
}

func (d *decoder) run(n *Node, fields []Field) {
	d.root = &place{node: n, line: n.Line, column: n.Column}
	d.object(d.root, fields)
	d.resolve()
	d.judge()
	d.errs.Sort()
	d.warnings.Sort()
}

// decoder is one run of Decode.
type decoder struct {
	root     *place
	part     bool // unknown keys are passed over
	errs     Errors
	warnings Errors
	found    int // errors so far, those beyond MaxErrors too
	spaces   map[string]*space
	refs     []reference
	rules    []ruleAt
}

// space is a namespace: the names in it, in order of appearance.
type space struct {
	places map[string]*place
	names  []string
}

type reference struct {
	namespace string
	at        *place
}

type ruleAt struct {
	test func(*Report)
	at   *place
}

func (d *decoder) add(e Error) {
	d.found++
	d.errs.Add(e)
}

// fail records an error at a value and returns false.
func (d *decoder) fail(at *place, code Code, message, hint string) bool {
	d.add(at.atValue(code, message, hint))
	return false
}

// table records a mistake in the table of fields.
func (d *decoder) table(at *place, message string) bool {
	d.add(at.at(BadTable, "mistake in the table of fields: "+message, ""))
	return false
}

// expect reports whether the value is of a kind, and records an error if not.
func (d *decoder) expect(at *place, k Kind, o *options) bool {
	if at.node.Kind == k {
		return true
	}
	return d.fail(at, WrongType, "expected "+k.String()+", found "+at.node.Kind.String(), kindHint(at.node, k, o))
}

// kindHint repeats no value: what stands in a wrong place may be a secret.
func kindHint(n *Node, want Kind, o *options) string {
	switch {
	case n.Kind == KindNull:
		return "give it a value or remove the key"
	case want == KindList && n.Kind == KindString:
		return "put it in brackets, as a list with one entry"
	case len(o.secret) > 0:
		return secretHint(o)
	case want == KindString && (n.Kind == KindNumber || n.Kind == KindBool):
		return "put it in quotes"
	case n.Kind == KindString && (want == KindNumber && ValidNumber(n.Text) ||
		want == KindBool && (n.Text == "true" || n.Text == "false")):
		return "write it without quotes"
	}
	return ""
}

// object decodes an object by its table and reports whether all is right.
func (d *decoder) object(at *place, fields []Field) bool {
	before := d.found
	if !d.expect(at, KindMap, &options{}) {
		return false
	}
	seen := make([]bool, len(fields))
	for i := range at.node.Members {
		d.member(at, &at.node.Members[i], fields, seen)
	}
	for i, f := range fields {
		if !seen[i] {
			d.absent(at, f.entry(), true)
		}
	}
	return d.found == before
}

// member decodes one key of an object.
func (d *decoder) member(at *place, m *Member, fields []Field, seen []bool) {
	here := at.member(m)
	i := slices.IndexFunc(fields, func(f Field) bool {
		e := f.entry()
		return e.rule == nil && e.name == m.Key
	})
	switch {
	case i < 0 && d.part:
	case i < 0:
		d.add(here.at(UnknownKey, "unknown key "+Quote(m.Key), suggest("known keys", m.Key, names(fields))))
	case seen[i]:
		d.add(duplicate(*at.node.member(m.Key), *m, here.pointer()))
	default:
		seen[i] = true
		e := fields[i].entry()
		if e.deprecated != "" {
			d.warnings.Add(here.at(DeprecatedKey, "the key "+Quote(e.name)+" is deprecated", e.deprecated))
		}
		d.value(here, e)
	}
}

// value decodes the value of a field that is there, and judges it.
func (d *decoder) value(at *place, e *entry) {
	if e.read(d, at, e) {
		d.passes(at, e)
	}
}

func names(fields []Field) []string {
	var ns []string
	for _, f := range fields {
		if e := f.entry(); e.rule == nil {
			ns = append(ns, e.name)
		}
	}
	return ns
}

// defaults fills a section that is absent.
func (d *decoder) defaults(at *place, fields []Field) {
	for _, f := range fields {
		d.absent(at, f.entry(), false)
	}
}

// absent deals with a field whose key the object at a place lacks.
func (d *decoder) absent(at *place, e *entry, demand bool) {
	here := at.absent(e.name)
	switch {
	case e.rule != nil:
		d.rules = append(d.rules, ruleAt{e.rule, at})
	case e.hasDefault:
		if here.node = defaultNode(e.def); here.node == nil {
			d.table(here, "a default of a type that the field has not")
			return
		}
		d.value(here, e)
	case e.required && demand:
		d.add(here.at(Missing, "missing key "+Quote(e.name), e.missingHint()))
	case e.kind == TypeObject && !e.optional:
		d.defaults(here, e.section(true))
	}
}

func (e *entry) missingHint() string {
	switch {
	case e.example != "":
		return "for example " + e.name + ": " + e.example
	case len(e.oneOf) > 0:
		return "one of: " + list(e.oneOf)
	case len(e.secret) > 0:
		return secretHint(&e.options)
	}
	return ""
}

// defaultNode spells a default as a document would, or returns nil.
func defaultNode(v any) *Node {
	switch v := v.(type) {
	case string:
		return &Node{Kind: KindString, Text: v}
	case bool:
		return &Node{Kind: KindBool, Text: strconv.FormatBool(v)}
	case int:
		return &Node{Kind: KindNumber, Text: strconv.Itoa(v)}
	case int64:
		return &Node{Kind: KindNumber, Text: strconv.FormatInt(v, 10)}
	case float64:
		return &Node{Kind: KindNumber, Text: strconv.FormatFloat(v, 'g', -1, 64)}
	case time.Duration:
		return &Node{Kind: KindString, Text: FormatDuration(v)}
	case []string:
		n := &Node{Kind: KindList}
		for _, s := range v {
			n.Items = append(n.Items, &Node{Kind: KindString, Text: s})
		}
		return n
	}
	return nil
}

// key judges a key of a Map and declares it.
func (d *decoder) key(at *place, before []Member, keys *keySet, o *options) bool {
	if first := keys.add(before, at.token); first >= 0 {
		d.add(duplicate(before[first], Member{Key: at.token, KeyLine: at.line, KeyColumn: at.column}, at.pointer()))
		return false
	}
	if o.anyKey && at.token != "" || ValidName(at.token) {
		return d.declare(o.namespace, at.token, at)
	}
	d.add(at.at(Invalid, Quote(at.token)+" is not a name", nameRule))
	return false
}

// declare makes a name in a namespace; the empty namespace takes none.
func (d *decoder) declare(namespace, name string, at *place) bool {
	if namespace == "" {
		return true
	}
	s := d.spaces[namespace]
	if s == nil {
		s = &space{places: map[string]*place{}}
		d.spaces[namespace] = s
	}
	if first := s.places[name]; first != nil {
		d.add(at.at(DuplicateKey, Quote(name)+" is used already in "+namespace,
			"the first is at "+position(first.line, first.column)))
		return false
	}
	s.places[name] = at
	s.names = append(s.names, name)
	return true
}

func (d *decoder) refer(namespace string, at *place) {
	d.refs = append(d.refs, reference{namespace, at})
}

// resolve finds the references that name nothing.
func (d *decoder) resolve() {
	for _, r := range d.refs {
		s := d.spaces[r.namespace]
		if s == nil {
			s = &space{}
		}
		if name := r.at.node.Text; s.places[name] == nil {
			d.fail(r.at, Dangling, "no "+Quote(name)+" in "+r.namespace, suggest(r.namespace, name, s.names))
		}
	}
}
