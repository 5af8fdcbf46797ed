package route

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/health"
	"github.com/posterngw/postern/filters/llm"
)

// table builds the routing of a `models` section; its targets' provider is p,
// in region "home", which takes everything.
func table(t require.TestingT, models string) *Table {
	c, errs := decode(`{"providers":{"p":{"dialect":"d","url":"https://p.test","region":"home"}},"models":` + models + `}`)
	require.NoError(t, errs.Err())
	table, err := New(c, func(name string) *dialect.Dialect { return &dialect.Dialect{Name: name} })
	require.NoError(t, err)
	return table
}

func decode(text string) (*Config, config.Errors) {
	node, errs := config.ParseJSON([]byte(text))
	if len(errs) > 0 {
		return nil, errs
	}
	c := &Config{}
	return c, config.Decode(node, Fields(c, []string{"d"}))
}

// world answers for the other parts.
type world struct {
	refuse map[string]string
	look   map[string]health.Snapshot
	cost   map[string]int64 // by target, for any tokens
}

func (w world) Judge(t *Target) string         { return w.refuse[t.Name] }
func (w world) Look(t *Target) health.Snapshot { return w.look[t.Name] }
func (w world) Cost(t *Target, _, _ int64) (int64, bool) {
	c, ok := w.cost[t.Name]
	return c, ok
}

func (p Plan) names() (names []string) {
	for _, t := range p.Targets {
		names = append(names, t.Name)
	}
	return names
}

func (p Plan) reasons() map[string]string {
	reasons := map[string]string{}
	for _, x := range p.Excluded {
		reasons[x.Target.Name] = x.Reason
	}
	return reasons
}

// TestChoose holds for any model, any request and any state of the world: every
// target is in the plan or left out for a reason, once; priorities hold, with
// those that are shut out behind the others; the same inputs give the same plan.
func TestChoose(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, w := drawModel(rt), world{map[string]string{}, map[string]health.Snapshot{}, map[string]int64{}}
		for _, target := range m.Targets {
			drawTarget(rt, target, &w)
		}
		ask := Ask{Facts: &llm.Facts{Needs: llm.Needs(rapid.IntRange(0, 127).Draw(rt, "needs")), TextBytes: rapid.IntRange(0, 5000).Draw(rt, "bytes")},
			Seed: rapid.Uint64().Draw(rt, "seed"), Sticky: rapid.Uint64Range(0, 3).Draw(rt, "sticky"),
			Task: rapid.SampledFrom([]string{"", "", "code"}).Draw(rt, "task"), Single: rapid.IntRange(0, 4).Draw(rt, "single") == 0,
			Pin: rapid.SampledFrom([]string{"", "", "", "t0"}).Draw(rt, "pin")}
		p := m.Choose(&ask, w)
		require.Equal(rt, p, m.Choose(&ask, w), "a pure function")
		require.Len(rt, m.Targets, len(p.Targets)+len(p.Excluded))
		require.LessOrEqual(rt, len(p.Targets), MaxPlan)
		seen := map[string]bool{}
		for i, target := range p.Targets {
			require.False(rt, seen[target.Name])
			seen[target.Name] = true
			require.Empty(rt, w.refuse[target.Name])
			require.Zero(rt, ask.Facts.Needs&^target.Can)
			if i > 0 {
				before := p.Targets[i-1]
				shut, other := w.look[target.Name].State == health.Open, w.look[before.Name].State == health.Open
				require.True(rt, shut || !other, "those that are shut out stand last")
				require.True(rt, shut != other || target.Priority >= before.Priority)
			}
		}
		for _, x := range p.Excluded {
			require.False(rt, seen[x.Target.Name])
			seen[x.Target.Name] = true
			require.NotEmpty(rt, x.Reason)
		}
		if ask.Single {
			require.LessOrEqual(rt, len(p.Targets), 1)
		}
	})
}

func drawModel(t *rapid.T) *Model {
	m := &Model{Regions: []string{"r0", "r1"}}
	for i := range rapid.IntRange(2, 12).Draw(t, "targets") {
		m.Targets = append(m.Targets, &Target{Name: "t" + strconv.Itoa(i), Index: i})
	}
	for range rapid.IntRange(0, 3).Draw(t, "strategies") {
		m.Order = append(m.Order, Strategy(rapid.IntRange(0, int(strategies)-1).Draw(t, "strategy")))
	}
	m.Order = append(m.Order, ByWeight)
	return m
}

