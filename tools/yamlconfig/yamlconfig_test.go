package yamlconfig_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/yamlconfig"
)

func TestParse(t *testing.T) {
	n, errs := yamlconfig.Parse("postern.yaml", []byte("a: &x [yes, 1, 2024-01-01]\nb: *x\n"))
	require.NoError(t, errs.Err())
	require.Equal(t, `{"a":["yes",1,"2024-01-01"],"b":["yes",1,"2024-01-01"]}`, string(yamlconfig.ToJSON(n)))
}
