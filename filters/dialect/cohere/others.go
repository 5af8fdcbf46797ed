package cohere

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/passthrough"
	"github.com/posterngw/postern/filters/llm"
)

// kept is what Cohere keeps. Its ids are UUIDs and names, without anything in
// common: on the paths that are passed on every id is one, and in paths what stands
// behind these words (source: the API reference, as of November 2026).
var kept = []string{"", "datasets/", "embed-jobs/", "connectors/", "finetuned-models/", "batches/"}

// others returns the API of the paths that no codec reads. The version is part of
// what is passed on: the API has some paths in one of them alone.
func others(chat *dialect.API) *dialect.API {
	return passthrough.API(passthrough.Options{
		Split: func(l *dialect.Line) (rest, model string, ok bool) {
			rest, ok = strings.CutPrefix(l.Path, "/")
			return rest, "", ok
		},
		Paths: []string{"v1/classify", "v1/tokenize", "v1/detokenize", "v1/summarize", "v1/embed-jobs", "v1/datasets", "v1/connectors",
			"v1/finetuning", "v2/batches"},
		Join: func(t *dialect.Target, rest string) string {
			return endpoint{path: "/" + rest}.Path(nil, t)
		},
		Usage: func(raw []byte) (llm.Usage, bool) {
			u := usageOf(raw)
			return u, u.Known
		},
		Client: chat.Client, Provider: chat.Provider,
	})
}
