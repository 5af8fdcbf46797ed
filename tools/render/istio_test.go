package render_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/render"
	"github.com/posterngw/postern/tools/yamlconfig"
)

func TestIstio(t *testing.T) {
	text, err := os.ReadFile("testdata/postern.yaml")
	require.NoError(t, err)
	node, errs := yamlconfig.Parse("postern.yaml", text)
	require.Empty(t, errs)
	o := render.IstioDefaults()
	o.Image.URL = "oci://registry.example.com/team/postern"
	got, err := render.Istio(node, o)
	require.NoError(t, err)
	os.WriteFile("/tmp/v/istio.yaml", got, 0o644)
}
