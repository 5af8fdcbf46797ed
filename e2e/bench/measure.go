package main

import (
	"fmt"
	"os"
	"time"

	"github.com/posterngw/postern/e2e/bench/internal/boot"
	"github.com/posterngw/postern/e2e/bench/internal/load"
)

// request is a kind of request.
type request struct {
	name   string
	bytes  int
	turn   int // sentences per turn
	stream bool
	count  int // requests of one measurement at c=8
}

var requests = []request{
	{name: "300 B", bytes: 300, turn: 1, count: 4000},
	{name: "214 KB, turns of 2 KB", bytes: 214_000, turn: 20, count: 300},
	{name: "214 KB, turns of 100 B", bytes: 214_000, turn: 1, count: 200},
	{name: "stream", bytes: 300, turn: 1, stream: true, count: 600},
}

// model is the name that a variant's client asks for.
func (r request) model(v variant, translated bool) string {
	name, direct := "whole", "bench-600b"
	if r.stream {
		name, direct = "stream", "bench-51-chunks"
	}
	switch {
	case v.direct:
		return direct
	case translated:
		return name + "-claude"
	}
	return name
}

// sample is one measurement.
type sample struct {
	load.Result
	cpu time.Duration // of Envoy, per request
}

// measure sends n requests through a variant.
func (b *bench) measure(v variant, r request, translated bool, connections, n int) (s sample, err error) {
	p, err := b.start(v)
	if err != nil {
		return s, err
	}
	model := r.model(v, translated)
	payload := b.path(fmt.Sprintf("%s-%d-%d.json", model, r.bytes, r.turn))
	if err := os.WriteFile(payload, boot.Body(model, r.stream, r.bytes, r.turn), 0o600); err != nil {
		return s, err
	}
	n = max(connections, int(float64(n)*b.scale))
	before, err := p.CPU()
	if err != nil {
		return s, err
	}
	s.Result, err = load.Do(b.fortio, load.Run{URL: p.url, Payload: payload, Token: b.key.Presented, Connections: connections, Requests: n})
	if err != nil {
		return s, fmt.Errorf("%s, %s: %w", v.name, r.name, err)
	}
	after, err := p.CPU()
	s.cpu = (after - before) / time.Duration(n)
	return s, err
}

// warm runs every kind of request until the virtual machine of the host has
// compiled what they run through for speed.
func (b *bench) warm(vs ...variant) error {
	for _, v := range vs {
		for _, r := range requests {
			for _, translated := range []bool{false, true} {
				if v.direct && translated {
					continue
				}
				if _, err := b.measure(v, r, translated, 8, r.count); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
