package command_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/tools/postern/internal/command"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// TestNewKey pastes what is printed and presents the key.
func TestNewKey(t *testing.T) {
	args := []string{"keys", "new", "null", "--organisation", `a "quoted": name`, "--team", "search", "--application", "1",
		"--user", "yes", "--environment", "prod", "--expires", "2027-06-30T00:00:00Z"}
	out := runs(t, args)
	key, rest, _ := strings.Cut(out, "\n")
	require.NotContains(t, rest, strings.TrimPrefix(key, "null."), "the secret is printed once")
	node, errs := yamlconfig.Parse("snippet", []byte(rest))
	require.NoError(t, errs.Err())
	var c identity.Config
	require.NoError(t, config.Decode(node, []config.Field{config.Object("identity", &c, identity.Fields)}).Err())
	require.Equal(t, "2027-06-30T00:00:00Z", c.Keys[0].Value.Expires)
	registry, err := identity.New(&c)
	require.NoError(t, err)
	p, refused := registry.Identify(identity.Presented{Token: key, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.Nil(t, refused)
	require.Equal(t, identity.Principal{Organisation: `a "quoted": name`, Team: "search", Application: "1", User: "yes",
		Environment: "prod", Key: "null"}, p)
	require.NotEqual(t, key, strings.SplitN(runs(t, args), "\n", 2)[0])
}

// TestVersion prints one line.
func TestVersion(t *testing.T) {
	require.Regexp(t, `^postern \S+ go1\.\S+ \w+/\w+\n$`, runs(t, []string{"version"}))
}

// runs runs a command line that must succeed and returns what it printed.
func runs(t *testing.T, args []string) string {
	var out, errs bytes.Buffer
	require.Zero(t, command.Main(context.Background(), args, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}))
	require.Empty(t, errs.String())
	return out.String()
}
