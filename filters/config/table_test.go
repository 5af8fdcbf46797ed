package config_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

func TestDecodeFillsValues(t *testing.T) {
	n, errs := config.ParseJSON([]byte(`{
		"title": "t1", "mode": "paired", "debug": true, "workers": 2, "offset": -4, "share": 0.25, "body": "1MiB",
		"grace": "1m", "drift": "-1ms", "regions": ["us"], "labels": {"a": "b"}, "fallbacks": ["z", "a"],
		"limits": {"owner": "o", "hard": 30}, "cache": {"ttl": "5s"},
		"providers": {"p": {"url": "u", "secret": "host"}},
		"keys": [{"id": "k1", "team": "t"}, {"id": "k2"}],
		"models": {"z": {"targets": [{"provider": "p", "weight": 3}]}, "a": {"targets": [{"provider": "p"}]}},
		"extra": [7]}`))
	require.NoError(t, errs.Err())
	var g gateway
	require.NoError(t, config.Decode(n, g.fields()).Err())
	require.Equal(t, gateway{
		Title: "t1", Mode: "paired", Debug: true, Workers: 2, Offset: -4, Share: 0.25, Body: 1 << 20,
		Grace: time.Minute, Drift: -time.Millisecond, Regions: []string{"us"},
		Labels: map[string]string{"a": "b"}, Fallbacks: []string{"z", "a"},
		Limits: limits{Soft: 10, Hard: 30, Owner: "o"}, Cache: &cache{TTL: 5 * time.Second},
		Providers: []config.Named[provider]{{Name: "p", Value: provider{URL: "u", Secret: "host"}}},
		Keys:      []key{{"k1", "t"}, {"k2", ""}},
		Models: []config.Named[model]{
			{Name: "z", Value: model{[]target{{"p", 3}}}},
			{Name: "a", Value: model{[]target{{"p", 1}}}},
		},
		Extra: n.Get("extra"),
	}, g)
}

func TestDecodeFillsDefaults(t *testing.T) {
	want := gateway{
		Title: "postern", Mode: "native", Workers: 4, Body: 64 << 10, Grace: 90 * time.Second,
		Regions: []string{"eu"}, Limits: limits{Soft: 10, Hard: 20},
	}
	var g gateway
	require.NoError(t, config.Decode(nil, g.fields()).Err())
	require.Equal(t, want, g)

	kept := gateway{Share: 0.1}
	require.NoError(t, config.Decode(&config.Node{Kind: config.KindMap}, kept.fields()).Err())
	require.InDelta(t, 0.1, kept.Share, 0, "without a default the variable is left alone")
}

func TestDecodeRefusesDuplicatesInBuiltTrees(t *testing.T) {
	one := &config.Node{Kind: config.KindString, Text: "xx"}
	n := &config.Node{Kind: config.KindMap, Members: []config.Member{{Key: "title", Value: one}, {Key: "title", Value: one}}}
	errs := config.Decode(n, new(gateway).fields())
	require.Len(t, errs, 1)
	require.Equal(t, config.DuplicateKey, errs[0].Code)

	entry := &config.Node{Kind: config.KindMap}
	providers := &config.Node{Kind: config.KindMap, Members: []config.Member{{Key: "p", Value: entry}, {Key: "p", Value: entry}}}
	n = &config.Node{Kind: config.KindMap, Members: []config.Member{{Key: "providers", Value: providers}}}
	require.Contains(t, config.Decode(n, new(gateway).fields()).Error(), `duplicate key "p"`)
}

func TestChecksDoNotRunBeyondTheErrorBound(t *testing.T) {
	items := make([]*config.Node, 2*config.MaxErrors)
	for i := range items {
		items[i] = &config.Node{Kind: config.KindNull}
	}
	var regions []string
	ran := false
	errs := config.Decode(&config.Node{Kind: config.KindMap, Members: []config.Member{
		{Key: "a", Value: &config.Node{Kind: config.KindList, Items: items}},
		{Key: "b", Value: &config.Node{Kind: config.KindMap}},
	}}, []config.Field{
		config.Strings("a", &regions),
		config.Object("b", new(key), (*key).fields, config.Check(func(key) error { ran = true; return nil })),
	})
	require.Len(t, errs, config.MaxErrors+1)
	require.False(t, ran)
}

