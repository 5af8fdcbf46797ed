package istio

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/render"
)

const (
	chartDir = "../../istio/chart"
	examples = "../../examples"
)

// gateways are the kinds of gateway that requests can come in by.
var gateways = map[string]func(*render.IstioGateway){
	"istio":      func(*render.IstioGateway) {},
	"kubernetes": func(g *render.IstioGateway) { g.API = "kubernetes" },
	"egress": func(g *render.IstioGateway) {
		g.Selector, g.Hosts = map[string]string{"istio": "egressgateway"}, []string{"ai.example.com"}
		g.Egress = "istio-egressgateway.istio-egress.svc.cluster.local:8443"
	},
	"existing": func(g *render.IstioGateway) { g.Create = false },
}

// TestExamples renders every example for every kind of gateway: Istio has
// nothing to say against it, and Helm makes the same of the chart.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob(examples + "/*/postern.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		for _, mode := range []string{"native", "paired", "observe"} {
			for name, edit := range gateways {
				t.Run(path.Base(filepath.Dir(file))+"/"+mode+"/"+name, func(t *testing.T) {
					o := render.IstioDefaults()
					o.Namespace, o.Mode = namespace, mode
					edit(&o.Gateway)
					o.Image.URL, o.Image.Tag = "oci://registry.example.com/team/postern", "v1.0.0"
					v := values(t, file, o)
					text, err := v.Render(o.Namespace)
					require.NoError(t, err)
					validate(t, string(text))
					require.Equal(t, string(text), helm(t, v, o.Namespace))
				})
			}
		}
	}
}

func values(t *testing.T, file string, o render.IstioOptions) *render.IstioValues {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	node, errs := document.Read(file, text)
	require.Empty(t, errs)
	v, err := render.NewIstioValues(node, o)
	require.NoError(t, err)
	return v
}

// helm renders the chart with Helm's library, which checks the values against
// the chart's schema.
func helm(t *testing.T, v *render.IstioValues, namespace string) string {
	t.Helper()
	chart, err := loader.Load(chartDir)
	require.NoError(t, err)
	text, err := v.JSON()
	require.NoError(t, err)
	var given map[string]any
	require.NoError(t, json.Unmarshal(text, &given))
	all, err := util.ToRenderValues(chart, given, common.ReleaseOptions{Name: "postern", Namespace: namespace}, common.DefaultCapabilities)
	require.NoError(t, err)
	files, err := engine.Render(chart, all)
	require.NoError(t, err)
	var out strings.Builder
	for _, name := range render.Manifests() {
		if text := strings.TrimSpace(files["postern/templates/"+name]); text != "" {
			out.WriteString("---\n" + strings.TrimPrefix(text, "---\n") + "\n")
		}
		delete(files, "postern/templates/"+name)
	}
	delete(files, "postern/templates/_helpers.tpl")
	require.Empty(t, files, "a template that `postern render istio` does not know")
	return out.String()
}

// TestDefaults holds the chart's own values against those of the command.
func TestDefaults(t *testing.T) {
	text, err := os.ReadFile(chartDir + "/values.yaml")
	require.NoError(t, err)
	chart, err := loader.LoadValues(strings.NewReader(string(text)))
	require.NoError(t, err)
	want, err := json.Marshal(render.IstioDefaults())
	require.NoError(t, err)
	var defaults map[string]any
	require.NoError(t, json.Unmarshal(want, &defaults))
	for key, value := range defaults {
		require.EqualValues(t, value, chart[key], key)
	}
}
