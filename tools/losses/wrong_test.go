package losses

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/dialect/dialecttest"
)

// wrongly is how often each field is sent in a request that is wrong.
const wrongly = 20

// TestWrongRequests sends what no API takes, with every field, from every client to
// every target: it is refused in words, or what leaves is JSON.
func TestWrongRequests(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 0))
	targets := Targets(builtin.Dialects())
	for _, c := range Clients(builtin.Dialects()) {
		t.Run(c.Dialect.Name+"/"+c.API.Name, func(t *testing.T) {
			for _, f := range c.Fields {
				body, err := merge(c.Plain, f.With)
				require.NoError(t, err)
				body, err = set(body, f.Pointer, f.Example)
				require.NoError(t, err)
				for range wrongly {
					c.wrong(t, targets, dialecttest.Wrong(random, body))
				}
			}
		})
	}
}

func (c *Client) wrong(t *testing.T, targets []Target, body []byte) {
	in, err := c.read(body)
	if err != nil || in.refused != nil {
		return
	}
	for i := range targets {
		codec := c.codec(&targets[i])
		api, same := targets[i].Dialect.Serves(c.API, &in.facts, &codec)
		if api == nil || same {
			continue
		}
		out := c.translate(api, &codec, &in)
		if out.refused != nil {
			require.Equal(t, 400, out.refused.Status, string(body))
			continue
		}
		sent := out.body[:bytes.LastIndexByte(out.body, '\n')] // behind it is the path
		require.True(t, json.Valid(sent), "%s to %s\n%s", body, codec.Model, sent)
	}
}