func TestVerifyAcceptsTheFixture(t *testing.T) {
	require.NoError(t, config.Verify(new(gateway).fields()).Err())
}

func TestVerify(t *testing.T) {
	var (
		s  string
		i  int
		d  time.Duration
		ss []string
		m  []config.Named[limits]
		o  limits
	)
	none := func(string, *limits) []config.Field { return nil }
	tests := []struct {
		field config.Field
		want  string
	}{
		{config.Int("x", &i, config.Default("a")), "/x: the default is refused: expected a number, found a string"},
		{config.Int("x", &i, config.Default(9), config.Max(8)), "/x: the default is refused: 9 is out of range"},
		{config.Int("x", &i, config.Default([]int{1})), "/x: a default of a type that the field has not"},
		{config.Int("x", &i, config.Check(func(string) error { return nil })), "/x: a check of a type that the field has not"},
		{config.Int("x", &i, config.Length(1, 2)), "/x: Length is for texts, lists and maps"},
		{config.Int("x", &i, config.OneOf("a")), "/x: OneOf is for texts and lists of texts"},
		{config.Int("x", &i, config.Secret()), "/x: Secret is for texts and lists of texts"},
		{config.Int("x", &i, config.AnyKey()), "/x: AnyKey is for maps"},
		{config.Int("x", &i, config.Name()), "/x: Name is for texts"},
		{config.Strings("x", &ss, config.In("y")), "/x: In is for texts and maps"},
		{config.String("x", &s, config.Min(1)), "/x: Min, Max and Range are for numbers, sizes and durations"},
		{config.String("x", &s, config.Default("a"), config.Required()), "/x: Required and Default exclude each other"},
		{config.Ref("x", &s, "y"), `/x: refers to "y", which nothing declares`},
		{config.Refs("x", &ss, "y"), `/x: refers to "y", which nothing declares`},
		{config.Duration("x", &d, config.Default("5")), `/x: the default is refused: "5" is not a time span`},
		{config.Map("x", &m, func(_ string, l *limits) []config.Field {
			return append(l.fields(), config.Int("soft", &l.Soft))
		}), "/x/*/soft: the name is there twice"},
		{config.Map("x", &m, none, config.Check(func(int) error { return nil })), "/x: a check of a type that the field has not"},
		{config.Object("x", &o, (*limits).fields, config.Default("a")), "/x: the default is refused: expected an object, found a string"},
	}
	for _, tt := range tests {
		errs := config.Verify([]config.Field{tt.field})
		require.Len(t, errs, 1, tt.want)
		require.Equal(t, tt.want, errs.Error())
	}
}

func TestDecodeReportsABrokenTable(t *testing.T) {
	var i int
	errs := config.Decode(nil, []config.Field{config.Int("x", &i, config.Default([]int{1}))})
	require.Equal(t, config.BadTable, errs[0].Code)
	errs = config.Decode(nil, []config.Field{config.Int("x", &i, config.Default(1), config.Check(func(string) error { return nil }))})
	require.Equal(t, config.BadTable, errs[0].Code)
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int{
		"0": 0, "1": 1, "64KiB": 64 << 10, "1MiB": 1 << 20, "2GiB": 2 << 30, "4611686018427387903": 1<<62 - 1,
	} {
		n, ok := config.ParseBytes(text)
		require.True(t, ok, text)
		require.Equal(t, want, n)
	}
	for _, text := range []string{"", "KiB", "-1", "+1", "1.5MiB", "1 MiB", "1kib", "1KB", "0x1", "1_000", "9007199254740992KiB", "9223372036854775808"} {
		_, ok := config.ParseBytes(text)
		require.False(t, ok, text)
	}
	for n, want := range map[int]string{0: "0", 1: "1", 1023: "1023", 1024: "1KiB", 1 << 20: "1MiB", 3 << 30: "3GiB", 1<<20 + 1024: "1025KiB"} {
		require.Equal(t, want, config.FormatBytes(n))
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Hour: "1h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", 10 * time.Minute: "10m",
		250 * time.Millisecond: "250ms", 1500 * time.Millisecond: "1.5s", 30 * time.Hour: "30h", math.MinInt64: "-2562047h47m16.854775808s",
	} {
		require.Equal(t, want, config.FormatDuration(d))
		back, err := time.ParseDuration(want)
		require.NoError(t, err)
		require.Equal(t, d, back)
	}
}
