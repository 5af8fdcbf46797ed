package config

// Enum declares a text that is one of a few values.
func Enum[T ~string](name string, p *T, values []T, opts ...Option) Field {
	e := newEntry(name, TypeString, p, nil, opts)
	e.read = func(d *decoder, at *place, e *entry) bool {
		*p = T(at.node.Text)
		return d.expect(at, KindString, &e.options) && d.oneOf(at, at.node.Text, e.oneOf)
	}
	e.oneOf = make([]string, len(values))
	for i, v := range values {
		e.oneOf[i] = string(v)
	}
	if v, ok := e.def.(T); ok {
		e.def = string(v)
	}
	return e
}

// Ref declares a text that names an entry of a namespace (In). It is checked
// after the whole document is decoded, so the entry may follow.
func Ref(name string, p *string, namespace string, opts ...Option) Field {
	e := newEntry(name, TypeString, p, readRef, opts)
	e.refers = namespace
	return e
}

func readRef(d *decoder, at *place, e *entry) bool {
	if !d.expect(at, KindString, &e.options) {
		return false
	}
	d.refer(e.refers, at)
	*e.value.(*string) = at.node.Text
	return true
}

// Refs declares a list of texts that each name an entry of a namespace.
func Refs(name string, p *[]string, namespace string, opts ...Option) Field {
	e := newEntry(name, TypeList, p, readStrings, opts)
	e.refers = namespace
	return e
}

// Strings declares a list of texts.
func Strings(name string, p *[]string, opts ...Option) Field {
	return newEntry(name, TypeList, p, readStrings, opts)
}

func readStrings(d *decoder, at *place, e *entry) bool {
	items, ok := d.itemsOf(at, e)
	if !ok {
		return false
	}
	v := make([]string, len(items))
	for i, n := range items {
		here := at.item(i)
		good := d.text(here, e)
		ok, v[i] = ok && good, n.Text
		if e.refers != "" {
			d.refer(e.refers, here)
		}
	}
	*e.value.(*[]string) = v
	return ok
}

// text judges one entry of Strings.
func (d *decoder) text(at *place, e *entry) bool {
	switch {
	case !d.expect(at, KindString, &e.options):
		return false
	case len(e.secret) > 0:
		return d.secret(at, &e.options)
	}
	return len(e.oneOf) == 0 || d.oneOf(at, at.node.Text, e.oneOf)
}

// StringMap declares an object whose keys are free and whose values are texts.
func StringMap(name string, p *map[string]string, opts ...Option) Field {
	return newEntry(name, TypeMap, p, readStringMap, opts)
}

func readStringMap(d *decoder, at *place, e *entry) bool {
	members, ok := d.membersOf(at, e)
	if !ok {
		return false
	}
	v := make(map[string]string, len(members))
	var keys keySet
	for i := range members {
		m := &members[i]
		here := at.member(m)
		good := d.expect(here, KindString, &e.options)
		if e.namespace != "" {
			good = d.key(here, members[:i], &keys, &e.options) && good
		}
		ok = ok && good
		v[m.Key] = m.Value.Text
	}
	*e.value.(*map[string]string) = v
	return ok
}

// Raw declares a value of any kind that its owner reads by itself; it may
// report on it through Report.AtNode.
func Raw(name string, p **Node, opts ...Option) Field {
	return newEntry(name, TypeAny, p, readRaw, opts)
}

func readRaw(_ *decoder, at *place, e *entry) bool {
	*e.value.(**Node) = at.node
	return true
}
