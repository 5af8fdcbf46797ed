package render

import (
	"strconv"
	"strings"
	"sync"
	"text/template"
)

// parsed are templates that may include one another, read when they are first
// needed.
func parsed(funcs template.FuncMap, sources func() (map[string]string, error)) func() *template.Template {
	return sync.OnceValue(func() *template.Template {
		t := template.New("")
		include := func(name string, data any) (string, error) {
			var b strings.Builder
			err := t.ExecuteTemplate(&b, name, data)
			return b.String(), err
		}
		t.Funcs(template.FuncMap{"include": include, "trim": strings.TrimSpace, "quote": strconv.Quote}).Funcs(funcs)
		texts, err := sources()
		template.Must(t, err) // they are embedded
		for name, text := range texts {
			template.Must(t.New(name).Parse(text))
		}
		return t
	})
}
