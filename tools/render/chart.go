package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
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
var charts = parsed(template.FuncMap{"toJson": toJSON, "int64": integer, "add": add, "nindent": nindent, "concat": concat},
	func() (map[string]string, error) {
		texts := map[string]string{}
		for _, name := range append(Manifests(), "_helpers.tpl") {
			text, err := istio.Chart.ReadFile(path.Join("chart/templates", name))
			if err != nil {
				return nil, err
			}
			texts[name] = string(text)
		}
		return texts, nil
	})

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
		if err := charts().ExecuteTemplate(&b, name, data); err != nil {
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
