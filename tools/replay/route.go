package replay

import (
	"strings"
)

// Route is what a recorded URL means: which provider answered, and the request
// line by which a client asks the gateway for the same.
type Route struct {
	Dialect string
	Flavour string
	Version string // api-version
	URL     string // the provider's base URL, for the configuration
	Path    string // of the client's request line, query included
}

// hosts are the servers that speak OpenAI's API with quirks of their own.
var hosts = []struct{ host, flavour string }{
	{"openrouter.ai", "openrouter"}, {"api.x.ai", "xai"}, {"api.groq.com", "groq"}, {"api.mistral.ai", "mistral"},
	{"api.deepseek.com", "deepseek"},
}

// RouteOf reads a recorded URL.
func RouteOf(x *Exchange) Route {
	host, path, base := x.URL.Host, x.URL.EscapedPath(), x.URL.Scheme+"://"+x.URL.Host
	asked := path
	if x.URL.RawQuery != "" {
		asked += "?" + x.URL.RawQuery
	}
	r := Route{Path: asked, URL: base}
	switch {
	case strings.Contains(path, "/publishers/anthropic/"):
		r.Dialect, r.Flavour, r.URL = "anthropic", "vertex", base+before(path, "/models/")
	case strings.Contains(path, "/publishers/google/"):
		r.Dialect, r.Flavour, r.URL = "gemini", "vertex", base+before(path, "/publishers/")
	case strings.HasSuffix(host, "googleapis.com"):
		r.Dialect = "gemini"
	case strings.HasPrefix(path, "/model/"):
		r.Dialect = "bedrock"
		if strings.Contains(path, "/invoke") {
			r.Flavour = "invoke"
		}
	case strings.Contains(host, "anthropic.com"):
		r.Dialect = "anthropic"
	case strings.Contains(host, "cohere"):
		r.Dialect = "cohere"
	case strings.HasPrefix(path, "/api/") && !strings.Contains(path, "/v1/"):
		r.Dialect = "ollama"
	default:
		r.openai(host, path, base, x.URL.Query().Get("api-version"))
	}
	return r
}

// openai reads the URLs of the many servers that speak OpenAI's API.
func (r *Route) openai(host, path, base, version string) {
	r.Dialect = "openai"
	if strings.Contains(host, "openai.azure.com") {
		r.Flavour, r.Version, r.URL = "azure", version, base
		if version == "" {
			r.URL = base + "/openai/v1"
		}
		return
	}
	if host == "api.openai.com" {
		r.URL = base + "/v1"
		return
	}
	r.Flavour = "compatible"
	for _, h := range hosts {
		if host == h.host {
			r.Flavour = h.flavour
		}
	}
	for _, suffix := range []string{"/chat/completions", "/completions", "/embeddings", "/responses"} {
		if root, ok := strings.CutSuffix(path, suffix); ok {
			r.URL, r.Path = base+root, "/v1"+suffix
			return
		}
	}
}

// before is what stands before the first mark.
func before(s, mark string) string {
	head, _, _ := strings.Cut(s, mark)
	return head
}
