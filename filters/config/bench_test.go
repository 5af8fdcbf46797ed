package config_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

// manyKeys is a document with 10,000 API keys, as a large user has.
func manyKeys() []byte {
	var b strings.Builder
	b.WriteString(`{"keys":{`)
	for i := range 10_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		id := strconv.Itoa(i)
		b.WriteString(`"k` + id + `":{"sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","organisation":"acme","team":"t` +
			id + `","application":"app","user":"u` + id + `","environment":"prod"}`)
	}
	b.WriteString(`}}`)
	return []byte(b.String())
}

type apiKey struct{ Hash, Organisation, Team, Application, User, Environment string }

func (k *apiKey) fields() []config.Field {
	return []config.Field{
		config.String("sha256", &k.Hash, config.Required(), config.Length(64, 64)),
		config.String("organisation", &k.Organisation),
		config.String("team", &k.Team),
		config.String("application", &k.Application),
		config.String("user", &k.User),
		config.String("environment", &k.Environment),
	}
}

func BenchmarkParseJSON(b *testing.B) {
	data := manyKeys()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, errs := config.ParseJSON(data)
		require.Empty(b, errs)
	}
}

func BenchmarkDecode(b *testing.B) {
	n, _ := config.ParseJSON(manyKeys())
	b.ReportAllocs()
	for b.Loop() {
		var keys []config.Named[apiKey]
		errs := config.Decode(n, []config.Field{
			config.Map("keys", &keys, func(_ string, k *apiKey) []config.Field { return k.fields() }, config.In("keys")),
		})
		require.Empty(b, errs)
	}
}

func BenchmarkDigest(b *testing.B) {
	n, _ := config.ParseJSON(manyKeys())
	b.ReportAllocs()
	for b.Loop() {
		config.Digest(n)
	}
}
