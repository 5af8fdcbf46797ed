package yamlconfig_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// TestParseAll reads documents with their places in the stream.
func TestParseAll(t *testing.T) {
	list, errs := yamlconfig.ParseAll("f", []byte("# nothing\n---\na: 1\n---\n---\n- &x b\n- *x\n"))
	require.Empty(t, errs)
	require.Len(t, list, 2)
	require.Equal(t, int32(3), list[0].Get("a").Line)
	require.Equal(t, `["b","b"]`, string(yamlconfig.ToJSON(list[1])))
	list, errs = yamlconfig.ParseAll("f", nil)
	require.Empty(t, errs)
	require.Empty(t, list)
}

func TestParseAllRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		code config.Code
		line int
	}{
		"too large":         {strings.Repeat(" ", yamlconfig.MaxStream+1), config.TooLarge, 1},
		"UTF-16":            {"\xff\xfea", config.Syntax, 1},
		"a second document": {"a: 1\n---\nb: [\n", config.Syntax, 3},
		"a tag":             {"a: 1\n---\nb: !x 1\n", config.Invalid, 3},
		"aliases":           {"a: &x " + strings.Repeat("x", 1<<10) + strings.Repeat("\n---\n- *x", 1<<10), config.TooLarge, 1},
	} {
		t.Run(name, func(t *testing.T) {
			list, errs := yamlconfig.ParseAll("f", []byte(c.text))
			require.Nil(t, list)
			require.Len(t, errs, 1)
			require.Equal(t, c.code, errs[0].Code)
			require.GreaterOrEqual(t, errs[0].Line, c.line)
		})
	}
}