func drawTarget(t *rapid.T, target *Target, w *world) {
	target.Priority = rapid.IntRange(0, 2).Draw(t, "priority")
	target.Weight = rapid.IntRange(0, 3).Draw(t, "weight")
	target.Region = rapid.SampledFrom([]string{"", "r0", "r1"}).Draw(t, "region")
	target.Window = rapid.SampledFrom([]int{0, 0, 500, 2000}).Draw(t, "window")
	target.Can = ^llm.Needs(0)
	if rapid.Bool().Draw(t, "limited") {
		target.Can = llm.Needs(rapid.IntRange(0, 127).Draw(t, "can"))
	}
	if rapid.IntRange(0, 3).Draw(t, "special") == 0 {
		target.Tasks = []string{"code"}
	}
	if rapid.IntRange(0, 5).Draw(t, "refused") == 0 {
		w.refuse[target.Name] = "default-deny"
	}
	w.look[target.Name] = health.Snapshot{State: health.State(rapid.IntRange(0, 3).Draw(t, "state")), Outstanding: rapid.IntRange(0, 3).Draw(t, "outstanding"),
		FirstToken: time.Duration(rapid.IntRange(0, 2000).Draw(t, "first")) * time.Millisecond}
	if rapid.Bool().Draw(t, "priced") {
		w.cost[target.Name] = int64(rapid.IntRange(0, 9).Draw(t, "cost"))
	}
}

const three = `{"m":{%"targets":[{"provider":"p","model":"a"%a},{"provider":"p","model":"b"%b},{"provider":"p","model":"c"%c}]}}`

// models spells a model with the targets p/a, p/b and p/c.
func models(keys, a, b, c string) string {
	return strings.NewReplacer("%a", a, "%b", b, "%c", c, "%", keys).Replace(three)
}

// TestStrategies: what each prefers, and what decides where it finds no difference.
func TestStrategies(t *testing.T) {
	ms := func(n int) health.Snapshot { return health.Snapshot{FirstToken: time.Duration(n) * time.Millisecond} }
	for name, c := range map[string]struct {
		models string
		world  world
		want   []string
	}{
		"cost":          {models(`"order":["cost"],`, "", "", ""), world{cost: map[string]int64{"p/a": 3, "p/c": 1}}, []string{"p/c", "p/a", "p/b"}},
		"latency":       {models(`"order":["latency"],`, "", "", ""), world{look: map[string]health.Snapshot{"p/a": ms(900), "p/b": ms(300)}}, []string{"p/c", "p/b", "p/a"}},
		"region":        {models(`"order":["region"],"regions":["eu","us"],`, `,"region":"us"`, "", `,"region":"eu"`), world{}, []string{"p/c", "p/a", "p/b"}},
		"outstanding":   {models(`"order":["outstanding"],`, `,"weight":4`, "", ""), world{look: map[string]health.Snapshot{"p/a": {Outstanding: 2}, "p/b": {Outstanding: 1}}}, []string{"p/a", "p/c", "p/b"}},
		"then the next": {models(`"order":["region","cost"],"regions":["eu"],`, `,"region":"eu"`, `,"region":"eu"`, ""), world{cost: map[string]int64{"p/a": 3, "p/b": 2, "p/c": 1}}, []string{"p/b", "p/a", "p/c"}},
		"priority":      {models(`"order":["cost"],`, `,"priority":1`, "", `,"priority":1`), world{cost: map[string]int64{"p/a": 2, "p/b": 9, "p/c": 1}}, []string{"p/b", "p/c", "p/a"}},
		"weight 0":      {models("", `,"weight":0`, "", `,"priority":1`), world{}, []string{"p/b", "p/a", "p/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := table(t, c.models).Model("m").Choose(&Ask{Facts: &llm.Facts{}, Seed: 1}, c.world)
			require.Equal(t, c.want, p.names())
			require.Len(t, p.Scores, 3)
		})
	}
}

// TestLatencyLeavesSmallDifferences to chance.
func TestLatencyLeavesSmallDifferences(t *testing.T) {
	m := table(t, models(`"order":["latency"],`, "", "", "")).Model("m")
	w := world{look: map[string]health.Snapshot{}}
	for i, name := range []string{"p/a", "p/b", "p/c"} {
		w.look[name] = health.Snapshot{FirstToken: time.Duration(1100+10*i) * time.Millisecond}
	}
	first := map[string]int{}
	for seed := range uint64(300) {
		p := m.Choose(&Ask{Facts: &llm.Facts{}, Seed: seed}, w)
		first[p.Targets[0].Name]++
	}
	require.Len(t, first, 3)
}

