package config

// Named is an entry of a Map.
type Named[T any] struct {
	Name  string
	Value T
}

// Object declares a section. Without the key its fields take their defaults;
// its required fields are then not missed.
func Object[T any](name string, p *T, fields func(*T) []Field, opts ...Option) Field {
	e := newEntry(name, opts)
	e.decode = func(d *decoder, at *place) {
		if d.object(at, fields(p)) {
			passes(d, at, &e.options, *p)
		}
	}
	e.absent = func(d *decoder, at *place) { d.defaults(at, fields(p)) }
	e.shape = objectShape(fields)
	e.typed = checksAre[T]
	return e
}

// Optional declares a section whose presence matters: without the key *p stays
// as it is, nil.
func Optional[T any](name string, p **T, fields func(*T) []Field, opts ...Option) Field {
	e := newEntry(name, opts)
	e.decode = func(d *decoder, at *place) {
		v := new(T)
		if d.object(at, fields(v)) && passes(d, at, &e.options, v) {
			*p = v
		}
	}
	e.shape = objectShape(fields)
	e.typed = checksAre[*T]
	return e
}

// Map declares an object whose keys are names and whose values are sections.
// The entries keep the order of the file; meaning should not hang on it, since
// a host may sort the keys of a configuration that passes through it.
func Map[T any](name string, p *[]Named[T], fields func(name string, t *T) []Field, opts ...Option) Field {
	e := newEntry(name, opts)
	e.decode = func(d *decoder, at *place) {
		if !d.expect(at, KindMap, &e.options) || !d.count(at, len(at.node.Members), &e.options) {
			return
		}
		entries, ok := make([]Named[T], len(at.node.Members)), true
		var keys keySet
		for i := range at.node.Members {
			m := &at.node.Members[i]
			here := at.member(m)
			entries[i].Name = m.Key
			good := d.key(here, at.node.Members[:i], &keys, &e.options)
			good = d.object(here, fields(m.Key, &entries[i].Value)) && good
			ok = ok && good
		}
		if *p = entries; ok {
			passes(d, at, &e.options, entries)
		}
	}
	e.typed = checksAre[[]Named[T]]
	e.shape = func(s *Schema, w *walk) {
		s.Type, s.Names = TypeMap, !e.anyKey
		w.entries(s, objectShape(func(t *T) []Field { return fields("", t) }))
	}
	return e
}

// List declares a list of sections.
func List[T any](name string, p *[]T, fields func(*T) []Field, opts ...Option) Field {
	e := newEntry(name, opts)
	e.decode = func(d *decoder, at *place) {
		if !d.expect(at, KindList, &e.options) || !d.count(at, len(at.node.Items), &e.options) {
			return
		}
		entries, ok := make([]T, len(at.node.Items)), true
		for i := range at.node.Items {
			good := d.object(at.item(i), fields(&entries[i]))
			ok = ok && good
		}
		if *p = entries; ok {
			passes(d, at, &e.options, entries)
		}
	}
	e.typed = checksAre[[]T]
	e.shape = func(s *Schema, w *walk) {
		s.Type = TypeList
		w.entries(s, objectShape(fields))
	}
	return e
}

func objectShape[T any](fields func(*T) []Field) func(*Schema, *walk) {
	return func(s *Schema, w *walk) {
		s.Type = TypeObject
		w.into(any((*T)(nil)), s, func() []Field { return fields(new(T)) })
	}
}
