package schema

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/config"
)

// Markdown renders the reference: a table of the document's keys and one more
// for each section in it, in the order of the tables of fields.
func Markdown(s config.Schema, title string) []byte {
	var b strings.Builder
	b.WriteString("# " + title + "\n")
	(&reference{b: &b}).section(s, "", 0)
	return []byte(b.String())
}

// reference writes sections; in holds the paths of those it is in.
type reference struct {
	b  *strings.Builder
	in []string
}

func (r *reference) section(s config.Schema, path string, depth int) {
	if path != "" {
		r.b.WriteString("\n" + strings.Repeat("#", min(2+depth, 4)) + " `" + path + "`\n")
		if s.Doc != "" {
			r.b.WriteString("\n" + s.Doc + "\n")
		}
		depth++
	}
	object := entry(s)
	r.in = append(r.in, path)
	r.b.WriteString("\n| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, f := range object.Fields {
		r.b.WriteString("| `" + f.Name + "` | " + cell(r.typeOf(f)) + " | " + defaultOf(f) + " | " + cell(meaning(f)) + " |\n")
	}
	for _, f := range object.Fields {
		if e := entry(f); e.Type == config.TypeObject && e.Recurses == 0 {
			r.section(f, below(path, f), depth)
		}
	}
	r.in = r.in[:len(r.in)-1]
}

// entry is the object that a section's keys are in: itself, or the entries of
// a list or map.
func entry(s config.Schema) config.Schema {
	for s.Items != nil {
		s = *s.Items
	}
	return s
}

// below is the path of a field: "models.NAME.targets[]".
func below(path string, f config.Schema) string {
	if path != "" {
		path += "."
	}
	path += f.Name
	for s := &f; s != nil; s = s.Items {
		switch s.Type {
		case config.TypeMap:
			path += ".NAME"
		case config.TypeList:
			path += "[]"
		}
	}
	return path
}

// typeOf says what a field holds, in words.
func (r *reference) typeOf(s config.Schema) string {
	switch s.Type {
	case config.TypeList:
		return "list of " + r.typeOf(*s.Items)
	case config.TypeMap:
		return "map of " + r.typeOf(*s.Items)
	case config.TypeObject:
		if up := s.Recurses; up > 0 && up <= len(r.in) {
			return "object as `" + or(r.in[len(r.in)-up], "the document") + "`"
		}
	case config.TypeString:
		if len(s.Enum) > 0 {
			return "`" + strings.Join(s.Enum, "` | `") + "`"
		}
		if s.Names {
			return "name"
		}
	}
	return string(s.Type)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func defaultOf(s config.Schema) string {
	switch {
	case s.Required:
		return "required"
	case s.Default != "":
		return "`" + s.Default + "`"
	}
	return ""
}

// meaning is the doc, the bounds and an example.
func meaning(s config.Schema) string {
	parts := append(nonEmpty(s.Doc), remarks(s)...)
	if b := bounds(s); b != "" {
		parts = append(parts, b+".")
	}
	if secret := entry(s).Secret; len(secret) > 0 {
		parts = append(parts, "A reference: "+strings.Join(forms(secret), " or ")+".")
	}
	if s.Example != "" {
		parts = append(parts, "Example: `"+s.Example+"`.")
	}
	return strings.Join(parts, " ")
}

func forms(secret []string) []string {
	var fs []string
	for _, f := range secret {
		switch f {
		case "host":
		case "env":
			f = "env:NAME"
		default:
			f += ":…"
		}
		fs = append(fs, "`"+f+"`")
	}
	return fs
}

func bounds(s config.Schema) string {
	lo, hi, unit := s.Min, s.Max, ""
	if lo == "0s" {
		lo = "" // a time span is not negative anyway
	}
	if s.MinLength > 0 {
		lo = strconv.Itoa(s.MinLength)
	}
	if bound(s.MaxLength) > 0 {
		hi = strconv.Itoa(s.MaxLength)
	}
	if s.MinLength > 0 || s.MaxLength > 0 {
		unit = " entries"
		if s.Type == config.TypeString {
			unit = " bytes"
		}
	}
	switch {
	case lo != "" && hi != "":
		return lo + " to " + hi + unit
	case hi != "":
		return "At most " + hi + unit
	case lo != "":
		return "At least " + lo + unit
	}
	return ""
}

// cell makes a text fit into a table.
func cell(s string) string {
	s = strings.ReplaceAll(s, "\n", " ")
	return strings.ReplaceAll(s, "|", "\\|")
}