// TestShares: weights and canaries are kept to, and what is sticky stays.
func TestShares(t *testing.T) {
	const n = 20_000
	m := table(t, models("", `,"weight":6`, `,"weight":3`, `,"weight":1`)).Model("m")
	canary := table(t, models("", `,"canary":0.1`, "", `,"weight":3`)).Model("m")
	sticky := table(t, models(`"order":["sticky"],`, `,"weight":6`, `,"weight":3`, `,"weight":1`)).Model("m")
	first, second, assigned, stuck := map[string]int{}, map[string]int{}, 0, map[string]int{}
	for seed := range uint64(n) {
		ask := &Ask{Facts: &llm.Facts{}, Seed: seed * 7919}
		p := m.Choose(ask, world{})
		first[p.Targets[0].Name]++
		if p.Targets[0].Name == "p/a" {
			second[p.Targets[1].Name]++
		}
		p = canary.Choose(ask, world{})
		if p.Canary != "" {
			assigned++
			require.Contains(t, p.names(), "p/a")
		} else {
			require.Equal(t, NotCanary, p.reasons()["p/a"])
		}
		ask.Sticky = seed*31 + 1
		p = sticky.Choose(ask, world{})
		ask.Seed++
		require.Equal(t, p.names(), sticky.Choose(ask, world{}).names())
		stuck[p.Targets[0].Name]++
		without := sticky.Choose(ask, world{refuse: map[string]string{"p/c": "gone"}})
		if p.Targets[0].Name != "p/c" {
			require.Equal(t, p.Targets[0], without.Targets[0], "only the share of what is gone moves")
		}
	}
	share := func(want float64, got int) { t.Helper(); require.InDelta(t, want, float64(got)/n, 0.015) }
	share(0.6, first["p/a"])
	share(0.3, first["p/b"])
	share(0.6*0.75, second["p/b"])
	share(0.1, assigned)
	share(0.6, stuck["p/a"])
	share(0.1, stuck["p/c"])
}

// TestFilters: why a target is left out.
func TestFilters(t *testing.T) {
	m := table(t, models(`"tasks":[{"task":"long","min_tokens":1000},{"task":"see","needs":["images"]}],`,
		`,"window":2000,"max_output":500`, `,"can":["tools"]`, `,"tasks":["see","code"]`)).Model("m")
	for name, c := range map[string]struct {
		ask  Ask
		want map[string]string
		task string
	}{
		"plain": {Ask{Facts: &llm.Facts{}}, map[string]string{"p/c": OtherTask}, ""},
		"long":  {Ask{Facts: &llm.Facts{TextBytes: 4 * 1501}}, map[string]string{"p/a": ContextWindow, "p/c": OtherTask}, "long"},
		"image": {Ask{Facts: &llm.Facts{Images: 1, Needs: llm.NeedImages}}, map[string]string{"p/b": "cannot_images"}, "see"},
		"asked": {Ask{Facts: &llm.Facts{}, Task: "code"}, map[string]string{}, "code"},
		"pin":   {Ask{Facts: &llm.Facts{}, Pin: "p/b"}, map[string]string{"p/a": NotPinned, "p/c": NotPinned}, ""},
		"state": {Ask{Facts: &llm.Facts{Needs: llm.NeedStream | llm.NeedState}}, map[string]string{"p/c": OtherTask}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := m.Choose(&c.ask, world{})
			require.Equal(t, c.want, p.reasons())
			require.Equal(t, c.task, p.Task)
		})
	}
	down := world{look: map[string]health.Snapshot{"p/a": {State: health.Open}, "p/b": {State: health.HalfOpen}}}
	p := m.Choose(&Ask{Facts: &llm.Facts{}}, down)
	require.Equal(t, map[string]string{"p/c": OtherTask}, p.reasons())
	require.Equal(t, "p/a", p.Targets[len(p.Targets)-1].Name, "behind all that are not shut out")
	p = m.Choose(&Ask{Facts: &llm.Facts{}, Single: true}, world{})
	require.Contains(t, p.reasons(), p.Excluded[len(p.Excluded)-1].Target.Name)
	require.Contains(t, []string{p.reasons()["p/a"], p.reasons()["p/b"]}, NoFailover)
}

func TestPlanFull(t *testing.T) {
	var targets []string
	for i := range 10 {
		targets = append(targets, `{"provider":"p","model":"m`+strconv.Itoa(i)+`","priority":`+strconv.Itoa(i)+`}`)
	}
	p := table(t, `{"m":{"targets":[`+strings.Join(targets, ",")+`]}}`).Model("m").Choose(&Ask{Facts: &llm.Facts{}}, world{})
	require.Len(t, p.Targets, MaxPlan)
	require.Equal(t, map[string]string{"p/m8": PlanFull, "p/m9": PlanFull}, p.reasons())
}

