package health

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

func TestDefaults(t *testing.T) {
	require.Equal(t, Settings{
		Failures:    []string{"auth", "rate_limited", "quota_exhausted", "overloaded", "provider", "timeout", "malformed"},
		Consecutive: 5, ErrorRatio: 0.5, MinRequests: 20, Window: 30 * time.Second,
		Open: 10 * time.Second, MaxOpen: 5 * time.Minute, QuotaOpen: 10 * time.Minute,
		Probes: 1, ProbeTimeout: 2 * time.Minute, Ramp: 30 * time.Second, RampFrom: 0.1,
	}, conf(t, `{}`).Settings)
}

func TestTable(t *testing.T) {
	var c Config
	require.NoError(t, config.Verify([]config.Field{config.Object("health", &c, Fields, config.Doc("."))}).Err())
}

func TestOverridesInherit(t *testing.T) {
	c := conf(t, `{"probes": 3, "providers": {"p": {}, "q": {"failures": []}}}`)
	require.Equal(t, c.Settings, c.settings(&Target{"a", "p"}), "what is not set is inherited")
	s := c.settings(&Target{"b", "q"})
	require.Empty(t, s.Failures, "an empty list is set")
	require.Zero(t, newRule(&s).failures)
}

func TestRefusedConfig(t *testing.T) {
	for text, want := range map[string]string{
		`{"providers": {"none": {}}}`:                          `no "none" in providers`,
		`{"open": "1m", "max_open": "30s"}`:                    "less than open",
		`{"targets": {"x": {"open": "2h"}}}`:                   "out of range",
		`{"failures": ["client"]}`:                             `unknown value "client"`,
		`{"ramp_from": 0}`:                                     "out of range",
		`{"targets": {"x": {"targets": {}}}}`:                  `unknown key "targets"`,
		`{"targets": {"x": {"open": "9s", "max_open": "1s"}}}`: "less than open",
	} {
		n, errs := config.ParseJSON([]byte(`{"providers": {"p": ""}, "health": ` + text + `}`))
		require.NoError(t, errs.Err())
		_, err := decode(n)
		require.ErrorContains(t, err, want)
	}
}
