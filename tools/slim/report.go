package slim

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// share is what a package adds to a module's code: functions, and bytes as they
// are linked and as slim leaves them.
type share struct{ functions, linked, slimmed int }

// Report writes what a module is made of, as the linker wrote it and slimmed.
func Report(w io.Writer, linked []byte) error {
	slimmed, err := Module(linked)
	if err != nil {
		return err
	}
	before, memory, err := sizes(linked)
	if err != nil {
		return err
	}
	after, _, err := sizes(slimmed)
	if err != nil {
		return err
	}
	packages := map[string]share{}
	for i, name := range names(memory, len(before)) {
		s := packages[packageOf(name)]
		packages[packageOf(name)] = share{s.functions + 1, s.linked + before[i], s.slimmed + after[i]}
	}
	rows := slices.SortedFunc(maps.Keys(packages), func(a, b string) int {
		return cmp.Or(packages[b].slimmed-packages[a].slimmed, strings.Compare(a, b))
	})
	fmt.Fprintf(w, "%10s %10s %10s\n", "linked", "slimmed", "functions")
	for _, name := range rows {
		s := packages[name]
		fmt.Fprintf(w, "%10d %10d %10d  code of %s\n", s.linked, s.slimmed, s.functions, name)
	}
	return sections(w, linked, slimmed)
}

// sections writes how long the sections are, and the modules.
func sections(w io.Writer, linked, slimmed []byte) error {
	before, err := parse(linked)
	if err != nil {
		return err
	}
	after, err := parse(slimmed)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		id   byte
		name string
	}{{code, "all code"}, {data, "data: Go's tables, types, texts"}} {
		fmt.Fprintf(w, "%10d %10d %10s  %s\n", len(*before.body(s.id)), len(*after.body(s.id)), "", s.name)
	}
	_, err = fmt.Fprintf(w, "%10d %10d %10s  module\n", len(linked), len(slimmed), "")
	return err
}

// sizes returns how long a module's functions are, and its memory.
func sizes(b []byte) (sizes []int, memory []byte, err error) {
	m, err := parse(b)
	if err != nil {
		return nil, nil, err
	}
	bodies, err := m.functions()
	if err != nil {
		return nil, nil, err
	}
	for _, body := range bodies {
		sizes = append(sizes, len(body))
	}
	memory, err = load(*m.body(data))
	return sizes, memory, err
}

// packageOf is the package of a function by its name: what comes before the
// first dot behind the last slash, type arguments and receivers left out.
func packageOf(name string) string {
	path, _, _ := strings.Cut(name, "[")
	path, _, _ = strings.Cut(path, "(")
	path = strings.TrimPrefix(path, "type:.eq.")
	slash := strings.LastIndexByte(path, '/') + 1
	last, _, _ := strings.Cut(path[slash:], ".")
	return path[:slash] + last
}
