package jsonx

import "bytes"

// Edits is a set of replacements that are applied to a document at once. Every byte outside them stays as it was. All places are
// those of the original document. The bytes handed over are not copied before Apply. The zero value is ready; Reset keeps the memory.
//
// A replacement that covers earlier ones takes their place. One that lies inside an earlier one or overlaps it in part cannot be
// meant: it is left out, and Conflict reports it. Inserts at one place appear in the order of their calls; next to a replacement
// they stand outside it.
type Edits struct {
	list     []edit // sorted, not overlapping
	out      []edit // list with the removed and added members resolved
	fresh    bool   // out is up to date
	conflict bool
	top      object
}

type edit struct {
	Span
	with []byte
}

// Replace replaces the bytes of s.
func (e *Edits) Replace(s Span, with []byte) {
	e.fresh = false
	e.list = e.put(e.list, edit{s, with})
}

// Insert inserts b before the byte at the given offset.
func (e *Edits) Insert(at int, b []byte) { e.Replace(Span{at, at}, b) }

// Conflict reports whether an edit was left out because it contradicts an earlier one or has no place in a document.
func (e *Edits) Conflict() bool { return e.conflict }

// Reset forgets all edits and keeps the memory.
func (e *Edits) Reset() {
	clear(e.list)
	clear(e.out)
	*e = Edits{list: e.list[:0], out: e.out[:0], top: e.top.emptied()}
}

// put adds n to a sorted list.
func (e *Edits) put(list []edit, n edit) []edit {
	if n.Start < 0 || n.End < n.Start {
		e.conflict = true
		return list
	}
	i := len(list)
	for i > 0 && n.before(list[i-1]) {
		i--
	}
	from := i
	for from > 0 && n.covers(list[from-1]) {
		from--
	}
	if from > 0 && list[from-1].End > n.Start || i < len(list) && list[i].Start < n.End {
		e.conflict = true
		return list
	}
	return splice(list, from, i, n)
}

// before reports whether n goes before o in the list. What it covers stays before it, to be replaced.
func (n edit) before(o edit) bool {
	if n.Len() == 0 {
		return n.Start < o.Start || n.Start == o.Start && o.Len() > 0
	}
	return n.End <= o.Start || n.Start < o.Start && n.End < o.End
}

// covers reports whether n takes the place of o.
func (n edit) covers(o edit) bool {
	if o.Len() == 0 {
		return n.Start < o.Start && o.Start < n.End
	}
	return n.Start <= o.Start && o.End <= n.End
}

// splice replaces list[from:to] by n.
func splice(list []edit, from, to int, n edit) []edit {
	if from == to {
		list = append(list, edit{})
		copy(list[from+1:], list[from:])
	} else {
		list = append(list[:from+1], list[to:]...)
	}
	list[from] = n
	return list
}

// Len returns by how many bytes Apply makes the document longer; negative if shorter.
func (e *Edits) Len() int {
	e.resolve()
	n := 0
	for _, c := range e.out {
		n += len(c.with) - c.Len()
	}
	return n
}

// Empty reports whether Apply would leave the document as it is.
func (e *Edits) Empty() bool {
	e.resolve()
	return len(e.out) == 0
}

// Apply appends the edited body to dst. The body is the one that the edits were made for.
func (e *Edits) Apply(dst, body []byte) []byte {
	e.resolve()
	at := 0
	for _, c := range e.out {
		if c.End > len(body) {
			break
		}
		dst = append(dst, body[at:c.Start]...)
		dst = append(dst, c.with...)
		at = c.End
	}
	return append(dst, body[at:]...)
}

// resolve brings the removed and the added members of the top-level object into the list.
func (e *Edits) resolve() {
	if e.fresh {
		return
	}
	e.fresh = true
	e.out = append(e.out[:0], e.list...)
	for _, s := range e.top.holes() {
		e.out = e.put(e.out, edit{s, nil})
	}
	if added := e.top.addition(); len(added) > 0 {
		e.out = e.put(e.out, edit{Span{e.top.tail, e.top.tail}, added})
	}
}

