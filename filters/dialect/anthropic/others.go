package anthropic

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/passthrough"
	"github.com/posterngw/postern/filters/llm"
)

// kept is how the ids begin of what Anthropic keeps: files, batches of messages,
// containers, skills, and of managed agents (source: anthropic-sdk-go as of July
// 2026; msgbatch_, container_ and skill_ as others' code has them). The ids of
// messages and of tool calls name nothing that can be asked for.
var kept = []string{
	"file_", "msgbatch_", "container_", "skill_",
	"agent_", "sesn_", "sthr_", "sesrsc_", "env_", "vlt_", "vcrd_", "depl_", "uprof_",
}

// others returns the API of the paths that no codec reads. The line is OpenAI's,
// too, unless the request names the API's version or the path is below messages.
// The clouds have none of them.
func others() *dialect.API {
	const batches = "messages/batches"
	return passthrough.API(passthrough.Options{
		Takes: func(t *dialect.Target) bool { return cloudOf(t) == nil },
		Split: func(l *dialect.Line) (rest, model string, ok bool) {
			rest, ok = strings.CutPrefix(l.Path, "/v1/")
			return rest, "", ok && (l.Header("anthropic-version") != "" || strings.HasPrefix(rest, batches))
		},
		Paths: []string{batches, "files", "skills", "complete",
			"agents", "sessions", "environments", "vaults", "memory_stores", "deployments", "deployment_runs", "dreams", "user_profiles"},
		Join: func(t *dialect.Target, rest string) string {
			return strings.TrimSuffix(t.BasePath, "/v1") + "/v1/" + rest
		},
		Usage: func(raw []byte) (llm.Usage, bool) {
			var c counts
			c.read(raw)
			return c.usage(), c.known
		},
		Client: &client{}, Provider: &provider{},
	})
}
