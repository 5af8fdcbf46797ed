package policy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/filters/config"
)

func decode(text string, more ...config.Field) (*Config, error) {
	n, errs := config.ParseJSON([]byte(text))
	if err := errs.Err(); err != nil {
		return nil, err
	}
	c := &Config{}
	return c, config.Decode(n, append(Fields(c), more...)).Err()
}

// quoted is a Cedar text as a JSON string.
func quoted(text string) string {
	return string(config.AppendJSON(nil, &config.Node{Kind: config.KindString, Text: text}))
}

func one(text string) string { return `{"policies": {"p": {"cedar": ` + quoted(text) + `}}}` }

func TestConfig(t *testing.T) {
	c, err := decode(`{"policies": {"b": {"cedar": ` + quoted(permitAll) + `, "doc": "all"}, "a": {"cedar": ` + quoted("forbid (principal, action, resource);") + `}},
		"kill": {"models": ["slow"]}}`)
	require.NoError(t, err)
	s, err := New(c)
	require.NoError(t, err)
	require.Equal(t, Decision{Policies: []string{"a"}, Reason: "a"}, s.Decide(request()))
	require.Equal(t, KillModel, s.Decide(request(func(r *Request) { r.Model = "slow" })).Reason)

	c, err = decode(`{}`)
	require.NoError(t, err)
	s, err = New(c)
	require.NoError(t, err)
	require.True(t, s.Decide(request()).Allowed)
}

func TestConfigErrors(t *testing.T) {
	const p = "/policies/p/cedar: "
	tests := []struct{ name, text, want string }{
		{"syntax", one("permit (principal,\n  acton, resource);"), p + `not a Cedar policy: at 2:8`},
		{"end of the text", one("permit (principal, action, resource)"), p + `not a Cedar policy: at 1:37 "": exact got  want ;`},
		{"open literal", one(`permit (principal, action, resource) when { "abc };`), p + "not a Cedar policy: at 1:45: literal not terminated"},
		{"unknown function", one(`permit (principal, action, resource) when { foo(1) };`), "`foo` is not a function"},
		{"long token", one(strings.Repeat("a", 5000)), p + "not a Cedar policy: "},
		{"two policies", one(permitAll + permitAll), p + "the text holds 2 policies"},
		{"only a comment", one("// later"), p + "the text holds 0 policies"},
		{"empty", one(""), p + "has 0 bytes"},
		{"too long", one(permitAll + strings.Repeat(" ", maxText)), p + "has "},
		{"no text", `{"policies": {"p": {}}}`, `missing key "cedar"`},
		{"unknown attribute", one(`permit (principal, action, resource) when { principal.tem == "a" };`), p + `no attribute "tem" in principal (attributes: organisation, team,`},
		{"unknown attribute in has", one(`permit (principal, action, resource) when { context has tokens };`), p + `no attribute "tokens" in context`},
		{"unknown attribute of the resource", one(`permit (principal, action, resource) when { 1 < resource["cost"] };`), p + `no attribute "cost" in resource`},
		{"attribute of the action", one(`permit (principal, action, resource) when { action.name == "a" };`), p + `no attribute "name" in action`},
		{"unknown action", one(`permit (principal, action == Action::"delete", resource);`), p + `unknown action Action::"delete" (actions: invoke, embed, override_route)`},
		{"unknown action in a set", one(`permit (principal, action in [Action::"invoke", Action::"x"], resource);`), p + `unknown action Action::"x"`},
		{"unknown action in a condition", one(`permit (principal, action, resource) when { action == Action::"x" };`), p + `unknown action`},
		{"unknown type", one(`permit (principal in Group::"a", action, resource);`), p + "no Group can stand here (types: Key, User,"},
		{"type on the wrong side", one(`permit (principal in Model::"fast", action, resource);`), p + "no Model can stand here"},
		{"type on the other wrong side", one(`permit (principal, action, resource is Team);`), p + "no Team can stand here"},
		{"unknown type in a condition", one(`permit (principal, action, resource) when { principal is Robot };`), p + "no Robot can stand here"},
		{"unknown type of is in", one(`permit (principal, action, resource) when { principal is Robot in Team::"a" };`), p + "no Robot can stand here"},
		{"unknown type of scope's is in", one(`permit (principal is Key in Gang::"a", action, resource);`), p + "no Gang can stand here"},
		{"unknown type in a set", one(`permit (principal, action, resource) when { principal in [Team::"a", Gang::"b"] };`), p + "no Gang can stand here"},
		{"reserved id", `{"policies": {"default-deny": {"cedar": "` + permitAll + `"}}}`, "/policies/default-deny: a policy must not be called"},
		{"reserved prefix", `{"policies": {"kill:model": {"cedar": "` + permitAll + `"}}}`, "/policies/kill:model: a policy must not be called"},
		{"kill what", `{"kill": {"users": []}}`, `unknown key "users"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decode(tt.text)
			require.ErrorContains(t, err, tt.want)
			require.Less(t, len(err.Error()), 500)
		})
	}
}

func TestNewChecksItself(t *testing.T) {
	_, err := New(&Config{Policies: []config.Named[PolicyConfig]{{Name: "p", Value: PolicyConfig{Cedar: "permit"}}}})
	require.ErrorContains(t, err, "policy p: not a Cedar policy: at 1:")
}

func TestCheckNames(t *testing.T) {
	known := func(kind, name string) bool {
		return kind != "Model" && kind != "Target" && kind != "Key" || name == "there"
	}
	check := func(text string) error {
		c := &Config{}
		n, errs := config.ParseJSON([]byte(text))
		require.NoError(t, errs.Err())
		return config.Decode(n, append(Fields(c), config.Rule(func(r *config.Report) { c.CheckNames(r, known) }))).Err()
	}
	require.NoError(t, check(one(`permit (principal in Team::"any", action, resource in Model::"there");`)))
	require.NoError(t, check(`{"kill": {"models": ["there"], "targets": ["there"], "keys": ["there"]}}`))
	require.EqualError(t, check(`{"policies": {"p": {"cedar": `+quoted(`forbid (principal == Key::"gone", action, resource in Model::"gone") unless { resource in [Target::"gone", Model::"there"] };`)+`}},
"kill": {"models": ["there", "gone"], "targets": ["gone"], "keys": ["gone"]}}`),
		`1:30: /policies/p/cedar: there is no Key::"gone"
1:30: /policies/p/cedar: there is no Model::"gone"
1:30: /policies/p/cedar: there is no Target::"gone"
2:30: /kill/models/1: there is no Model::"gone"
2:51: /kill/targets/0: there is no Target::"gone"
2:69: /kill/keys/0: there is no Key::"gone"`)
}

func TestFieldsAreDescribed(t *testing.T) {
	var walk func(config.Schema)
	walk = func(s config.Schema) {
		for _, f := range s.Fields {
			require.NotEmpty(t, f.Doc, f.Name)
			walk(f)
		}
		if s.Items != nil {
			walk(*s.Items)
		}
	}
	walk(config.Describe(Fields(&Config{})))
}
