package istio

import (
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	pkgcrd "istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/schema/collections"
)

// validator knows the resources of Istio and of the Gateway API by the
// definitions that come with Istio's own modules.
var validator = sync.OnceValues(func() (*pkgcrd.Validator, error) {
	api, err := module("istio.io/api")
	if err != nil {
		return nil, err
	}
	istio, err := module("istio.io/istio")
	if err != nil {
		return nil, err
	}
	return pkgcrd.NewValidatorFromFiles(filepath.Join(api, "kubernetes/customresourcedefinitions.gen.yaml"),
		filepath.Join(istio, "tests/integration/pilot/testdata/gateway-api-crd.yaml"))
})

// module is the folder of a module's sources.
func module(path string) (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	return strings.TrimSpace(string(dir)), err
}

// anyEnvoyFilter is Istio's warning of each EnvoyFilter, whatever is in it.
const anyEnvoyFilter = "EnvoyFilter exposes internal implementation details that may change at any time. " +
	"Prefer other APIs if possible, and exercise extreme caution, especially around upgrades."

// problems is what Istio has to say of resources: by the schemas that an API
// server enforces, and by the code of its webhook. Warnings count.
func problems(resources string) (list []string, err error) {
	v, err := validator()
	if err != nil {
		return nil, err
	}
	if err := v.ValidateCustomResourceYAML(resources, nil); err != nil {
		list = append(list, err.Error())
	}
	configs, other, err := crd.ParseInputs(resources)
	if err != nil {
		return append(list, err.Error()), nil
	}
	for _, kind := range other {
		list = append(list, "unknown kind "+kind.Kind)
	}
	for _, c := range configs {
		schema, found := collections.All.FindByGroupVersionKind(c.GroupVersionKind)
		if !found {
			list = append(list, "no schema for "+c.GroupVersionKind.String())
			continue
		}
		warning, err := schema.ValidateConfig(c)
		if err != nil {
			list = append(list, c.Name+": "+err.Error())
		}
		if warning != nil && warning.Error() != anyEnvoyFilter {
			list = append(list, c.Name+": warning: "+warning.Error())
		}
	}
	return list, nil
}

func validate(t *testing.T, resources string) {
	t.Helper()
	list, err := problems(resources)
	require.NoError(t, err)
	require.Empty(t, list)
}
