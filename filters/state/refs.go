package state

import (
	"strings"

	"github.com/posterngw/postern/filters/wire/percent"
)

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
			if key := s.key(); !isOwn(key) && refs.Unknown == "" {
				refs.Unknown = key
			}
			continue
		}
		if !r.take(s.key, id, mark) {
			return body
		}
		refs.Firm = refs.Firm || firm(s.key(), string(id))
		out = append(out, body[from:at-MarkLen]...)
		from = at
	}
	if from == 0 {
		return body
	}
	return append(out, body[from:]...)
}

// Path does the same for the path of a request with its query. Of an id of the
// form kind/id the kind stands before it there.
func (k *Key) Path(path string, prefixes, providers []string, refs *Refs) string {
	r := reader{k, providers, refs}
	out, from, kind := "", 0, ""
	for i := 0; i <= len(path); i++ {
		if i < len(path) && strings.IndexByte("/?&=,:", path[i]) < 0 {
			continue
		}
		one := path[from:i]
		if id, mark, marked := split(one); marked {
			plain, ok := percent.Unescape(id)
			if !ok || !r.take(func() string { return inPath }, []byte(plain), []byte(mark)) {
				return path
			}
			one = id
		} else if kept(prefixes, kind, one) {
			refs.Unknown = inPath
		}
		kind = ""
		if out += one; i < len(path) {
			out += path[i : i+1]
			if path[i] == '/' {
				kind = one
			}
		}
		from = i + 1
	}
	return out
}

// kept reports whether a part of a path is an id, or stands behind the kind of one.
func kept(prefixes []string, kind, one string) bool {
	plain, ok := percent.Unescape(one)
	if !ok || plain == "" {
		return false
	}
	if within, _, ok := cutLast(plain); ok {
		_, kind, _ = cutLast(within)
	}
	for i, p := range prefixes {
		if p == "" { // any id: a path's other parts are none
			continue
		}
		if before, ok := strings.CutSuffix(p, kind+"/"); prefixed(prefixes[i:i+1], plain, false) ||
			ok && kind != "" && (before == "" || strings.IndexByte("/:", before[len(before)-1]) >= 0) {
			return true
		}
	}
	return false
}

// cutLast cuts a text at its last slash; without one all of it is behind.
func cutLast(text string) (before, after string, found bool) {
	at := strings.LastIndexByte(text, '/')
	return text[:max(at, 0)], text[at+1:], at >= 0
}

// isOwn reports whether a member holds the id of the thing that it is in.
func isOwn(key string) bool { return key == "id" || key == "item_id" || key == "name" }

// firm reports whether an id is of what its provider must have: what a member
// refers to, and reasoning and containers, which stand under their own ids.
func firm(key, id string) bool {
	return !isOwn(key) || strings.HasPrefix(id, "rs_") || strings.HasPrefix(id, "container_")
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
