package state

import "strings"

// Refs is what a request refers to.
type Refs struct {
	Home    string // the provider that the marks name; empty when there are none
	Firm    bool   // one of the marks is on what its provider must have, though the request may not say so
	Unknown string // the member that holds an id without a mark
	Bad     string // the member whose mark no configured provider can have got
	Mixed   string // the member whose id another provider made than Home
}

// inPath is the member's name for an id in a path or a query.
const inPath = "path"

// reader reads the ids of one request.
type reader struct {
	key       *Key
	providers []string
	refs      *Refs
}

// Body takes the marks off the ids in a body, and notes them in refs. It returns
// body itself when there are none.
func (k *Key) Body(body []byte, prefixes, providers []string, refs *Refs) []byte {
	r := reader{k, providers, refs}
	s := scanner{prefixes: prefixes}
	var out []byte
	from := 0
	for at, ok := s.next(body, 0); ok; at, ok = s.next(body, at+1) {
		id, mark, marked := split(s.id())
		if !marked {
			if key := s.key(); key != "id" && key != "item_id" && refs.Unknown == "" {
				refs.Unknown = key
			}
			continue
		}
		if !r.take(s.key, id, mark) {
			return body
		}
		refs.Firm = refs.Firm || strings.HasPrefix(string(id), "rs_")
		out = append(out, body[from:at-MarkLen]...)
		from = at
	}
	if from == 0 {
		return body
	}
	return append(out, body[from:]...)
}

// Path does the same for the path of a request with its query.
func (k *Key) Path(path string, prefixes, providers []string, refs *Refs) string {
	r := reader{k, providers, refs}
	out, from := "", 0
	for i := 0; i <= len(path); i++ {
		if i < len(path) && strings.IndexByte("/?&=,:", path[i]) < 0 {
			continue
		}
		one := path[from:i]
		if id, mark, marked := split(one); marked {
			if !r.take(func() string { return inPath }, []byte(id), []byte(mark)) {
				return path
			}
			one = id
		} else if prefixed(prefixes, one) {
			refs.Unknown = inPath
		}
		if out += one; i < len(path) {
			out += path[i : i+1]
		}
		from = i + 1
	}
	return out
}

// take notes who made an id; false when that cannot be told, or is another
// provider than that of the ids before.
func (r *reader) take(name func() string, id, mark []byte) bool {
	if r.refs.Home != "" && r.key.made(r.refs.Home, id, mark) {
		return true
	}
	for _, p := range r.providers {
		switch {
		case p == r.refs.Home || !r.key.made(p, id, mark):
			continue
		case r.refs.Home != "":
			r.refs.Mixed = name()
			return false
		}
		r.refs.Home = p
		return true
	}
	r.refs.Bad = name()
	return false
}
