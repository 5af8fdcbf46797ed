package dialect

import (
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// Causes appends the member "causes" to an error that several targets share: what
// is wrong with each, {"target", "class", "code", "retry_after"}. It is ours in
// every dialect.
//
//go:noinline
func (w *Writer) Causes(e *llm.Error) {
	if len(e.Targets) == 0 {
		return
	}
	w.Array("causes")
	for i := range e.Targets {
		t := &e.Targets[i]
		w.Open('{')
		if t.Target != "" {
			w.Quote("target", t.Target)
		}
		w.Word("class", t.Class.String())
		w.Word("code", t.Code)
		if t.After > 0 {
			w.Int("retry_after", int64((t.After+time.Second-1)/time.Second))
		}
		w.Close('}')
	}
	w.Close(']')
}
