package policy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/identity"
	"github.com/posterngw/postern/filters/llm"
)

// build makes a set of policies, given as id and text in turn.
func build(t require.TestingT, pairs ...string) *Set {
	c := &Config{}
	for i := 0; i < len(pairs); i += 2 {
		c.Policies = append(c.Policies, config.Named[PolicyConfig]{Name: pairs[i], Value: PolicyConfig{Cedar: pairs[i+1]}})
	}
	s, err := New(c)
	require.NoError(t, err)
	return s
}

func request(change ...func(*Request)) Request {
	r := Request{
		Principal: &identity.Principal{Organisation: "acme", Team: "search", Application: "web", User: "ann", Key: "ci-bot"},
		Action:    Invoke, Model: "fast", Target: "openai/mini", Provider: "openai", Boundary: "external", Region: "eu",
		Tokens: 1000, Environment: "prod",
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

const permitAll = "permit (principal, action, resource);"

func TestDecide(t *testing.T) {
	by := func(p identity.Principal) func(*Request) { return func(r *Request) { r.Principal = &p } }
	tests := []struct {
		name     string
		policies []string
		request  Request
		want     Decision
	}{
		{"no policy", nil, request(), Decision{Allowed: true}},
		{"permitted", []string{"all", permitAll}, request(), Decision{Allowed: true, Policies: []string{"all"}}},
		{"every permit is named, in order", []string{"b", permitAll, "a", permitAll}, request(), Decision{Allowed: true, Policies: []string{"b", "a"}}},
		{"nothing permits", []string{"other", `permit (principal == Key::"other", action, resource);`}, request(), Decision{Reason: DefaultDeny}},
		{"forbid beats permit", []string{"all", permitAll, "no-external", `forbid (principal, action, resource in Boundary::"external");`},
			request(), Decision{Policies: []string{"no-external"}, Reason: "no-external"}},
		{"every forbid is named, in order", []string{"z", `forbid (principal, action, resource);`, "all", permitAll, "a", `forbid (principal, action, resource);`},
			request(), Decision{Policies: []string{"z", "a"}, Reason: "z"}},
		{"key", []string{"p", `permit (principal == Key::"ci-bot", action == Action::"invoke", resource == Target::"openai/mini");`}, request(), Decision{Allowed: true, Policies: []string{"p"}}},
		{"parents of a principal", []string{"p", `permit (principal, action, resource) when { principal in User::"ann" && principal in Team::"search" &&
			principal in Organisation::"acme" && principal in Application::"web" && principal is Key };`}, request(), Decision{Allowed: true, Policies: []string{"p"}}},
		{"parents of a target", []string{"p", `permit (principal, action, resource in Model::"fast") when { resource in Provider::"openai" && resource in Boundary::"external" &&
			resource in Region::"eu" && Provider::"openai" in Boundary::"external" && resource is Target };`}, request(), Decision{Allowed: true, Policies: []string{"p"}}},
		{"attributes", []string{"p", `permit (principal, action, resource) when { principal.organisation == "acme" && principal.team == "search" && principal.application == "web" &&
			principal.user == "ann" && principal.key == "ci-bot" && resource.name == "openai/mini" && resource.model == "fast" &&
			resource.provider == "openai" && resource.boundary == "external" && resource.region == "eu" };`}, request(), Decision{Allowed: true, Policies: []string{"p"}}},
		{"context", []string{"p", `permit (principal, action, resource) when { context.stream && context.estimated_tokens == 1000 && context.environment == "prod" };`},
			request(func(r *Request) { r.Stream = true }), Decision{Allowed: true, Policies: []string{"p"}}},
		{"a user without a key", []string{"p", `permit (principal == User::"ann", action, resource);`}, request(by(identity.Principal{User: "ann"})), Decision{Allowed: true, Policies: []string{"p"}}},
		{"a user who is called like a key", []string{"p", `permit (principal in Key::"ci-bot", action, resource);`}, request(by(identity.Principal{User: "ci-bot"})), Decision{Reason: DefaultDeny}},
		{"an application by claims", []string{"p", `permit (principal == Application::"web", action, resource);`}, request(by(identity.Principal{Application: "web"})), Decision{Allowed: true, Policies: []string{"p"}}},
		{"anonymous", []string{"p", `permit (principal is Anonymous, action, resource);`}, request(func(r *Request) { r.Principal = nil }), Decision{Allowed: true, Policies: []string{"p"}}},
		{"absent attributes do not equal each other", []string{"p", `permit (principal, action, resource) when { principal.environment == context.environment };`},
			request(func(r *Request) { r.Environment = "" }), Decision{Reason: DefaultDeny, Faults: []string{"p: `Key::\"ci-bot\"` does not have the attribute `environment`"}}},
		{"another action", []string{"p", `permit (principal, action == Action::"invoke", resource);`}, request(func(r *Request) { r.Action = "embed" }), Decision{Reason: DefaultDeny}},
		{"a forbid that fails, forbids", []string{"all", permitAll, "f", `forbid (principal, action, resource) when { context.environment == "dev" };`},
			request(func(r *Request) { r.Environment = "" }), Decision{Policies: []string{"f"}, Reason: "f", Faults: []string{"f: record does not have the attribute `environment`"}}},
		{"a forbid that fails before one that matches", []string{"all", permitAll, "f", `forbid (principal, action, resource) when { context.environment == "dev" };`, "g", `forbid (principal, action, resource);`},
			request(func(r *Request) { r.Environment = "" }), Decision{Policies: []string{"f", "g"}, Reason: "f", Faults: []string{"f: record does not have the attribute `environment`"}}},
		{"a permit that fails beside one that matches", []string{"all", permitAll, "p", `permit (principal, action, resource) when { context.estimated_tokens > "x" };`},
			request(), Decision{Allowed: true, Policies: []string{"all"}, Faults: []string{"p: type error: expected comparable value, got string"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := build(t, tt.policies...)
			require.Equal(t, tt.want, s.Decide(tt.request))
			require.Equal(t, tt.want, s.Decide(tt.request), "from memory")
		})
	}
}

func TestKillSwitch(t *testing.T) {
	c := &Config{Kill: Kill{Models: []string{"slow"}, Targets: []string{"azure/mini"}, Keys: []string{"leaked"}},
		Policies: []config.Named[PolicyConfig]{{Name: "all", Value: PolicyConfig{Cedar: permitAll}}}}
	for _, policies := range []int{0, 1} { // with and without a policy
		c := *c
		c.Policies = c.Policies[:policies]
		s, err := New(&c)
		require.NoError(t, err)
		require.True(t, s.Decide(request()).Allowed)
		require.Equal(t, Decision{Reason: KillModel}, s.Decide(request(func(r *Request) { r.Model = "slow" })))
		require.Equal(t, Decision{Reason: KillTarget}, s.Decide(request(func(r *Request) { r.Target = "azure/mini" })))
		require.Equal(t, Decision{Reason: KillKey}, s.Decide(request(func(r *Request) { r.Principal = &identity.Principal{Key: "leaked"} })))
		require.True(t, s.Decide(request(func(r *Request) { r.Principal = &identity.Principal{User: "leaked"} })).Allowed)
	}
}

func TestRefusal(t *testing.T) {
	require.Nil(t, (&Decision{Allowed: true}).Refusal())
	for _, tt := range []struct{ reason, code, message string }{
		{"no-external", "policy_denied", "Policy no-external forbids this request."},
		{DefaultDeny, "policy_denied", "No policy permits this request."},
		{KillModel, "killed", "This model is switched off."},
		{KillTarget, "killed", "This target is switched off."},
		{KillKey, "killed", "This key is switched off."},
	} {
		require.Equal(t, &llm.Error{Class: llm.PolicyError, Source: llm.FromPostern, Status: 403, Code: tt.code,
			Message: tt.message, Policy: tt.reason, Cause: "a: x; b: y"},
			(&Decision{Reason: tt.reason, Faults: []string{"a: x", "b: y"}}).Refusal())
	}
}
