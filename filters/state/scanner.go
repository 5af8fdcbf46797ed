package state

import "strings"

// maxID is the longest id that is looked at, mark included.
const maxID = 256

// scanner finds ids in JSON, or in events that hold JSON, cut anywhere. A
// string never spans lines in either, so that what is no JSON (comments of an
// event stream) cannot confuse it beyond its line.
type scanner struct {
	prefixes []string

	quoted  bool // in a string
	escaped bool // behind a backslash
	odd     bool // the string has escapes, or is too long
	word    bool // the last string can be the name of a member that holds ids
	opaque  bool // or of one whose object is passed over
	under   bool // the next string is a value of such a member
	path    bool // which holds ids of the form kind/id alone
	list    bool // in an array of ids
	skip    int  // depth of the object that is passed over
	n       int
	text    [maxID]byte // of the string
	name    [maxName]byte
	named   int
}

// maxName is the longest name of a member that is looked for.
const maxName = 40

// Names that hold ids, beside *_id and *_ids; those that hold ids of the form
// kind/id, and other names; and those whose objects are the application's or the
// model's own.
var (
	holders = []string{"id", "conversation", "container"}
	paths   = []string{"name", "cachedContent", "cached_content", "fileUri", "file_uri", "uri", "invocationArn"}
	own     = []string{"metadata", "input", "args", "parameters", "schema", "input_schema"}
)

// next goes on at b[i] and returns the offset of the quote that ends an id; the
// id is in s.id() then. ok is false at the end of b.
func (s *scanner) next(b []byte, i int) (end int, ok bool) {
	for ; i < len(b); i++ {
		c := b[i]
		if !s.quoted {
			s.between(c)
			continue
		}
		if !special[c] {
			i += s.take(b[i:]) - 1
			continue
		}
		if s.in(c) {
			return i, true
		}
	}
	return i, false
}

// special are the bytes that mean something in a string.
var special = [256]bool{'"': true, '\\': true, '\n': true, '\r': true}

// take takes the bytes of a string up to a special one, and returns how many.
func (s *scanner) take(b []byte) (n int) {
	for n < len(b) && !special[b[n]] {
		n++
	}
	put := copy(s.text[s.n:], b[:n])
	s.n += put
	s.odd = s.odd || put < n
	s.escaped = false
	return n
}

func (s *scanner) id() []byte { return s.text[:s.n] }

// key is the name of the member that the id stands under.
func (s *scanner) key() string { return string(s.name[:s.named]) }

// in takes a special byte of a string and reports whether it ends an id.
func (s *scanner) in(c byte) bool {
	switch {
	case c == '\n' || c == '\r':
		s.reset()
	case s.escaped:
		s.escaped = false
	case c == '\\':
		s.escaped, s.odd = true, true
	case c == '"':
		return s.close()
	}
	return false
}

// close ends a string: an id, perhaps the name of a member, or neither.
func (s *scanner) close() bool {
	s.quoted = false
	if s.under {
		s.under = s.list
		return !s.odd && prefixed(s.prefixes, s.id(), s.path)
	}
	s.word, s.opaque = false, false
	if !s.odd && s.skip == 0 && s.n <= maxName {
		name := string(s.id())
		s.path, s.opaque = among(paths, name), among(own, name)
		s.word = s.path || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_ids") || among(holders, name)
	}
	if s.word {
		s.named = copy(s.name[:], s.id())
	}
	return false
}

// between takes a byte outside of strings.
func (s *scanner) between(c byte) {
	switch c {
	case ' ', '\t', '\n', '\r':
		return
	case '"':
		s.quoted, s.escaped, s.odd, s.n = true, false, false, 0
		return
	case ':':
		s.under, s.word = s.word, false
		return // an object that is passed over may follow
	case '[':
		s.list, s.opaque = s.under, false
		return
	case ',':
		s.under = s.list
		return
	case '{':
		if s.opaque || s.skip > 0 {
			s.skip++
		}
	case '}':
		s.skip = max(s.skip-1, 0)
	}
	s.under, s.word, s.opaque, s.list = false, false, false, false
}

func (s *scanner) reset() {
	*s = scanner{prefixes: s.prefixes}
}

// prefixed reports whether a text begins as ids do, and has more. A star in a
// prefix stands for anything. With paths only prefixes of the form kind/ count.
func prefixed[T []byte | string](prefixes []string, text T, paths bool) bool {
	for _, p := range prefixes {
		if paths && strings.IndexByte(p, '/') < 0 {
			continue
		}
		head, rest, _ := strings.Cut(p, "*")
		if len(text) > len(p) && string(text[:len(head)]) == head && strings.Contains(string(text[len(head):]), rest) {
			return true
		}
	}
	return false
}

func among(list []string, text string) bool {
	for _, one := range list {
		if one == text {
			return true
		}
	}
	return false
}
