package replay

import (
	"net/http"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/grammar"
	"github.com/posterngw/postern/filters/llm"
)

// api is what the replay knows of one API of one dialect, by "dialect/api".
type api struct {
	// request is a plain request of a client for the model named by MODEL; the
	// path of a streamed one is stream, where the two differ.
	path, stream string
	body         string
	// streamed is the body of a streamed request, where it is not the path that says so.
	streamed string
	// read tells what an answer says.
	read func(stream bool, body []byte) (*Said, error)
	// grammar is that of the client's streams.
	grammar func() grammar.Grammar
	// framed says that streams are AWS event streams.
	framed bool
	// streams says that all answers are streams, single that they have one item.
	streams, single bool
}

const (
	chatBody   = `{"model":"MODEL","messages":[{"role":"user","content":"hi"}]}`
	chatStream = `{"model":"MODEL","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}`
)

const geminiBody = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`

// apis are the APIs that answers can be read in; those with a path are asked by
// clients as well.
var apis = map[string]api{
	"openai/chat": {path: "/v1/chat/completions", body: chatBody, streamed: chatStream, read: readChat,
		grammar: func() grammar.Grammar { return grammar.OpenAI(true) }},
	"anthropic/messages": {path: "/v1/messages", read: readMessages, grammar: grammar.Anthropic,
		body:     `{"model":"MODEL","max_tokens":1000,"messages":[{"role":"user","content":"hi"}]}`,
		streamed: `{"model":"MODEL","max_tokens":1000,"messages":[{"role":"user","content":"hi"}],"stream":true}`},
	"openai/completions": {path: "/v1/completions", read: readCompletion, body: `{"model":"MODEL","prompt":"hi"}`,
		streamed: `{"model":"MODEL","prompt":"hi","stream":true,"stream_options":{"include_usage":true}}`},
	"openai/embeddings": {path: "/v1/embeddings", read: readEmbeddings, body: `{"model":"MODEL","input":"hi"}`},
	"gemini/generateContent": {path: "/v1beta/models/MODEL:generateContent", stream: "/v1beta/models/MODEL:streamGenerateContent?alt=sse",
		body: geminiBody, read: readGemini, grammar: grammar.Gemini},
	"gemini/streamGenerateContent": {path: "/v1beta/models/MODEL:streamGenerateContent", streams: true, body: geminiBody, read: readGemini},
	"gemini/embedContent":          {path: "/v1beta/models/MODEL:embedContent", body: `{"content":{"parts":[{"text":"hi"}]}}`, read: readGemini, single: true},
	"gemini/batchEmbedContents": {path: "/v1beta/models/MODEL:batchEmbedContents", read: readGemini,
		body: `{"requests":[{"model":"models/MODEL","content":{"parts":[{"text":"hi"}]}}]}`},
	"ollama/chat":     {read: readOllama},
	"ollama/generate": {read: readOllama},
	"ollama/embed":    {read: readOllama},
	"openai/responses": {path: "/v1/responses", read: readResponse, grammar: grammar.Responses,
		body: `{"model":"MODEL","input":"hi"}`, streamed: `{"model":"MODEL","input":"hi","stream":true}`},
	"cohere/chat": {path: "/v2/chat", body: chatBody, read: readCohere, grammar: grammar.Cohere,
		streamed: `{"model":"MODEL","messages":[{"role":"user","content":"hi"}],"stream":true}`},
	"cohere/embed": {path: "/v2/embed", read: readCohere,
		body: `{"model":"MODEL","input_type":"search_document","embedding_types":["float"],"texts":["hi"]}`},
	"cohere/rerank":      {path: "/v2/rerank", read: readCohere, body: `{"model":"MODEL","query":"q","documents":["a","b"]}`},
	"cohere/v1.chat":     {read: readCohere},
	"cohere/v1.generate": {read: readCohere},
	"cohere/v1.embed":    {read: readCohere},
	"cohere/v1.rerank":   {read: readCohere},
	"bedrock/invoke": {path: "/model/MODEL/invoke", stream: "/model/MODEL/invoke-with-response-stream", read: readInvoke,
		body: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":"hi"}]}`},
	"bedrock/converse": {path: "/model/MODEL/converse", stream: "/model/MODEL/converse-stream", read: readConverse,
		body: `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, grammar: grammar.Converse, framed: true},
}

// obeys checks a stream that a client got.
func (a *api) obeys(stream []byte) error {
	switch {
	case a.grammar == nil:
		return nil
	case a.framed:
		return grammar.CheckFrames(a.grammar(), stream, func(b []byte) (list []grammar.Frame, err error) {
			events, err := frames(b)
			for _, e := range events {
				if strings.HasSuffix(e.name, "Exception") {
					e.name = "exception " + e.name // as the grammar calls it
				}
				list = append(list, grammar.Frame{Name: e.name, Data: e.data})
			}
			return list, err
		})
	}
	return grammar.Check(a.grammar(), stream)
}

// side is one client API that can express an operation.
type side struct {
	name    string // dialect/api
	api     api
	of      *dialect.API
	flavour string // of the provider that is asked
}

// sides lists the client APIs of the dialects that serve an operation.
func sides(dialects []*dialect.Dialect, op llm.Operation) []side {
	var list []side
	for _, d := range dialects {
		for _, a := range d.APIs {
			name := d.Name + "/" + a.Name
			if known, ok := apis[name]; ok && a.Client != nil && a.Operation == op && known.path != "" {
				list = append(list, side{name: name, api: known, of: a})
			}
		}
	}
	return list
}

// own finds the API that a recorded request is of.
func own(dialects []*dialect.Dialect, x *Exchange, r *Route) (name string, a *dialect.API, call dialect.Call) {
	path, query, _ := strings.Cut(r.Path, "?")
	l := &dialect.Line{Method: x.Method, Path: path, Query: query, Header: func(name string) string { return x.Headers[name] }}
	for _, d := range dialects {
		if d.Name != r.Dialect {
			continue
		}
		for _, a := range d.APIs {
			if a.Client == nil {
				continue
			}
			if call, ok := a.Client.Recognise(l); ok {
				return d.Name + "/" + a.Name, a, call
			}
		}
	}
	return "", nil, dialect.Call{}
}

// failed reports whether an exchange is one that the provider refused.
func (x *Exchange) failed() bool { return x.Status >= http.StatusBadRequest }
