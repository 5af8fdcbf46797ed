// Command bench compares a real Envoy without the module with the same Envoy
// with it: in one run, interleaved, behind the same mock, one worker each.
//
//	ENVOY=… POSTERN_WASM=… go run ./bench            about five minutes
//	… go run ./bench -long                           200,000 requests: is memory flat?
//
// It runs in the folder of its Go module (make bench-envoy does), builds the
// load generator and the mock into a temporary folder, and binds to loopback
// alone. What it prints are ratios, because times are this machine's: each is
// the median over rounds, with the least and the greatest. CPU is processor
// time of Envoy's process, user and kernel, per request.
//
// It asserts nothing: a goal that is missed is printed as such.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// options are the flags.
type options struct {
	rounds int
	scale  float64
	long   bool
	only   string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "rounds over all cases")
	flag.Float64Var(&o.scale, "scale", 1, "multiplies the number of requests")
	flag.BoolVar(&o.long, "long", false, "send 200,000 requests and watch memory instead")
	flag.StringVar(&o.only, "only", "", "one section: ratios, parts or memory")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stopped
		_ = os.RemoveAll(b.dir) // the kernel ends the processes
		os.Exit(1)
	}()
	if o.long {
		return b.soak()
	}
	for _, section := range []struct {
		name string
		do   func() error
	}{{"ratios", b.ratios}, {"parts", b.parts}, {"memory", b.memory}} {
		if o.only != "" && o.only != section.name {
			continue
		}
		if err := section.do(); err != nil {
			return fmt.Errorf("%s: %w", section.name, err)
		}
	}
	return nil
}
