package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDecodeKnown: keys of others are passed over, at every depth; all else is as
// strict as ever.
func TestDecodeKnown(t *testing.T) {
	type inner struct{ Name string }
	decode := func(text string) ([]Named[inner], Errors) {
		node, errs := ParseJSON([]byte(text))
		require.Empty(t, errs)
		var list []Named[inner]
		fields := []Field{Map("list", &list, func(_ string, x *inner) []Field { return []Field{String("name", &x.Name, Required())} }, Required())}
		require.NotEmpty(t, Decode(node, fields))
		return list, DecodeKnown(node, fields)
	}
	list, errs := decode(`{"other":{"deep":[1]},"list":{"a":{"name":"x","more":null}}}`)
	require.Empty(t, errs)
	require.Equal(t, []Named[inner]{{"a", inner{"x"}}}, list)
	for text, code := range map[string]Code{
		`{"other":1}`:                            Missing,
		`{"list":{"a":{"other":1}}}`:             Missing,
		`{"list":{"a":{"name":1}}}`:              WrongType,
		`{"list":{"a":{"name":"x","name":"y"}}}`: DuplicateKey,
	} {
		node, errs := ParseJSON([]byte(text))
		if len(errs) == 0 {
			var list []Named[inner]
			errs = DecodeKnown(node, []Field{Map("list", &list, func(_ string, x *inner) []Field { return []Field{String("name", &x.Name, Required())} }, Required())})
		}
		require.Len(t, errs, 1, text)
		require.Equal(t, code, errs[0].Code, text)
	}
}
