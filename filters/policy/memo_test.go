package policy

import (
	"strconv"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/posterngw/postern/filters/identity"
)

// Words are few, so that random requests meet random policies, and each other.
var (
	word  = rapid.SampledFrom([]string{"", "a", "b"})
	count = rapid.SampledFrom([]int64{-1, 0, 9, 10, 11, 19, 20, 21, 1 << 40})

	anyRequest = rapid.Custom(func(t *rapid.T) Request {
		w := func() string { return word.Draw(t, "word") }
		return Request{
			Principal: &identity.Principal{Organisation: w(), Team: w(), Application: w(), User: w(), Environment: w(), Key: w()},
			Action:    rapid.SampledFrom([]string{Invoke, Invoke, Invoke, "other"}).Draw(t, "action"),
			Model:     w(), Target: w(), Provider: w(), Boundary: w(), Region: w(), Environment: w(),
			Stream: rapid.Bool().Draw(t, "stream"), Tokens: count.Draw(t, "tokens"),
		}
	})

	condition = rapid.Custom(func(t *rapid.T) string {
		template := rapid.SampledFrom([]string{
			`true`,
			`context.stream`,
			`context.environment == "W"`,
			`context has environment && context.environment == principal.environment`,
			`context has estimated_tokens`,
			`context == {"stream": true, "estimated_tokens": N}`,
			`context.estimated_tokens @ N`,
			`N @ context["estimated_tokens"]`,
			`context.estimated_tokens == "N"`,
			`N == context.estimated_tokens`,
			`context.estimated_tokens != N`,
			`context.estimated_tokens + N @ 20`,
			`[N, 10].contains(context.estimated_tokens)`,
			`context.estimated_tokens < context.estimated_tokens * N`,
			`(if context.stream then N else 10) @ context.estimated_tokens`,
			`principal has team && principal.team == "W"`,
			`principal.organisation == resource.region`,
			`principal.key == "W"`,
			`principal in Team::"W" || principal in User::"W" || principal is Anonymous`,
			`principal in [Application::"W", Organisation::"b", Environment::"W"]`,
			`resource in Model::"W" && resource.provider == "W"`,
			`resource in Boundary::"W" && resource.name == "W"`,
			`Provider::"a" in Boundary::"W"`,
			`action == Action::"invoke"`,
			`resource in Region::"W"`,
		}).Draw(t, "condition")
		template = strings.ReplaceAll(template, "W", word.Draw(t, "word"))
		template = strings.ReplaceAll(template, "N", strconv.FormatInt(count.Draw(t, "number"), 10))
		return strings.ReplaceAll(template, "@", rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "operator"))
	})

	anyPolicies = rapid.Custom(func(t *rapid.T) []string {
		var pairs []string
		for i := range rapid.IntRange(1, 5).Draw(t, "policies") {
			text := rapid.SampledFrom([]string{"permit", "permit", "forbid"}).Draw(t, "effect") + " (principal, action, resource)"
			for range rapid.IntRange(0, 2).Draw(t, "conditions") {
				text += rapid.SampledFrom([]string{" when { ", " unless { "}).Draw(t, "when") + condition.Draw(t, "condition") + " }"
			}
			pairs = append(pairs, "p"+strconv.Itoa(i), text+";")
		}
		return pairs
	})
)

// A remembered decision is the one that Cedar gives now, whatever the policies
// read: every request comes again with all of its parts changed one by one, so
// that a part missing from the key would show.
func TestMemoisedEqualsFresh(t *testing.T) {
	remembered := 0
	rapid.Check(t, func(t *rapid.T) {
		s := build(t, anyPolicies.Draw(t, "policies")...)
		for range 8 {
			a, b := anyRequest.Draw(t, "a"), anyRequest.Draw(t, "b")
			for _, r := range between(a, b) {
				want := fresh(s).Decide(r)
				before := len(s.decisions.table.young)
				require.Equal(t, want, s.Decide(r))
				if len(s.decisions.table.young) == before {
					remembered++
				}
			}
		}
	})
	require.NotZero(t, remembered)
}

// fresh is a set of the same policies that remembers nothing.
func fresh(s *Set) *Set {
	return &Set{policies: s.policies, order: s.order, tokens: s.tokens, memory: newMemory()}
}

// between walks from a to b, one part at a time.
func between(a, b Request) []Request {
	p := *a.Principal
	all := []Request{a}
	step := func(change func(*Request, *identity.Principal)) {
		q := p
		change(&a, &q)
		p, a.Principal = q, &q
		all = append(all, a)
	}
	step(func(r *Request, _ *identity.Principal) { r.Tokens = b.Tokens })
	step(func(_ *Request, q *identity.Principal) { q.Key = b.Principal.Key })
	step(func(_ *Request, q *identity.Principal) { q.User = b.Principal.User })
	step(func(_ *Request, q *identity.Principal) { q.Team = b.Principal.Team })
	step(func(_ *Request, q *identity.Principal) { q.Application = b.Principal.Application })
	step(func(_ *Request, q *identity.Principal) { q.Organisation = b.Principal.Organisation })
	step(func(_ *Request, q *identity.Principal) { q.Environment = b.Principal.Environment })
	step(func(r *Request, _ *identity.Principal) { r.Action = b.Action })
	step(func(r *Request, _ *identity.Principal) { r.Model = b.Model })
	step(func(r *Request, _ *identity.Principal) { r.Target = b.Target })
	step(func(r *Request, _ *identity.Principal) { r.Provider = b.Provider })
	step(func(r *Request, _ *identity.Principal) { r.Boundary = b.Boundary })
	step(func(r *Request, _ *identity.Principal) { r.Region = b.Region })
	step(func(r *Request, _ *identity.Principal) { r.Environment = b.Environment })
	step(func(r *Request, _ *identity.Principal) { r.Stream = b.Stream })
	return all
}

