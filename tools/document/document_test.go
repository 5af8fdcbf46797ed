package document_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/yamlconfig"
)

const table = `
as_of: "2026-11-01"
currency: EUR
models: {"openai/*": {input: 1, output: 2}}
targets: {a: {input: 3, output: 4}, b: {input: 5, output: 6}}
`

// read reads a document beside a file of prices.
func read(t *testing.T, text, prices string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prices.yaml"), []byte(prices), 0o600))
	node, errs := document.Read(filepath.Join(dir, "postern.yaml"), []byte(text))
	return string(yamlconfig.ToJSON(node)), errs.Err()
}

func TestTable(t *testing.T) {
	for text, want := range map[string]string{
		`{price: {table: prices.yaml}}`: `{"price":{"as_of":"2026-11-01","currency":"EUR","models":{"openai/*":{"input":1,"output":2}},"targets":{"a":{"input":3,"output":4},"b":{"input":5,"output":6}}}}`,
		`{price: {targets: {a: {input: 9, output: 9}}, table: prices.yaml, currency: EUR}}`: `{"price":{"targets":{"a":{"input":9,"output":9},"b":{"input":5,"output":6}},"currency":"EUR","as_of":"2026-11-01","models":{"openai/*":{"input":1,"output":2}}}}`,
		`{price: {currency: USD}}`: `{"price":{"currency":"USD"}}`,
		`{price: {table: 7}}`:      `{"price":{"table":7}}`,
		`{version: 1}`:             `{"version":1}`,
	} {
		got, err := read(t, text, table)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
}

func TestWrongTable(t *testing.T) {
	for want, tt := range map[string][2]string{
		"no such file": {`{price: {table: other.yaml}}`, table},
		`1:17: /price/table: the table's prices are in EUR, the section's in USD`: {`{price: {table: prices.yaml, currency: USD}}`, table},
		`prices.yaml:2:1: /tarets: unknown key "tarets"`:                          {`{price: {table: prices.yaml}}`, "currency: EUR\ntarets: {}\n"},
		`/table: unknown key "table"`:                                             {`{price: {table: prices.yaml}}`, "table: other.yaml\n"},
		`not a day`:                                                               {`{price: {table: prices.yaml}}`, "as_of: \"2026-13-01\"\n"},
		`a price has at most six decimals`:                                        {`{price: {table: prices.yaml}}`, "targets: {a: {input: 0.00000001, output: 1}}\n"},
		"prices.yaml:1:1":                                                         {`{price: {table: prices.yaml}}`, "[]\n"},
	} {
		_, err := read(t, tt[0], tt[1])
		require.ErrorContains(t, err, want)
	}
}