func TestNames(t *testing.T) {
	const targets = `"targets":[{"provider":"p","model":"x"}]`
	all := table(t, `{"fast":{"aliases":["small"],`+targets+`},
		"gpt":{"match":["gpt-*"],"targets":[{"provider":"p","model":"gpt-*"}]},
		"mini":{"match":["gpt-*-mini","openai/*"],"targets":[{"provider":"p","model":"*"},{"provider":"p","model":"plain"}]}}`)
	for name, want := range map[string][2]string{"fast": {"fast"}, "small": {"fast"}, "gpt-5": {"gpt", "5"}, "gpt-5-mini": {"mini", "5"},
		"openai/o3": {"mini", "o3"}, "gpt-": {"gpt", ""}, "gpt-mini": {"gpt", "mini"}} {
		m, star := all.Find(name)
		require.Equal(t, want, [2]string{m.Name, star}, name)
	}
	m, _ := all.Find("other")
	require.Nil(t, m)
	m, star := all.Find("openai/o3")
	p := m.Choose(&Ask{Facts: &llm.Facts{}, Star: star, Seed: 2}, world{})
	models := []string{p.Targets[0].Codec.Model, p.Targets[1].Codec.Model}
	slices.Sort(models)
	require.Equal(t, []string{"o3", "plain"}, models)
	require.Equal(t, "*", m.Targets[0].Codec.Model, "the configuration stays as it is")
	p = m.Choose(&Ask{Facts: &llm.Facts{}}, world{})
	require.Equal(t, map[string]string{"p/*": NoName}, p.reasons())
}

// TestAfter: the class table, its overrides, and where only more room helps.
func TestAfter(t *testing.T) {
	m := table(t, models("", `,"window":100`, `,"window":50`, `,"window":200`)).Model("m")
	for c := llm.ClientError; c <= llm.MalformedAnswer; c++ {
		next, ok := m.After(m.Targets, 0, c)
		switch c {
		case llm.ClientError, llm.PolicyError, llm.ContentFilter:
			require.False(t, ok, c)
		case llm.ContextLength:
			require.True(t, ok)
			require.Equal(t, 2, next)
		default:
			require.True(t, ok, c)
			require.Equal(t, 1, next, c)
		}
	}
	_, ok := m.After(m.Targets, 2, llm.ContextLength)
	require.False(t, ok)
	_, ok = m.After(m.Targets, 2, llm.Overloaded)
	require.False(t, ok)
	m = table(t, models(`"failover":{"content_filter":"next","rate_limited":"stop"},`, "", "", "")).Model("m")
	next, ok := m.After(m.Targets, 0, llm.ContentFilter)
	require.True(t, ok)
	require.Equal(t, 1, next)
	_, ok = m.After(m.Targets, 0, llm.RateLimited)
	require.False(t, ok)
	_, ok = m.After(m.Targets, 0, llm.ContextLength)
	require.False(t, ok, "no windows are known")
}

func TestConfigErrors(t *testing.T) {
	for models, want := range map[string]string{
		models(`"aliases":["m"],`, "", "", ""):                              `"m" is the model m already`,
		models(`"match":["a"],`, "", "", ""):                                "not a pattern",
		models(`"match":["a**"],`, "", "", ""):                              "not a pattern",
		models(`"order":["region"],`, "", "", ""):                           "needs to know which",
		models(`"order":["region"],"regions":["mars"],`, "", "", ""):        `no target is in the region "mars"`,
		models("", `,"canary":0.6`, `,"canary":0.6`, ""):                    "more than all",
		models(`"sticky":"header:X-Id",`, "", "", ""):                       "keep requests together",
		models(`"failover":{"rate_limited":"larger"},`, "", "", ""):         "larger",
		`{"m":{"targets":[{"provider":"p","model":"*"}]}}`:                  "a * without a pattern",
		models("", `,"can":["fly"]`, "", ""):                                "fly",
		models(`"order":["weight","cost","latency","sticky"],`, "", "", ""): "has 4 entries",
	} {
		_, errs := decode(`{"providers":{"p":{"dialect":"d","url":"https://p.test"}},"models":` + models + `}`)
		require.ErrorContains(t, errs.Err(), want, models)
	}
}

func TestFieldsAreDescribed(t *testing.T) {
	require.NoError(t, config.Verify(Fields(&Config{}, []string{"d"})).Err())
}

func TestRaceIsInOrder(t *testing.T) {
	require.True(t, math.IsInf(race(7, 0), 1))
	require.Less(t, race(7, 2), race(7, 1))
}

func BenchmarkChoose(b *testing.B) {
	m := table(b, models(`"order":["cost"],`, "", "", "")).Model("m")
	var from Sources = world{}
	ask := &Ask{Facts: &llm.Facts{}}
	b.ReportAllocs()
	for b.Loop() {
		m.Choose(ask, from)
	}
}
