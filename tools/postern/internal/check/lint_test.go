package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/posterngw/postern/tools/postern/internal/check"
)

// document is a configuration with a model's keys and more.
func document(model, more string) string {
	return `version: 1
providers:
  one: {dialect: openai, url: "https://one.test/v1", region: eu, credentials: ["env:K"]}
  two: {dialect: openai, url: "https://one.test/v1", credentials: ["env:K"]}
models:
  m: {` + model + `}
` + more
}

const (
	everybody = "identity: {anonymous: {team: search}}\n"
	pair      = "targets: [{provider: one, model: x}, {provider: one, model: y, priority: 1}]"
)

// TestLint: what is accepted and cannot be meant is a warning at its place.
func TestLint(t *testing.T) {
	for name, c := range map[string]struct{ text, pointer, warning string }{
		"nothing": {document(pair, everybody), "", ""},
		"weights": {document("targets: [{provider: one, model: x, weight: 0}, {provider: one, model: y, weight: 0}]", everybody),
			"/models/m/targets/0/weight", "all targets of priority 0 have the weight 0"},
		"window": {document("targets: [{provider: one, model: x, window: 9}, {provider: one, model: y, window: 8, priority: 1}]", everybody),
			"/models/m/targets/1/window", "smaller than that of a target that is tried before"},
		"timeout": {document("targets: [{provider: one, model: x, timeout: 1s}, {provider: one, model: y, priority: 1}]", everybody),
			"/models/m/targets/1", "the host gives every attempt the first one's time"},
		"quota": {document("targets: [{provider: one, model: x}, {provider: two, model: x, priority: 1}]", everybody),
			"/models/m/targets/1/provider", "its quota is used up together"},
		"price": {document("order: [cost], "+pair, everybody+"price: {targets: {one/x: {input: 1, output: 1}}}\n"),
			"/models/m/targets/1", `the target "one/y" has no price`},
		"money": {document(pair, everybody+"price: {targets: {one/x: {input: 1, output: 1}}}\nbudgets: {b: {unit: money, limit: 5, window: day}}\n"),
			"/models/m/targets/1", `the budget "b" counts money, and the target "one/y" has no price`},
		"share": {document(pair, everybody+"mode: callout\nlimits: {workers: 4}\nbudgets: {b: {unit: requests, limit: 3, window: day}, c: {unit: requests, limit: 4, window: day}}\n"),
			"/budgets/b/limit", "allows at least 1: together more than 3 requests"},
		"unreachable task": {document("tasks: [{task: a}, {task: b, min_tokens: 5}], targets: [{provider: one, model: x, tasks: [a, b]}]", everybody),
			"/models/m/tasks/1", "never reached: rule 1 holds whenever this one does"},
		"idle task": {document("tasks: [{task: a, needs: [tools]}], "+pair, everybody),
			"/models/m/tasks/0/task", `no target is for the task "a"`},
		"forbidden": {document(pair, everybody+"policy: {policies: {p: {cedar: 'permit (principal in Team::\"other\", action, resource);'}}}\n"),
			"/models/m", "no policy permits it to any principal"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check.Text("postern.yaml", []byte(c.text))
			require.NoError(t, r.Errors.Err())
			if c.warning == "" {
				require.Empty(t, r.Warnings)
				return
			}
			require.Len(t, r.Warnings, 1)
			require.Contains(t, r.Warnings[0].Message, c.warning)
			require.Contains(t, r.Warnings[0].Pointer, c.pointer)
			require.NotZero(t, r.Warnings[0].Line)
		})
	}
}

// TestObserve: what mode observe does not do is said where it is asked.
func TestObserve(t *testing.T) {
	r := check.Text("postern.yaml", []byte("mode: observe\n"+document(pair, `identity: {keys: {a: {hash: "sha256:4740ae6347b0172c01254ff55bae5aff5199f4446e7f6d643d40185b3f475145"}}}
policy: {policies: {p: {cedar: 'permit (principal, action, resource);'}}}
budgets: {b: {unit: requests, limit: 5, window: day}}
`)))
	require.NoError(t, r.Errors.Err())
	var places []string
	for _, w := range r.Warnings {
		require.Contains(t, w.Message, "mode observe ")
		require.Equal(t, "not_enforced", string(w.Code))
		places = append(places, w.Pointer)
	}
	require.ElementsMatch(t, []string{"/policy", "/budgets", "/identity", "/providers/one", "/providers/two", "/models/m/targets"}, places)
}

// TestDanglingPolicies: a rule about what does not exist never holds.
func TestDanglingPolicies(t *testing.T) {
	r := check.Text("postern.yaml", []byte(document(pair, everybody+"policy: {policies: {p: {cedar: 'permit (principal, action, resource in Model::\"n\");'}}}\n")))
	require.ErrorContains(t, r.Errors.Err(), `there is no Model::"n"`)
	r = check.Text("postern.yaml", []byte(document(`regions: [mars], order: [region], `+pair, everybody)))
	require.ErrorContains(t, r.Errors.Err(), `no target is in the region "mars"`)
}

// TestExamples: what is shown has neither errors nor warnings.
func TestExamples(t *testing.T) {
	paths, err := filepath.Glob("../../../../examples/*/postern.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range append(paths, "../../../../envoy/postern.yaml") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		r := check.Text(path, text)
		require.NoError(t, r.Errors.Err(), path)
		require.NoError(t, r.Warnings.Err(), path)
	}
}
