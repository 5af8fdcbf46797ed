package meshcheck

import (
	"slices"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

// place is a value of a resource, or where one is missing.
type place struct {
	r            *Resource
	n            *config.Node // nil: missing
	path         []string
	line, column int // of the value, or of the nearest that it would be in
}

// nowhere is the place of a resource that is missing.
func nowhere(kind, name string) place { return place{r: &Resource{Kind: kind, Name: name}} }

func (p place) put(n *config.Node, path []string) place {
	p.n, p.path = n, path
	if n != nil && n.Line > 0 {
		p.line, p.column = int(n.Line), int(n.Column)
	}
	return p
}

// at goes down. Names of fields are given as protocol buffers have them; their
// spelling in JSON is found as well, and is that of what is missing, but in what
// patches hold.
func (p place) at(keys ...string) place {
	for _, key := range keys {
		n := p.n.Get(key)
		if other := camel(key); n == nil && (p.n.Get(other) != nil || !slices.Contains(p.path, "patch")) {
			key, n = other, p.n.Get(other)
		}
		p = p.put(n, append(slices.Clip(p.path), key))
	}
	return p
}

// items are those of a list.
func (p place) items() (list []place) {
	if p.n == nil {
		return nil
	}
	for i, n := range p.n.Items {
		list = append(list, p.put(n, append(slices.Clip(p.path), strconv.Itoa(i))))
	}
	return list
}

// members are those of an object.
func (p place) members() (list []place) {
	if p.n == nil {
		return nil
	}
	for _, m := range p.n.Members {
		list = append(list, p.put(m.Value, append(slices.Clip(p.path), m.Key)))
	}
	return list
}

// key is the name of a member.
func (p place) key() string { return p.path[len(p.path)-1] }

func (p place) present() bool { return p.n != nil && p.n.Kind != config.KindNull }

func (p place) text() string {
	if p.n == nil {
		return ""
	}
	return p.n.Text
}

// number is a whole number, also one in quotes; -1 if there is none.
func (p place) number() int {
	if n, err := strconv.Atoi(p.text()); err == nil {
		return n
	}
	return -1
}

func (p place) isTrue() bool { return p.text() == "true" }

// texts are the items of a list of texts.
func (p place) texts() (list []string) {
	for _, i := range p.items() {
		list = append(list, i.text())
	}
	return list
}

// same reports whether two places hold the same, in whatever order of members.
func (p place) same(o place) bool {
	if !p.present() || !o.present() {
		return p.present() == o.present()
	}
	return config.Digest(p.n) == config.Digest(o.n)
}

// typed reports whether an object is an Any of the type.
func (p place) typed(name string) bool { return strings.HasSuffix(p.at("@type").text(), "/"+name) }

// mentions reports whether a text stands anywhere in it.
func (p place) mentions(text string) bool { return mentions(p.n, text) }

func mentions(n *config.Node, text string) bool {
	if n == nil {
		return false
	}
	return strings.Contains(n.Text, text) ||
		slices.ContainsFunc(n.Items, func(i *config.Node) bool { return mentions(i, text) }) ||
		slices.ContainsFunc(n.Members, func(m config.Member) bool { return strings.Contains(m.Key, text) || mentions(m.Value, text) })
}

func (p place) problem(code config.Code, message, hint string) Problem {
	return Problem{File: p.r.File, Kind: p.r.Kind, Name: p.r.Name, Error: config.Error{Line: p.line, Column: p.column,
		Pointer: config.Pointer(p.path), Code: code, Message: message, Hint: hint}}
}

// camel is a field's name in JSON.
func camel(name string) string {
	parts := strings.Split(name, "_")
	for i := 1; i < len(parts); i++ {
		if parts[i] != "" {
			parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
		}
	}
	return strings.Join(parts, "")
}

// snake is a field's name in protocol buffers.
func snake(name string) string {
	var b strings.Builder
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			b.WriteByte('_')
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// group is the group of an apiVersion.
func group(version string) string {
	name, _, _ := strings.Cut(version, "/")
	return name
}
