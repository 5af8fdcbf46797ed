package losses_test

import (
	"cmp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/tools/losses"
)

// TestNothingIsLostSilently tries every field of every client's API at every target.
func TestNothingIsLostSilently(t *testing.T) {
	dialects := builtin.Dialects()
	targets := losses.Targets(dialects)
	clients := losses.Clients(dialects)
	require.NotEmpty(t, clients)
	for i := range clients {
		c := &clients[i]
		t.Run(c.Dialect.Name+"/"+c.API.Name, func(t *testing.T) {
			rows, err := losses.Rows(c, targets)
			require.NoError(t, err)
			for _, r := range rows {
				for n, f := range r.Fates {
					if f.Word == "lost" {
						t.Errorf("%s %s is lost on the way to %s: %s", r.Field.Pointer, r.Field.Example, cmp.Or(targets[n].Name, targets[n].Codec.Model), f.Why)
					}
				}
			}
		})
	}
}