func TestTokensThatPoliciesTellApart(t *testing.T) {
	const head, tail = "forbid (principal, action, resource) when { ", " };"
	tests := []struct {
		condition string
		want      tokenReads
	}{
		{`context.stream`, tokenReads{}},
		{`context has estimated_tokens`, tokenReads{}},
		{`context.estimated_tokens > 100`, tokenReads{cuts: []int64{100}}},
		{`100 >= context["estimated_tokens"] || context.estimated_tokens == -5`, tokenReads{cuts: []int64{100, -5}}},
		{`context.estimated_tokens < 1 + 2`, tokenReads{exact: true}},
		{`context.estimated_tokens + 1 > 100`, tokenReads{exact: true}},
		{`context.estimated_tokens == "100"`, tokenReads{exact: true}},
		{`context.estimated_tokens == context.estimated_tokens`, tokenReads{exact: true}},
		{`[context].contains({})`, tokenReads{exact: true}},
		{`principal.team == "estimated_tokens"`, tokenReads{}},
	}
	for _, tt := range tests {
		c, err := compile(head + tt.condition + tail)
		require.NoError(t, err)
		require.Equal(t, tt.want, c.tokens, tt.condition)
	}
}

// Any two numbers in one bucket lie on the same side of every cut.
func TestBucketsKeepOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := tokenReads{cuts: rapid.SliceOfN(rapid.Int64(), 0, 8).Draw(t, "cuts")}
		r.finish()
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		if len(r.cuts) > 0 && rapid.Bool().Draw(t, "near") {
			a = r.cuts[0] + rapid.Int64Range(-1, 1).Draw(t, "off")
		}
		same := true
		for _, c := range r.cuts {
			same = same && (a < c) == (b < c) && (a > c) == (b > c)
		}
		require.Equal(t, same, r.bucket(a) == r.bucket(b))
	})
}

func TestMemoIsBounded(t *testing.T) {
	s := build(t, "all", permitAll)
	often := request()
	for i := range 10 * maxDecisions {
		require.True(t, s.Decide(request(func(r *Request) { r.Principal = &identity.Principal{User: strconv.Itoa(i)} })).Allowed)
		require.True(t, s.Decide(often).Allowed)
		require.LessOrEqual(t, len(s.decisions.table.young)+len(s.decisions.table.old), 2*maxDecisions)
		require.LessOrEqual(t, len(s.principals.young)+len(s.principals.old), 2*maxEntities)
	}
	for _, r := range s.decisions.table.young {
		if r.key.principal == *often.Principal {
			return
		}
	}
	t.Fatal("what is asked for often was forgotten")
}

func TestRememberingAllocatesNothing(t *testing.T) {
	s := build(t, "all", permitAll, "cap", `forbid (principal, action, resource) when { context.estimated_tokens > 100000 };`)
	r := request()
	s.Decide(r)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.Tokens++
		if !s.Decide(r).Allowed {
			t.Fatal("denied")
		}
	}))
}

// FuzzCompile: any text is refused, or decides without a panic and the same
// again from memory.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{permitAll, `forbid (principal in Team::"search", action, resource) when { context.estimated_tokens > 10 };`,
		`permit (principal is Key in Team::"a", action in [Action::"invoke"], resource is Target) unless { context.stream };`,
		`@a("b") permit (principal, action, resource) when { if context has environment then ip("::1").isLoopback() else principal.team like "*a" };`} {
		f.Add(seed, int64(10), true)
	}
	f.Fuzz(func(t *testing.T, text string, tokens int64, stream bool) {
		if len(text) > maxText {
			return
		}
		c, err := compile(text)
		if err != nil {
			return
		}
		s := &Set{policies: policies{{"p", c}}, order: map[cedar.PolicyID]int{"p": 0}, tokens: c.tokens, memory: newMemory()}
		s.tokens.finish()
		r := request(func(r *Request) { r.Tokens, r.Stream = tokens, stream })
		for range 3 {
			require.Equal(t, fresh(s).Decide(r), s.Decide(r))
			r.Tokens /= 2
		}
	})
}

func benchmarkSet(b *testing.B) *Set {
	return build(b, "team", `permit (principal in Team::"search", action == Action::"invoke", resource in Model::"fast");`,
		"no-external", `forbid (principal, action, resource in Boundary::"external") when { context.estimated_tokens > 100000 };`)
}

func BenchmarkDecide(b *testing.B) {
	r := request()
	b.Run("remembered", func(b *testing.B) {
		s := benchmarkSet(b)
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Decide(r)
		}
	})
	b.Run("fresh", func(b *testing.B) { // entities are known, the decision is not
		s := benchmarkSet(b)
		b.ReportAllocs()
		for b.Loop() {
			s.decisions = newMemo()
			_ = s.Decide(r)
		}
	})
	b.Run("first", func(b *testing.B) {
		s := benchmarkSet(b)
		b.ReportAllocs()
		for b.Loop() {
			_ = fresh(s).Decide(r)
		}
	})
	b.Run("no policies", func(b *testing.B) {
		s := build(b)
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Decide(r)
		}
	})
}
