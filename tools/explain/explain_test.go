package explain

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// generated is a configuration, a request and a state of health, all by chance.
func generated(seed uint64) *Case {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var targets, prices strings.Builder
	c := &Case{Health: map[string]Health{}}
	for i := range 1 + r.IntN(5) {
		fmt.Fprintf(&targets, "    - {name: t%d, provider: p%d, model: m%d, priority: %d, weight: %d%s%s%s}\n", i, i, i, r.IntN(2), r.IntN(4),
			pick("", "", ", window: 200", ", window: 2000"), pick("", "", ", can: [tools]", ", can: []"), pick("", "", "", ", canary: 0.15"))
		if r.IntN(2) == 0 {
			fmt.Fprintf(&prices, "    t%d: {input: %d, output: %d}\n", i, 1+r.IntN(9), 1+r.IntN(9))
		}
		if r.IntN(3) == 0 {
			c.Health[fmt.Sprint("t", i)] = Health{State: pick("closed", "open", "closed", "half_open"), Cause: "provider", FirstToken: pick("", "300ms", "2s")}
		}
	}
	providers := ""
	for i := range 5 {
		providers += fmt.Sprintf("  p%d: {dialect: %s, url: \"https://p%d.test\", region: r%d, credentials: [\"env:K\"]}\n", i, pick("openai", "openai", "anthropic"), i, i%2)
	}
	order := pick("", "    order: [cost]\n", "    order: [latency, cost]\n", "    order: [sticky]\n", "    order: [outstanding]\n")
	c.Config = []byte("version: 1\nproviders:\n" + providers + "models:\n  m:\n    max_output: 20\n" + order + "    targets:\n" + targets.String() +
		"price:\n  targets:\n" + orEmpty(prices.String()) + "identity: {anonymous: {}}\nretries: {min_per_second: 100}\n")
	body := `{"model":"` + pick("m", "m", "m", "m", "none") + `","messages":[{"role":"user","content":"` + strings.Repeat("x", r.IntN(900)) + `"}]`
	body += pick("", "", `,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`) + pick("", `,"stream":true`, `,"n":2`)
	c.Body = []byte(body + "}")
	c.Principal = "team=search,user=u" + fmt.Sprint(r.IntN(5))
	c.At = start.Add(time.Duration(r.Int64N(1 << 40)))
	return c
}

func orEmpty(s string) string {
	if s == "" {
		return "    none: {input: 1, output: 1}\n"
	}
	return s
}

var requests = flag.Uint64("requests", 10_000, "how many generated requests are explained and made")

// TestExplainAgrees: what is explained is what happens, request by request: the
// attempts, each of which fails, go to the plan's targets in its order.
func TestExplainAgrees(t *testing.T) {
	const shares = 4
	var planned, refused atomic.Int64
	t.Run("generated", func(t *testing.T) {
		for share := range uint64(shares) {
			t.Run(fmt.Sprint(share), func(t *testing.T) {
				t.Parallel()
				for seed := share; seed < *requests; seed += shares {
					switch n := agrees(t, seed); {
					case n == 0:
						refused.Add(1)
					case n > 1:
						planned.Add(1)
					}
				}
			})
		}
	})
	require.Greater(t, planned.Load(), int64(*requests/5))
	require.Greater(t, refused.Load(), int64(*requests/20))
}

// agrees explains and makes one generated request, and returns its attempts.
func agrees(t *testing.T, seed uint64) int {
	c := generated(seed)
	d, err := Explain(c)
	require.NoError(t, err, "seed %d", seed)
	got := happens(t, c, len(d.Plan()))
	want := d.Plan()
	for i := range want {
		want[i] = "p" + strings.TrimPrefix(want[i], "t")
	}
	require.Equal(t, want, got, "seed %d\n%s\n%s\n%s", seed, c.Config, c.Body, d.Text())
	if len(got) == 0 {
		require.NotNil(t, d.Error, "seed %d", seed)
	}
	return len(got)
}

// happens lets every attempt of a case fail and returns where they went.
func happens(t *testing.T, c *Case, most int) (clusters []string) {
	host, headers, err := c.open()
	require.NoError(t, err)
	s := host.NewStream()
	s.RequestHeaders(headers, false)
	s.RequestBody(c.Body, true)
	for i := 0; i < len(s.Attempts()) && i <= most; i++ {
		a := s.Attempts()[i]
		clusters = append(clusters, a.Cluster)
		a.ResponseHeaders([][2]string{{":status", "500"}}, true)
		host.Advance(10 * time.Millisecond)
	}
	s.Abort()
	require.NoError(t, host.Close())
	return clusters
}

const small = `version: 1
providers:
  one: {dialect: openai, url: "https://one.test", credentials: ["env:K"]}
  two: {dialect: openai, url: "https://two.test"}
models:
  fast:
    aliases: [small]
    order: [cost]
    max_output: 100
    targets: [{provider: one, model: m1}, {provider: two, model: m2}, {provider: two, model: m3, can: []}]
price:
  targets: {one/m1: {input: 1, output: 2}, two/m2: {input: 3, output: 4}}
identity:
  keys:
    app: {hash: "sha256:4ef0aa83c10d775c7a2c235f21d73ce2b3a5356217650648ae9e6e43347851bb", team: search}
policy:
  policies:
    search: {cedar: 'permit (principal in Team::"search", action == Action::"invoke", resource);'}
`

func TestText(t *testing.T) {
	c := &Case{Config: []byte(small), Principal: "app", Body: []byte(`{"model":"small","tools":[{"type":"function","function":{"name":"f"}}],"messages":[]}`)}
	d, err := Explain(c)
	require.NoError(t, err)
	text := d.Text()
	for _, line := range []string{"model      fast (asked for as small)\n", "policies   allowed by search\n",
		"estimate   22 tokens in, at most 100 out, 0.000222 at the first target\n",
		"plan       1. one/m1 (cost 222,", "plan       2. two/m2 (cost 466,", "left out   two/m3: cannot_tools\n"} {
		require.Contains(t, text, line)
	}
	c.Principal = "team=other"
	d, err = Explain(c)
	require.NoError(t, err)
	require.Contains(t, d.Text(), "denied by default-deny\nrefused    policy: policy_denied\n")
	c.Principal, c.Health = "app", map[string]Health{"one/m1": {State: "open", Cause: "overloaded"}}
	d, err = Explain(c)
	require.NoError(t, err)
	require.Equal(t, []string{"two/m2", "one/m1"}, d.Plan())
	require.Contains(t, d.Text(), "plan       2. one/m1 (cost 222, weight")
	require.Contains(t, d.Text(), "shut out: if all others fail)\n")
}

func TestErrors(t *testing.T) {
	for want, c := range map[string]*Case{
		"/models":             {Config: []byte("version: 1\n")},
		"there is no key":     {Config: []byte(small), Principal: "nobody"},
		"no state":            {Config: []byte(small), Health: map[string]Health{"one/m1": {State: "ill"}}},
		"no error class":      {Config: []byte(small), Health: map[string]Health{"one/m1": {Cause: "ill"}}},
		"unknown unit":        {Config: []byte(small), Health: map[string]Health{"one/m1": {For: "3x"}}},
		"not an audit record": nil,
	} {
		if c == nil {
			_, err := Read([]byte(`{"x":1}`))
			require.ErrorContains(t, err, want)
			continue
		}
		_, err := Explain(c)
		require.ErrorContains(t, err, want)
	}
	_, err := Read([]byte("x"))
	require.ErrorIs(t, err, errNoRecord)
}
