package config

import "strings"

// Report lets the owner of a section add errors, without knowing of lines. A
// Rule gets one that stands at the object of its table.
type Report struct {
	d  *decoder
	at *place
}

// At goes to a value below by its keys and indices: r.At("targets", "0",
// "model"). With no argument it is the object itself. What is absent from the
// document is shown at the nearest thing that is there.
func (r *Report) At(path ...string) *Report {
	at := r.at
	for _, token := range path {
		at = at.to(token)
	}
	return &Report{r.d, at}
}

// AtNode goes to a value that Raw handed out, or one below it.
func (r *Report) AtNode(n *Node) *Report {
	if at := r.d.root.find(n); n != nil && at != nil {
		return &Report{r.d, at}
	}
	return r
}

// Fail adds an error here.
func (r *Report) Fail(code Code, message, hint string) {
	r.d.add(r.at.atValue(code, message, hint))
}

// Warn adds a warning here: the configuration is accepted.
func (r *Report) Warn(code Code, message, hint string) {
	r.d.warnings.Add(r.at.atValue(code, message, hint))
}

// Has reports whether a name is in a namespace (In).
func (r *Report) Has(namespace, name string) bool {
	s := r.d.spaces[namespace]
	return s != nil && s.places[name] != nil
}

// Refer adds a dangling error here unless name is in the namespace.
func (r *Report) Refer(namespace, name string) {
	if r.Has(namespace, name) {
		return
	}
	var known []string
	if s := r.d.spaces[namespace]; s != nil {
		known = s.names
	}
	r.Fail(Dangling, "no "+Quote(name)+" in "+namespace, suggest(namespace, name, known))
}

// judge runs the rules of every object in which nothing is wrong so far.
func (d *decoder) judge() {
	found := d.errs // those that rules add do not count
	for _, r := range d.rules {
		if len(found) == 0 || !wrongBelow(found, r.at.pointer()) {
			r.test(&Report{d, r.at})
		}
	}
}

// wrongBelow reports whether an error stands at or below a pointer.
func wrongBelow(errs Errors, pointer string) bool {
	for i := range errs {
		rest, ok := strings.CutPrefix(errs[i].Pointer, pointer)
		if ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}
