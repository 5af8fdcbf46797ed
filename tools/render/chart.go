package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/posterngw/postern/istio"
)

// manifests are the chart's templates that make resources, in the order in
// which they are read best.
var manifests = []string{"gateway.yaml", "egress.yaml", "providers.yaml", "routes.yaml", "native.yaml", "plugins.yaml", "metrics.yaml"}

// Manifests are the names of the templates that make resources, in their order
// in the output.
func Manifests() []string { return slices.Clone(manifests) }

// charts are the chart's templates with the few functions of Helm that they use.
var charts = mustChart()

func mustChart() *template.Template {
	t := template.New("chart")
	include := func(name string, data any) (string, error) {
		var b strings.Builder
		err := t.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}
	t.Funcs(template.FuncMap{"include": include, "quote": strconv.Quote, "toJson": toJSON, "int64": integer, "add": add,
		"nindent": nindent, "trim": strings.TrimSpace, "concat": concat})
	for _, name := range append([]string{"_helpers.tpl"}, manifests...) {
		text, err := istio.Chart.ReadFile(path.Join("chart/templates", name))
		if err == nil {
			_, err = t.New(name).Parse(string(text))
		}
		template.Must(t, err)
	}
	return t
}

func toJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

func integer(v float64) int64 { return int64(v) }

func add(a float64, b int) int64 { return int64(a) + int64(b) }

func nindent(n int, text string) string {
	pad := "\n" + strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(text, "\n", pad)
}

func concat(lists ...[]any) (all []any) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// Render executes the chart's templates as Helm would.
func (v *IstioValues) Render(namespace string) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("render istio: %w", err)
	}
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("render istio: %w", err)
	}
	var out bytes.Buffer
	for _, name := range manifests {
		var b bytes.Buffer
		data := map[string]any{"Values": values, "Release": map[string]string{"Namespace": namespace}}
		if err := charts.ExecuteTemplate(&b, name, data); err != nil {
			return nil, fmt.Errorf("render istio: %w", err)
		}
		if text := bytes.TrimSpace(b.Bytes()); len(text) > 0 {
			out.WriteString("---\n")
			out.Write(bytes.TrimPrefix(text, []byte("---\n")))
			out.WriteByte('\n')
		}
	}
	return out.Bytes(), nil
}
