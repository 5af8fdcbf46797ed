package boot

import (
	"bytes"
	"crypto/rand"
	"strings"
	"text/template"

	"github.com/posterngw/postern/filters/identity"
)

// Parts are the parts of governance that a configuration has, and whether each
// model has two targets to choose from, each with a circuit.
type Parts struct {
	Keys, Policies, Budgets, Metrics, Records bool
	Targets                                   bool
	Paired                                    bool // not a part, but the mode
}

// Providers are the addresses of the mock, without a final slash.
type Providers struct{ OpenAI, Anthropic string }

var postern = template.Must(template.New("postern").Parse(`version: 1
{{- if .Paired}}
mode: paired
{{- end}}
providers:
  openai: {dialect: openai, url: "{{.OpenAI}}/v1", credentials: ["env:BENCH_KEY"]}
  claude: {dialect: anthropic, url: "{{.Anthropic}}/v1", credentials: ["env:BENCH_KEY"]}
{{- if .Targets}}
  again: {dialect: openai, url: "{{.OpenAI}}/v1", credentials: ["env:BENCH_KEY"]}
{{- end}}
models:
  whole: {max_output: 200, targets: [{provider: openai, model: bench-600b}{{if .Targets}}, {provider: again, model: bench-600b}{{end}}]}
  stream: {max_output: 200, targets: [{provider: openai, model: bench-51-chunks}{{if .Targets}}, {provider: again, model: bench-51-chunks}{{end}}]}
  whole-claude: {max_output: 200, targets: [{provider: claude, model: bench-600b}]}
  stream-claude: {max_output: 200, targets: [{provider: claude, model: bench-51-chunks}]}
identity:
{{- if .Keys}}
  keys:
    bench: {hash: "{{.Hash}}", organisation: example, team: search, application: bench}
{{- else}}
  anonymous: {team: search}
{{- end}}
{{- if .Policies}}
policy:
  policies:
    search: {cedar: 'permit (principal in Team::"search", action == Action::"invoke", resource);'}
    large: {cedar: 'forbid (principal, action, resource) when { context.estimated_tokens > 10000000 };'}
{{- end}}
{{- if .Budgets}}
budgets:
  requests: {unit: requests, limit: 1000000000, window: hour, per: [team]}
  tokens: {unit: tokens, limit: 1000000000000, window: day, per: [key]}
{{- end}}
telemetry: {metrics: {{.Metrics}}}
audit: {records: {{.Records}}}
`))

// Key is an API key and the hash of it.
type Key struct{ Presented, Hash string }

// NewKey makes a key.
func NewKey() (k Key, err error) {
	k.Presented, k.Hash, err = identity.NewKey(rand.Reader, "bench")
	return k, err
}

// Config is the text of a postern.yaml with some parts of governance.
func Config(p Providers, parts Parts, k Key) (string, error) {
	var b bytes.Buffer
	err := postern.Execute(&b, struct {
		Providers
		Parts
		Key
	}{p, parts, k})
	return b.String(), err
}

// Body is a chat request for a model, with about n bytes of JSON in turns of
// so many sentences each.
func Body(model string, stream bool, n, sentences int) []byte {
	const sentence = `Tell me something about the history of the sea, please.\nWrite \"two\" sentences and no more than that. `
	turn := `{"role":"user","content":"` + strings.Repeat(sentence, sentences) + `"}`
	var b strings.Builder
	b.WriteString(`{"model":"` + model + `",`)
	if stream {
		b.WriteString(`"stream":true,`)
	}
	b.WriteString(`"temperature":0.7,"max_tokens":200,"user":"u-123","messages":[` +
		`{"role":"system","content":"You are helpful."}`)
	for b.Len() < n-len(turn) {
		b.WriteString("," + turn)
	}
	b.WriteString("," + turn + "]}")
	return []byte(b.String())
}
