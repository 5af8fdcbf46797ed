package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	hosttest "github.com/posterngw/postern/host-test"
	"github.com/posterngw/postern/tools/postern/internal/local"
	"github.com/posterngw/postern/tools/postern/internal/module"
	"github.com/posterngw/postern/tools/replay"
)

// recordings is the variable that names a folder of recorded traffic.
const recordings = "POSTERN_RECORDINGS"

// replayOptions are the flags of replay.
type replayOptions struct {
	wasm       string
	host       string
	client     string
	id         string
	cases      string
	partitions int
	asJSON     bool
}

func replayCommand(s Streams) *cobra.Command {
	o := &replayOptions{}
	c := &cobra.Command{
		Use:   "replay [PATH…]",
		Short: "Send recorded exchanges through the module and check what comes out",
		Long: `Sends recorded exchanges with providers through the module on an emulated proxy:
the recorded request as a client of its own API, whose bytes must be kept, and
the recorded answer through every client API that can express the operation,
whole and cut in many places. What the client gets must obey its API's grammar
and say what the provider said; what is counted must be what the provider
counted.

A PATH is a file of one JSON object a line, or a folder of such files; the
default is $` + recordings + `. Each object has: id, method, url, request_headers,
request, status, response_headers, response, response_encoding (utf-8 or base64).

Of each failure it prints the command that shows it again, and with --cases
writes a small case of it. The exit code is 1 if there is a failure.`,
		Example: "  postern replay recordings/\n  postern replay --id 01590e74e80b --client anthropic/messages recordings/",
		PreRunE: func(*cobra.Command, []string) error {
			_, err := hosttest.ProfileByName(o.host)
			return err
		},
		RunE: runs(func(ctx context.Context, args []string) error { return o.run(ctx, s, args) }),
	}
	f := c.Flags()
	f.StringVar(&o.wasm, "wasm", "", "the module's `file` (default "+module.Default+", here or beside this program)")
	f.StringVar(&o.host, "host", "envoy", "the emulated `proxy`: envoy, istio-wasmplugin or apisix")
	f.StringVar(&o.client, "client", "", "try this client `API` only, as dialect/api")
	f.StringVar(&o.id, "id", "", "replay the exchange of this `id` only")
	f.StringVar(&o.cases, "cases", "", "`folder` to write a small case of each failure to")
	f.IntVar(&o.partitions, "partitions", 64, "random `number` of ways to cut each stream, besides the others")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON document instead of lines")
	return c
}

func (o *replayOptions) run(ctx context.Context, s Streams, paths []string) (err error) {
	list, err := o.exchanges(paths)
	if err != nil {
		return err
	}
	code, err := o.module(ctx, s)
	if err != nil {
		return err
	}
	module, free, err := local.Compile(ctx, code)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, free()) }()
	profile, err := hosttest.ProfileByName(o.host)
	if err != nil {
		return err
	}
	options := replay.Options{Module: module, Profile: profile, Only: o.client, Partitions: o.partitions}
	bar := newProgress(s.Err, len(list))
	sum := replay.All(list, options, func(out *replay.Outcome) { bar.step(out.Failed()) })
	bar.clear()
	if err := o.report(s.Out, sum, list, options); err != nil {
		return err
	}
	if sum.Failed > 0 {
		return errFound
	}
	return nil
}

// module reads the module's file.
func (o *replayOptions) module(ctx context.Context, s Streams) ([]byte, error) {
	path, err := findModule(ctx, s, o.wasm)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// exchanges reads what is to be replayed.
func (o *replayOptions) exchanges(paths []string) ([]replay.Exchange, error) {
	if len(paths) == 0 {
		if paths = []string{os.Getenv(recordings)}; paths[0] == "" {
			return nil, errors.New("replay wants a PATH, or " + recordings + " in the environment")
		}
	}
	list, err := replay.Read(paths...)
	if err != nil || o.id == "" {
		return list, err
	}
	for i := range list {
		if list[i].ID == o.id {
			return list[i : i+1], nil
		}
	}
	return nil, errors.New("no exchange has the id " + o.id)
}

// report prints the failures, the table and the sum.
func (o *replayOptions) report(w io.Writer, sum *replay.Summary, list []replay.Exchange, options replay.Options) error {
	for i := range sum.Outcomes {
		if out := &sum.Outcomes[i]; out.Failed() && o.cases != "" {
			if err := o.write(&list[i], out, options); err != nil {
				return err
			}
		}
	}
	if o.asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(sum)
	}
	for i := range sum.Outcomes {
		if out := &sum.Outcomes[i]; out.Failed() {
			o.tell(w, out)
		}
	}
	if err := sum.Table(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", sum.Passed, sum.Failed, sum.Skipped)
	return err
}

// tell prints one failure.
func (o *replayOptions) tell(w io.Writer, out *replay.Outcome) {
	fmt.Fprintf(w, "FAIL %s:%d %s\n", out.File, out.Line, out.API)
	for _, p := range out.Problems {
		fmt.Fprintf(w, "  %s %s: %s\n", p.Client, p.Cut, p.What)
	}
	fmt.Fprintf(w, "  again: postern replay --host %s --id %s --client %s PATH\n", o.host, out.ID, out.Problems[0].Client)
}

// write keeps a small case of a failure.
func (o *replayOptions) write(x *replay.Exchange, out *replay.Outcome, options replay.Options) error {
	small := replay.Minimize(x, out, options)
	text, err := small.Recorded()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.cases, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.cases, out.ID+".jsonl"), append(text, '\n'), 0o644)
}

// progress is a bar on a terminal; elsewhere it is silent.
type progress struct {
	w                   io.Writer
	done, failed, total int
	shown               bool
}

func newProgress(w io.Writer, total int) *progress {
	f, ok := w.(*os.File)
	if ok {
		info, err := f.Stat()
		ok = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return &progress{w: w, total: total, shown: ok}
}

func (p *progress) step(failed bool) {
	p.done++
	if failed {
		p.failed++
	}
	if !p.shown {
		return
	}
	const width = 40
	full := p.done * width / p.total
	fmt.Fprintf(p.w, "\r[%-*s] %d/%d, %d failed", width, strings.Repeat("#", full), p.done, p.total, p.failed)
}

// clear makes room for what comes after the bar.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\033[K")
	}
}
