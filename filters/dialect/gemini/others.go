package gemini

import (
	"slices"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/dialect/passthrough"
	"github.com/posterngw/postern/filters/llm"
)

// kept is how the names begin of what Google keeps, and the URIs of files (source:
// the resources of the API references of the Gemini API and of Vertex AI, as of
// November 2026). A star stands for whatever comes between.
var kept = []string{
	"files/", "cachedContents/", "batches/", "operations/", "fileSearchStores/", "corpora/", "documents/", "generatedFiles/",
	"models/*/operations/", "https://generativelanguage.googleapis.com/*/files/",
	"projects/*/cachedContents/", "projects/*/batchPredictionJobs/", "projects/*/tuningJobs/", "projects/*/operations/",
}

// inModel is where a model's own paths begin.
const inModel = "models/" + passthrough.Model

// others returns the API of the Gemini API's paths that no codec reads. The
// version is part of what is passed on. Under /v1 the line is others', too, unless
// the key is sent as this API's SDKs do. WebSockets are below /ws.
func others() *dialect.API {
	o := common()
	o.Takes = func(t *dialect.Target) bool { return t.Flavour != vertex }
	o.Split = func(l *dialect.Line) (rest, model string, ok bool) {
		if strings.HasPrefix(l.Path, "/ws/google.ai.") {
			return l.Path[1:], "", true
		}
		root := l.Path
		for _, prefix := range [...]string{"/upload", "/download"} {
			root = strings.TrimPrefix(root, prefix)
		}
		rest, ok = afterVersion(root)
		if !ok || strings.HasPrefix(root, "/v1/") && !ours(l) {
			return "", "", false
		}
		at := len(l.Path) - len(rest)
		rest, model, ok = named(l, rest)
		return l.Path[1:at] + rest, model, ok
	}
	for _, version := range [...]string{"v1beta/", "v1alpha/", "v1/"} {
		for _, path := range [...]string{"files", "cachedContents", "batches", "operations", "fileSearchStores", "corpora", "generatedFiles",
			"dynamic", "tunedModels", "interactions", inModel} {
			o.Paths = append(o.Paths, version+path)
		}
		o.Paths = append(o.Paths, "upload/"+version+"files", "upload/"+version+"fileSearchStores", "download/"+version+"files")
	}
	o.Paths = append(o.Paths, "ws")
	o.Join = func(t *dialect.Target, rest string) string {
		root := t.BasePath
		for _, version := range [...]string{"/v1beta", "/v1alpha", "/v1"} {
			root = strings.TrimSuffix(root, version)
		}
		return root + "/" + put(rest, t.Model)
	}
	o.Full = func(t *dialect.Target) string { return "models/" + strings.TrimPrefix(t.Model, "models/") }
	return passthrough.API(o)
}

// vertexOthers returns the same for Vertex AI, whose paths are below a location.
// That is the target's own.
func vertexOthers() *dialect.API {
	o := common()
	o.Name = "vertex passthrough"
	o.Takes = func(t *dialect.Target) bool { return t.Flavour == vertex }
	o.Split = func(l *dialect.Line) (rest, model string, ok bool) {
		rest, ok = afterVersion(l.Path)
		parts := strings.SplitN(rest, "/", 5)
		if !ok || len(parts) < 5 || parts[0] != "projects" || parts[2] != "locations" {
			return "", "", false
		}
		return named(l, parts[4])
	}
	o.Paths = []string{"cachedContents", "batchPredictionJobs", "tuningJobs", "operations", "publishers/google/" + inModel}
	o.Join = func(t *dialect.Target, rest string) string { return t.BasePath + "/" + put(rest, t.Model) }
	o.Full = func(t *dialect.Target) string {
		_, location, _ := strings.Cut(strings.TrimPrefix(t.BasePath, "/"), "/")
		return location + "/publishers/google/models/" + t.Model
	}
	return passthrough.API(o)
}

// common is what both have in common: a model's name stands behind "models/".
func common() passthrough.Options {
	return passthrough.Options{
		Secret: []string{"key"},
		Plain: func(text string) string {
			if at := strings.LastIndex(text, "models/"); at >= 0 {
				return text[at+len("models/"):]
			}
			return text
		},
		Usage: func(raw []byte) (llm.Usage, bool) {
			var c counts
			c.read(raw)
			return c.usage(), c.known
		},
		Client: &client{}, Provider: &provider{},
	}
}

// methods are the others of a model.
var methods = []string{"predict", "predictLongRunning", "fetchPredictOperation", "batchGenerateContent", "asyncBatchEmbedContent", "generateAnswer"}

// named takes the model out of a path: "models/{model}:method", which is posted,
// or something below the model.
func named(l *dialect.Line, rest string) (path, model string, ok bool) {
	const models = "models/"
	before, after, found := strings.Cut(rest, models)
	if !found || before != "" && before != "publishers/google/" {
		return rest, "", true
	}
	end := strings.IndexAny(after, ":/")
	if end < 1 || after[end] == ':' && (l.Method != "POST" || !slices.Contains(methods, after[end+1:])) {
		return "", "", false
	}
	model, ok = unescapePath(after[:end])
	return before + models + passthrough.Model + after[end:], model, ok
}

// put puts a model's name back; one that is a resource's brings its own folder.
func put(rest, model string) string {
	if i := strings.IndexByte(model, '/'); i >= 0 {
		return strings.Replace(rest, inModel, escapePath(model), 1)
	}
	return strings.Replace(rest, passthrough.Model, escapePath(model), 1)
}
