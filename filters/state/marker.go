package state

// Marker marks the ids of one answer as it goes by, cut anywhere. It only
// inserts bytes, holds none back, and its state does not grow.
type Marker struct {
	key      *Key
	provider string
	scan     scanner
	last     [maxID]byte // the id of the last mark: events repeat theirs
	n        int
	mark     [MarkLen]byte
}

// NewMarker marks what a provider answers. prefixes are how the ids begin.
func (k *Key) NewMarker(provider string, prefixes []string) *Marker {
	return &Marker{key: k, provider: provider, scan: scanner{prefixes: prefixes}}
}

// Append appends the bytes with marks put in. It returns dst as it is, and
// false, when there is nothing to put in.
func (m *Marker) Append(dst, b []byte) ([]byte, bool) {
	from, found := 0, false
	for at, ok := m.scan.next(b, 0); ok; at, ok = m.scan.next(b, at+1) {
		if _, _, marked := split(m.scan.id()); marked {
			continue // the application's own text, shown again
		}
		dst = append(append(dst, b[from:at]...), m.of(m.scan.id())...)
		from, found = at, true
	}
	if !found {
		return dst, false
	}
	return append(dst, b[from:]...), true
}

func (m *Marker) of(id []byte) []byte {
	if m.n == 0 || string(m.last[:m.n]) != string(id) {
		m.n = copy(m.last[:], id)
		m.key.Mark(m.mark[:0], m.provider, id)
	}
	return m.mark[:]
}