// SetMember replaces the value of a member of the top-level object, or appends a member at its end. key is the index among the
// document's keys, or -1 for a name that is not one of them, which is appended unseen; name is plain text, value raw JSON.
func (e *Edits) SetMember(d *Document, key int, name string, value []byte) {
	e.fresh = false
	if v, ok := d.Get(key); ok {
		e.top.restore(key)
		e.Replace(v.Span, value)
		return
	}
	e.top.see(d)
	e.top.add(name, value)
}

// RemoveMember removes a member of the top-level object together with one comma. If the member was set before, that is undone.
func (e *Edits) RemoveMember(d *Document, key int) {
	e.fresh = false
	e.top.see(d)
	if v, ok := d.Get(key); ok {
		e.top.remove(key, v.Member)
	}
	if d.keys != nil {
		e.top.drop(d.keys.Name(key))
	}
}

// object is what happens to the members of the top-level object. Commas depend on all of it, so they are settled at the end.
type object struct {
	body    []byte
	tail    int // where members are appended
	members int
	removed []hole // sorted
	spans   []Span // what is cut for them
	added   []member
	text    []byte // the added members as they are written
}

type hole struct {
	key  int
	span Span
}

type member struct {
	name  string
	value []byte
}

func (o *object) emptied() object {
	clear(o.added)
	return object{removed: o.removed[:0], spans: o.spans[:0], added: o.added[:0], text: o.text[:0]}
}

func (o *object) see(d *Document) {
	o.body, o.tail, o.members = d.body, d.tail, d.members
}

func (o *object) add(name string, value []byte) {
	for i := range o.added {
		if o.added[i].name == name {
			o.added[i].value = value
			return
		}
	}
	o.added = append(o.added, member{name, value})
}

func (o *object) drop(name string) {
	for i := range o.added {
		if o.added[i].name == name {
			o.added = append(o.added[:i], o.added[i+1:]...)
			return
		}
	}
}

func (o *object) remove(key int, s Span) {
	i := len(o.removed)
	for i > 0 && o.removed[i-1].span.Start > s.Start {
		i--
	}
	if i > 0 && o.removed[i-1].key == key {
		return
	}
	o.removed = append(o.removed, hole{})
	copy(o.removed[i+1:], o.removed[i:])
	o.removed[i] = hole{key, s}
}

func (o *object) restore(key int) {
	for i := range o.removed {
		if o.removed[i].key == key {
			o.removed = append(o.removed[:i], o.removed[i+1:]...)
			return
		}
	}
}

// holes returns what is to be cut: each removed member with the comma and the space behind it. Removed members at the end have no
// comma behind the last of them, so there the comma before the first of them goes.
func (o *object) holes() []Span {
	o.spans = o.spans[:0]
	last := -1
	for i, h := range o.removed {
		s := h.span
		comma := skipSpace(o.body, s.End)
		if comma < len(o.body) && o.body[comma] == ',' {
			s.End = skipSpace(o.body, comma+1)
		} else {
			last = i
		}
		o.spans = append(o.spans, s)
	}
	if last < 0 {
		return o.spans
	}
	for last > 0 && o.spans[last-1].End == o.spans[last].Start {
		last--
	}
	if comma := bytes.LastIndexByte(o.body[:o.spans[last].Start], ','); comma >= 0 && onlySpace(o.body[comma+1:o.spans[last].Start]) {
		o.spans[last].Start = comma
	}
	return o.spans
}

func onlySpace(b []byte) bool { return skipSpace(b, 0) == len(b) }

// addition returns the text of the added members.
func (o *object) addition() []byte {
	o.text = o.text[:0]
	first := o.members == len(o.removed)
	for _, m := range o.added {
		if !first {
			o.text = append(o.text, ',')
		}
		first = false
		o.text = append(Quote(o.text, m.name), ':')
		o.text = append(o.text, m.value...)
	}
	return o.text
}
