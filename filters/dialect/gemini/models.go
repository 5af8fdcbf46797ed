package gemini

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
)

// modelList is GET /v1beta/models.
func modelList() *dialect.API {
	return &dialect.API{Name: "models", Operation: llm.Models, Client: &listClient{}}
}

// model is GET /v1beta/models/{model}.
func model() *dialect.API {
	return &dialect.API{Name: "model", Operation: llm.Models, Client: &modelClient{}}
}

type listClient struct{ client }
type modelClient struct{ client }

// Recognise knows the list. Under /v1 it is another API's, unless the key is sent as
// this one's SDKs do.
func (*listClient) Recognise(l *dialect.Line) (dialect.Call, bool) {
	return dialect.Call{Operation: llm.Models, Bare: true}, l.Method == "GET" && (l.Path == "/v1beta/models" || l.Path == "/v1/models" && ours(l))
}

func ours(l *dialect.Line) bool { return l.Header("x-goog-api-key") != "" }

// Recognise knows a model by its path; for those under /v1 the same holds, but for the
// forms of Vertex.
func (*modelClient) Recognise(l *dialect.Line) (dialect.Call, bool) {
	if l.Method != "GET" || strings.HasPrefix(l.Path, "/v1/models/") && !ours(l) {
		return dialect.Call{}, false
	}
	name, method, ok := resource(l.Path)
	return dialect.Call{Operation: llm.Models, Model: name, Bare: true}, ok && method == "" && !strings.Contains(name, "/operations/")
}

// AppendModels writes the one model that was asked for.
func (*modelClient) AppendModels(dst []byte, names []string) []byte {
	w := dialect.Writer{B: dst}
	w.Begin('{')
	for _, n := range names {
		writeModel(&w, n)
		break
	}
	w.Close('}')
	return w.B
}
