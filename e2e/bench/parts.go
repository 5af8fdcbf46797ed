package main

import (
	"fmt"

	"github.com/posterngw/postern/e2e/bench/internal/boot"
)

// steps add one part each, up to all of them.
var steps = []struct {
	what string
	v    variant
}{
	{"Envoy alone", bare},
	{"empty stages: every callback of both, no host call", variant{name: "empty", direct: true, module: true, plugin: "nothing"}},
	{"body gate: the request held until its body is whole", variant{name: "gate", direct: true, module: true, plugin: "gate"}},
	{"body read by the module", variant{name: "body", direct: true, module: true, plugin: "body"}},
	{"request and answer: head, scan, plan, route, address, patch, usage", none},
	{"identity", variant{name: "identity", module: true, parts: boot.Parts{Keys: true}}},
	{"policy", variant{name: "policy", module: true, parts: boot.Parts{Keys: true, Policies: true}}},
	{"budget", variant{name: "budget", module: true, parts: boot.Parts{Keys: true, Policies: true, Budgets: true}}},
	{"metrics", variant{name: "metrics", module: true, parts: boot.Parts{Keys: true, Policies: true, Budgets: true, Metrics: true}}},
	{"audit record", variant{name: "record", module: true, parts: all.parts}},
	{"audit log", all},
}

// parts tells what each part costs, by leaving parts out.
func (b *bench) parts() error {
	r := requests[0]
	for _, s := range steps {
		if _, err := b.measure(s.v, r, false, 8, 3*r.count); err != nil {
			return err
		}
	}
	got := make([][]sample, len(steps))
	for range 2*b.rounds - 1 {
		for i, s := range steps {
			m, err := b.measure(s.v, r, false, 8, r.count)
			if err != nil {
				return err
			}
			got[i] = append(got[i], m)
		}
	}
	fmt.Printf("\nCPU per 300 B request at c=8, by part\n\n| part | adds µs | together µs |\n|---|---|---|\n")
	before := 0.0
	for i, s := range steps {
		mid := of(got[i], cpu)
		fmt.Printf("| %s | %.1f | %.1f [%.1f–%.1f] |\n", s.what, mid.mid-before, mid.mid, mid.min, mid.max)
		before = mid.mid
	}
	return nil
}
