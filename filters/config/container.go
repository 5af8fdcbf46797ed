package config

// Named is an entry of a Map.
type Named[T any] struct {
	Name  string
	Value T
}

// The generic functions below only bind a type: every one of them is compiled
// again for each section, so what can be done without the type is done by the
// decoder.

// Object declares a section. Without the key its fields take their defaults;
// its required fields are then not missed.
func Object[T any](name string, p *T, fields func(*T) []Field, opts ...Option) Field {
	e := newEntry(name, TypeObject, p, readObject, opts)
	e.of = (*T)(nil)
	e.section = func(keep bool) []Field {
		if keep {
			return fields(p)
		}
		return fields(new(T))
	}
	return e
}

// Optional declares a section whose presence matters: without the key *p stays
// as it is, nil.
func Optional[T any](name string, p **T, fields func(*T) []Field, opts ...Option) Field {
	e := newEntry(name, TypeObject, p, readObject, opts)
	e.of, e.optional = (*T)(nil), true
	e.section = func(keep bool) []Field {
		v := new(T)
		if keep {
			*p = v
		}
		return fields(v)
	}
	return e
}

// Map declares an object whose keys are names and whose values are sections.
// The entries keep the order of the file; meaning should not hang on it, since
// a host may sort the keys of a configuration that passes through it.
func Map[T any](name string, p *[]Named[T], fields func(name string, t *T) []Field, opts ...Option) Field {
	e := newEntry(name, TypeMap, p, readMap, opts)
	e.of = (*T)(nil)
	e.entries = func(n int, keep bool) func(int, string) []Field {
		entries := make([]Named[T], n)
		if keep {
			*p = entries
		}
		return func(i int, key string) []Field {
			entries[i].Name = key
			return fields(key, &entries[i].Value)
		}
	}
	return e
}

// List declares a list of sections.
func List[T any](name string, p *[]T, fields func(*T) []Field, opts ...Option) Field {
	e := newEntry(name, TypeList, p, readList, opts)
	e.of = (*T)(nil)
	e.entries = func(n int, keep bool) func(int, string) []Field {
		entries := make([]T, n)
		if keep {
			*p = entries
		}
		return func(i int, _ string) []Field { return fields(&entries[i]) }
	}
	return e
}

func readObject(d *decoder, at *place, e *entry) bool {
	return d.object(at, e.section(true))
}

func readMap(d *decoder, at *place, e *entry) bool {
	members, ok := d.membersOf(at, e)
	if !ok {
		return false
	}
	fields := e.entries(len(members), true)
	var keys keySet
	for i := range members {
		here := at.member(&members[i])
		good := d.key(here, members[:i], &keys, &e.options)
		good = d.object(here, fields(i, members[i].Key)) && good
		ok = ok && good
	}
	return ok
}

// membersOf returns the members of an object, unless it is none or has too many.
func (d *decoder) membersOf(at *place, e *entry) ([]Member, bool) {
	members := at.node.Members
	return members, d.expect(at, KindMap, &e.options) && d.count(at, len(members), &e.options)
}

func readList(d *decoder, at *place, e *entry) bool {
	items, ok := d.itemsOf(at, e)
	if !ok {
		return false
	}
	fields := e.entries(len(items), true)
	for i := range items {
		good := d.object(at.item(i), fields(i, ""))
		ok = ok && good
	}
	return ok
}

// itemsOf returns the entries of a list, unless it is none or has too many.
func (d *decoder) itemsOf(at *place, e *entry) ([]*Node, bool) {
	items := at.node.Items
	return items, d.expect(at, KindList, &e.options) && d.count(at, len(items), &e.options)
}
