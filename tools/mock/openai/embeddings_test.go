package openai_test

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	mt "github.com/posterngw/postern/tools/mock/internal/mocktest"
)

const embedPath = "/v1/embeddings"

func vector(t *testing.T, body mt.J, i int) []float64 {
	list, ok := mt.At(body, "data", i, "embedding").([]any)
	require.True(t, ok)
	var out []float64
	for _, v := range list {
		out = append(out, v.(float64))
	}
	return out
}

func cosine(a, b []float64) float64 {
	dot, na, nb := 0.0, 0.0, 0.0
	for i := range a {
		dot += a[i] * b[i]
		na += a[i] * a[i]
		nb += b[i] * b[i]
	}
	return dot / math.Sqrt(na*nb)
}

func TestEmbeddings(t *testing.T) {
	c := client(t)
	body := c.Post(embedPath, `{"model":"text-embedding-3-small","input":["how tall is the Eiffel tower","How tall is the Eiffel Tower?","a recipe for plum cake"]}`, 200)
	require.Equal(t, "list", body["object"])
	require.Equal(t, "text-embedding-3-small", body["model"])
	require.Equal(t, mt.Num(body, "usage", "prompt_tokens"), mt.Num(body, "usage", "total_tokens"))
	a, b, other := vector(t, body, 0), vector(t, body, 1), vector(t, body, 2)
	require.Len(t, a, 1536)
	require.InDelta(t, 1, cosine(a, a), 1e-6)
	require.Greater(t, cosine(a, b), 0.95, "the same words")
	require.Less(t, cosine(a, other), 0.6, "other words")
	require.Equal(t, mt.Num(body, "usage", "prompt_tokens"), c.Mock.Stats().Reported["text-embedding-3-small"].Input)
}

func TestEmbeddingForms(t *testing.T) {
	c := client(t)
	floats := vector(t, c.Post(embedPath, `{"model":"text-embedding-3-small","input":"x","dimensions":8}`, 200), 0)
	body := c.Post(embedPath, `{"model":"text-embedding-3-small","input":"x","dimensions":8,"encoding_format":"base64"}`, 200)
	raw, err := base64.StdEncoding.DecodeString(mt.Text(body, "data", 0, "embedding"))
	require.NoError(t, err)
	require.Len(t, raw, 32)
	for i, f := range floats {
		require.InDelta(t, f, math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])), 1e-6)
	}
	require.Equal(t, 3, mt.Num(c.Post(embedPath, `{"model":"text-embedding-3-large","input":[1,2,3]}`, 200), "usage", "prompt_tokens"))
	require.Equal(t, 2, mt.Len(c.Post(embedPath, `{"model":"text-embedding-ada-002","input":[[1,2],[3]]}`, 200), "data"))
}

func TestEmbeddingRefusals(t *testing.T) {
	c := client(t)
	for name, tc := range map[string]struct {
		body    string
		status  int
		message string
	}{
		"model":      {`{"model":"gpt-4o","input":"x"}`, 404, "does not exist"},
		"no input":   {`{"model":"text-embedding-3-small"}`, 400, "Missing required parameter: 'input'."},
		"empty list": {`{"model":"text-embedding-3-small","input":[]}`, 400, "empty array"},
		"empty text": {`{"model":"text-embedding-3-small","input":""}`, 400, "empty string"},
		"empty item": {`{"model":"text-embedding-3-small","input":["a",""]}`, 400, "'$.input' is invalid"},
		"mixed":      {`{"model":"text-embedding-3-small","input":["a",[1]]}`, 400, "Invalid type for 'input'"},
		"fractions":  {`{"model":"text-embedding-3-small","input":[1.5]}`, 400, "Invalid type for 'input'"},
		"format":     {`{"model":"text-embedding-3-small","input":"x","encoding_format":"hex"}`, 400, "Supported values are: 'float' and 'base64'."},
		"dimensions": {`{"model":"text-embedding-3-small","input":"x","dimensions":4096}`, 400, "Must be less than or equal to 1536."},
		"ada":        {`{"model":"text-embedding-ada-002","input":"x","dimensions":8}`, 400, "does not support specifying dimensions"},
		"unknown":    {`{"model":"text-embedding-3-small","input":"x","truncate":true}`, 400, "Unrecognized request argument supplied: truncate"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, mt.Text(c.Post(embedPath, tc.body, tc.status), "error", "message"), tc.message)
		})
	}
}
