package bedrock

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/aws"
	"github.com/posterngw/postern/filters/dialect/passthrough"
	"github.com/posterngw/postern/filters/llm"
)

// kept is what the runtime keeps: invocations that were started (source: the API
// reference of StartAsyncInvoke, whose pattern of invocationArn this is).
var kept = []string{"arn:aws*:async-invoke/"}

// others returns the API of the runtime's paths that no codec reads:
// asynchronous invocations, guardrails, and what else is asked of a model, such as
// to count tokens. Streams in both directions are not passed on: a request is held
// until it is whole.
func others() *dialect.API {
	return passthrough.API(passthrough.Options{
		Split: func(l *dialect.Line) (rest, model string, ok bool) {
			model, action, ok := aws.Action(l.Path)
			if ok {
				return "model/" + passthrough.Model + "/" + action, model, action != "invoke-with-bidirectional-stream"
			}
			rest, ok = strings.CutPrefix(l.Path, "/")
			return rest, "", ok
		},
		Paths:   []string{"async-invoke", "guardrail", "model"},
		Slashes: true, // of ARNs
		Join: func(t *dialect.Target, rest string) string {
			if action, ok := strings.CutPrefix(rest, "model/"+passthrough.Model+"/"); ok {
				return aws.ModelPath(t.BasePath, t.Model, action)
			}
			return t.BasePath + "/" + rest
		},
		Member: "modelId",
		Usage: func(raw []byte) (llm.Usage, bool) {
			u := readUsage(raw, nil)
			return u, u.Known
		},
		Client: &client{}, Provider: &provider{},
	})
}
