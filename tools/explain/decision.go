package explain

import (
	"fmt"
	"strings"
)

// Decision is what was decided about a request: the parts of the audit record
// that tell it, under the record's own names.
type Decision struct {
	Record int    `json:"record"`
	Config string `json:"config,omitempty"`
	Model  string `json:"model,omitempty"`
	Asked  string `json:"asked,omitempty"`
	Target string `json:"target,omitempty"`
	Error  *struct {
		Class  string `json:"class"`
		Code   string `json:"code"`
		Policy string `json:"policy,omitempty"`
	} `json:"error,omitempty"`
	Principal map[string]string `json:"principal,omitempty"`
	Decision  *struct {
		Allowed  bool     `json:"allowed"`
		Policies []string `json:"policies,omitempty"`
		Reason   string   `json:"reason,omitempty"`
	} `json:"decision,omitempty"`
	Route    Route `json:"route"`
	Excluded []struct {
		Target string `json:"target"`
		Reason string `json:"reason"`
	} `json:"excluded,omitempty"`
	Attempts []struct {
		Target string `json:"target"`
		Class  string `json:"class,omitempty"`
	} `json:"attempts,omitempty"`
}

// Route is how the plan came about.
type Route struct {
	Task    string   `json:"task,omitempty"`
	Canary  string   `json:"canary,omitempty"`
	Obeyed  []string `json:"obeyed,omitempty"`
	Ignored []string `json:"ignored,omitempty"`
	Input   int64    `json:"input,omitempty"`
	Output  int64    `json:"output,omitempty"`
	Cost    int64    `json:"cost,omitempty"`
	Order   []string `json:"order,omitempty"`
	Plan    []struct {
		Target string     `json:"target"`
		Scores []*float64 `json:"scores,omitempty"`
		Shut   bool       `json:"shut_out,omitempty"`
	} `json:"plan,omitempty"`
}

// Plan is the targets to try, in order. A model with one target needs no list.
func (d *Decision) Plan() []string {
	var names []string
	for i := range d.Route.Plan {
		names = append(names, d.Route.Plan[i].Target)
	}
	if names == nil && d.Target != "" {
		names = []string{d.Target}
	}
	return names
}

// Text tells the decision to a reader.
func (d *Decision) Text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	model := d.Model
	if d.Asked != "" {
		model = strings.TrimSpace(model + " (asked for as " + d.Asked + ")")
	}
	line("model", "%s", model)
	d.tellPolicies(line)
	if d.Error != nil {
		line("refused", "%s: %s", d.Error.Class, d.Error.Code)
	}
	r := &d.Route
	if r.Input > 0 {
		line("estimate", "%d tokens in, at most %s out, %s", r.Input, orNone(r.Output), money(r.Cost))
	}
	for _, one := range [][2]string{{"task", r.Task}, {"canary", r.Canary}} {
		if one[1] != "" {
			line(one[0], "%s", one[1])
		}
	}
	if len(r.Obeyed)+len(r.Ignored) > 0 {
		line("headers", "obeyed %v, ignored %v", r.Obeyed, r.Ignored)
	}
	d.tellPlan(line)
	for _, x := range d.Excluded {
		line("left out", "%s: %s", x.Target, x.Reason)
	}
	return b.String()
}

func (d *Decision) tellPolicies(line func(string, string, ...any)) {
	switch {
	case d.Decision == nil:
	case d.Decision.Allowed && len(d.Decision.Policies) == 0:
		line("policies", "allowed, as there are none")
	case d.Decision.Allowed:
		line("policies", "allowed by %s", strings.Join(d.Decision.Policies, ", "))
	default:
		line("policies", "denied by %s", d.Decision.Reason)
	}
}

func (d *Decision) tellPlan(line func(string, string, ...any)) {
	if len(d.Route.Plan) == 0 && len(d.Plan()) > 0 && d.Error == nil {
		line("plan", "1. %s, the only one", d.Target)
	}
	for i, p := range d.Route.Plan {
		var scores []string
		for k, s := range p.Scores {
			value := "infinite"
			if s != nil {
				value = fmt.Sprintf("%.4g", *s)
			}
			scores = append(scores, d.Route.Order[k]+" "+value)
		}
		if p.Shut {
			scores = append(scores, "shut out: if all others fail")
		}
		line("plan", "%d. %s (%s)", i+1, p.Target, strings.Join(scores, ", "))
	}
}

func orNone(n int64) string {
	if n == 0 {
		return "any number"
	}
	return fmt.Sprint(n)
}

func money(micros int64) string {
	if micros == 0 {
		return "no price"
	}
	return fmt.Sprintf("%.6f at the first target", float64(micros)/1e6)
}
