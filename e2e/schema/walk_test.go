package schema

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/tools/losses"
)

// depth is how many names a path may have.
const depth = 3

// paths are those of a request's members, names joined by slashes and indexes
// written as *; whether what is below is free-form.
type paths map[string]bool

func (p paths) add(path string, open bool) { p[path] = p[path] || open }

// free says whether a path is below a free-form one.
func (p paths) free(path string) bool {
	for at := path; at != ""; at = parent(at) {
		if p[at] {
			return true
		}
	}
	return false
}

func parent(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 0)] }

func join(path, name string) string { return strings.TrimPrefix(path+"/"+name, "/") }

func names(path string) int {
	n := 0
	for _, s := range strings.Split(path, "/") {
		if s != "*" && s != "" {
			n++
		}
	}
	return n
}

// value walks a JSON value.
func (p paths) value(path string, v any) {
	if names(path) > depth {
		return
	}
	if path != "" {
		p.add(path, false)
	}
	switch x := v.(type) {
	case map[string]any:
		for name, member := range x {
			p.value(join(path, name), member)
		}
	case []any:
		for _, item := range x {
			p.value(join(path, "*"), item)
		}
	}
}

// text walks JSON text; what is none has no paths.
func (p paths) text(path, raw string) {
	var v any
	if json.Unmarshal([]byte(raw), &v) == nil {
		p.value(path, v)
	}
}

// known are the paths that the table of a client's API tries.
func known(dialect, api string) paths {
	clients, p := losses.Clients(builtin.Dialects()), paths{}
	for i := range clients {
		c := &clients[i]
		if c.Dialect.Name != dialect || c.API.Name != api {
			continue
		}
		p.text("", c.Plain)
		for _, f := range c.Fields {
			p.text("", f.With)
			at := pattern(f.Pointer)
			for up := at; up != ""; up = parent(up) {
				p.add(up, false)
			}
			p.text(at, f.Example)
		}
	}
	return p
}

// pattern is a JSON pointer as a path.
func pattern(pointer string) string {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, s := range steps {
		if _, err := strconv.Atoi(s); err == nil {
			steps[i] = "*"
		}
	}
	return strings.Join(steps, "/")
}

// types walks the Go types of a client by its rules.
type types struct {
	paths
	unions map[reflect.Type]map[string]any // members of interfaces, by their names in JSON
	name   func(reflect.StructField) (name string, inline bool)
}

func (t *types) walk(path string, of reflect.Type) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if names(path) > depth {
		return
	}
	if path != "" {
		t.add(path, false)
	}
	switch of.Kind() {
	case reflect.Slice, reflect.Array:
		if of.Elem().Kind() != reflect.Uint8 {
			t.walk(join(path, "*"), of.Elem())
		}
	case reflect.Map:
		t.add(path, true)
	case reflect.Interface:
		t.union(path, of)
	case reflect.Struct:
		t.members(path, of)
	}
}

// union walks the members of an interface; one that is not listed is free-form.
func (t *types) union(path string, of reflect.Type) {
	members, ok := t.unions[of]
	if !ok {
		t.add(path, true)
	}
	for name, member := range members {
		if m := reflect.TypeOf(member); m.Kind() == reflect.Struct && m.NumField() > 0 {
			if value, ok := m.FieldByName("Value"); ok {
				t.walk(join(path, name), value.Type)
			}
		}
	}
}

func (t *types) members(path string, of reflect.Type) {
	if value, ok := of.FieldByName("Value"); ok && strings.HasPrefix(of.Name(), "Opt[") {
		t.walk(path, value.Type)
		return
	}
	for i := range of.NumField() {
		f := of.Field(i)
		if !f.IsExported() || f.Anonymous && f.Tag.Get("json") == "" && f.Type.Kind() == reflect.Interface {
			continue
		}
		switch name, inline := t.name(f); {
		case inline:
			t.inline(path, f.Type)
		case name != "":
			t.walk(join(path, name), f.Type)
		}
	}
}

// inline walks a variant: its members are those of the union itself.
func (t *types) inline(path string, of reflect.Type) { t.walk(path, of) }

// tagged names the members of types with json tags: those of a union stand inline.
func tagged(f reflect.StructField) (string, bool) {
	name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name == "-":
		return "", false
	case strings.Contains(rest, "inline") || name == "" && f.Anonymous:
		return "", true
	}
	return name, false
}
