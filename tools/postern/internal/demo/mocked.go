package demo

import "github.com/posterngw/postern/filters/config"

// Mocked sends every provider of a document to the mock instead: it changes
// their URLs and credentials in place, and nothing else, so what is served is
// the document's own routing and governance. The document must be valid.
func Mocked(doc *config.Node, mock string) {
	providers := child(doc, "providers")
	for i := range providers.Members {
		p := providers.Members[i].Value
		set(p, "url", &config.Node{Kind: config.KindString, Text: mock + base(child(p, "dialect").Text, child(p, "flavour").Text)})
		set(p, "credentials", &config.Node{Kind: config.KindList,
			Items: []*config.Node{{Kind: config.KindString, Text: "env:" + MockKey}}})
	}
}

// base is the path that the URL of a provider ends in: the API's version, where
// that is not a part of each call, and the project on Vertex AI.
func base(dialect, flavour string) string {
	switch {
	case dialect == "gemini" && flavour == "vertex":
		return "/v1/projects/mock/locations/global"
	case dialect == "openai" || dialect == "anthropic":
		return "/v1"
	}
	return ""
}

// child is the value of a key; an empty object when there is none.
func child(n *config.Node, key string) *config.Node {
	for i := range n.Members {
		if n.Members[i].Key == key {
			return n.Members[i].Value
		}
	}
	return &config.Node{Kind: config.KindMap}
}

// set replaces the value of a key, or adds it.
func set(n *config.Node, key string, v *config.Node) {
	v.Line, v.Column = n.Line, n.Column
	for i := range n.Members {
		if n.Members[i].Key == key {
			n.Members[i].Value = v
			return
		}
	}
	n.Members = append(n.Members, config.Member{Key: key, KeyLine: n.Line, KeyColumn: n.Column, Value: v})
}
