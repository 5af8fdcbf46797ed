// Package check finds everything in a postern.yaml that the module would
// refuse at its start, and what it would accept but should be changed. Errors
// stand at a line where one is known.
//
// It does not look at the environment, so a key that is not set is not found
// here, and it knows no host: what a proxy cannot do is the renderer's to say.
package check

import (
	"errors"
	"time"

	"github.com/posterngw/postern/filters/builtin"
	"github.com/posterngw/postern/filters/config"
	"github.com/posterngw/postern/filters/pipeline"
	"github.com/posterngw/postern/tools/document"
	"github.com/posterngw/postern/tools/yamlconfig"
)

// Result is what is known of one file.
type Result struct {
	Node     *config.Node     // nil when the text cannot be read
	Config   *pipeline.Config // not to be used when there are errors
	Errors   config.Errors
	Warnings config.Errors
}

// Text checks the text of a file; the name is for messages.
func Text(name string, text []byte) Result {
	node, errs := document.Read(name, text)
	if len(errs) > 0 {
		return Result{Node: node, Errors: errs}
	}
	return Tree(node)
}

// Tree checks a document that was read already.
func Tree(node *config.Node) Result {
	r := Result{Node: node, Config: &pipeline.Config{}}
	dialects := builtin.Dialects()
	r.Errors, r.Warnings = config.DecodeWithWarnings(node, append(pipeline.Fields(r.Config, dialects),
		config.Rule(func(report *config.Report) { lint(report, r.Config) })))
	if len(r.Errors) == 0 {
		_, r.Errors = pipeline.NewSnapshot(yamlconfig.ToJSON(node), dialects, nowhere{})
	}
	return r
}

var errNowhere = errors.New("no upstream")

// nowhere is a proxy in which every variable of the environment is set and
// nothing else is there.
type nowhere struct{}

func (nowhere) Now() time.Time                                    { return time.Now() }
func (nowhere) TickEvery(uint32) bool                             { return true }
func (nowhere) Log(pipeline.Level, string)                        {}
func (nowhere) Memory() uint64                                    { return 0 }
func (nowhere) Env(string) string                                 { return "set" }
func (nowhere) Shared(string) ([]byte, uint32, bool)              { return nil, 0, false }
func (nowhere) SetShared(string, []byte, uint32) bool             { return false }
func (nowhere) Add(uint32, int64)                                 {}
func (nowhere) Record(uint32, uint64)                             {}
func (nowhere) Metric(pipeline.MetricKind, string) (uint32, bool) { return 0, true }
func (nowhere) Call(pipeline.Callout, func(*pipeline.CalloutAnswer)) error {
	return errNowhere
}
