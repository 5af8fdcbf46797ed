// Package passthrough passes the paths of a dialect on that no codec reads
// (images, audio, files, batches …): to a target of the same dialect, with
// identity, policy, budgets and the account of whatever usage the answer tells.
//
// Of a request it reads the model, in a JSON body or in a multipart field, and
// puts the target's name in its place; nothing else is looked at. A request
// without a model goes to the provider that the configuration names for the
// dialect.
//
// The package knows no dialect: it is given the paths and what the dialect's
// clients and providers have in common.
package passthrough

import (
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
)

// Options are what a dialect brings.
type Options struct {
	// Split takes a request's path apart: what stands below the dialect's root;
	// false when it is none of the dialect's.
	Split func(l *dialect.Line) (rest string, ok bool)
	// Paths are the beginnings of the paths below the root that are passed on.
	Paths []string
	// Join is the upstream path of what stands below the root, query included.
	Join func(t *dialect.Target, rest string) string
	// Secret are the parameters of a query that are not the provider's to see.
	Secret []string
	// Usage reads a usage object.
	Usage func(raw []byte) (llm.Usage, bool)
	// Client and Provider are those of any API of the dialect.
	Client   dialect.Client
	Provider dialect.Provider
}

// API returns the API of a dialect's other paths. It must be the last of its APIs.
func API(o Options) *dialect.API {
	return &dialect.API{Name: "passthrough", Operation: llm.Passthrough,
		Client: &client{o.Client, &o}, Provider: &provider{o.Provider, &o}, Same: &same{&o}, Keeps: true,
		Translates: func(*dialect.Target) bool { return false }}
}

type client struct {
	dialect.Client
	o *Options
}

type provider struct {
	dialect.Provider
	o *Options
}

type same struct{ o *Options }

// Recognise knows the paths that are passed on.
func (c *client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	rest, ok := c.o.Split(l)
	if !ok || !c.passes(rest) || l.Method == "OPTIONS" || l.Method == "CONNECT" || l.Method == "TRACE" {
		return dialect.Call{}, false
	}
	call := dialect.Call{Operation: llm.Passthrough, Bare: true, Type: l.Header("content-type"), Rest: rest}
	if query := c.query(l.Query); query != "" {
		call.Rest += "?" + query
	}
	call.Raw = !isJSON(call.Type)
	return call, true
}

// passes reports whether a path is one of those; parts of it that lead elsewhere
// are not.
func (c *client) passes(rest string) bool {
	for _, odd := range [...]string{"..", "//", "%2f", "%2F", "%2e", "%2E"} {
		if strings.Contains(rest, odd) {
			return false
		}
	}
	if strings.HasSuffix(rest, "/") {
		return false
	}
	for _, p := range c.o.Paths {
		after, ok := strings.CutPrefix(rest, p)
		if ok && (after == "" || after[0] == '/') {
			return true
		}
	}
	return false
}

func isJSON(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

// query is a query without its secret parameters.
func (c *client) query(query string) string {
	var kept []string
	for _, one := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(one, "=")
		secret := one == ""
		for _, s := range c.o.Secret {
			secret = secret || strings.EqualFold(name, s)
		}
		if !secret {
			kept = append(kept, one)
		}
	}
	return strings.Join(kept, "&")
}

const kModel = 0

var inspected = jsonx.NewKeys("model")

// Inspected lists the member that must not occur twice.
func (*client) Inspected() *jsonx.Keys { return inspected }

// Facts reads the model, if there is one.
func (*client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	f := llm.Facts{Operation: c.Operation, Model: c.Model, Choices: 1}
	if v, ok := doc.Get(kModel); ok {
		if v.Kind != jsonx.String {
			return f, dialect.Invalid("invalid_type", "model", "Invalid type for 'model': expected a string.")
		}
		name := jsonx.Interior(v.Raw(doc.Body()))
		f.Model = dialect.Plain(name, len(name))
		return f, nil
	}
	at, err := field(c.Type, doc.Body())
	if err != nil {
		return f, err
	}
	if at.Len() > 0 {
		f.Model = string(doc.Body()[at.Start:at.End])
	}
	return f, nil
}

// Decode refuses: no other API has these paths.
func (*client) Decode(llm.Facts, *jsonx.Document) (*llm.Request, *llm.Error) {
	return nil, dialect.Unsupported("", "This path cannot be carried to another API.")
}

// Path is the same path below the provider's own root.
func (p *provider) Path(f *llm.Facts, t *dialect.Target) string { return p.o.Join(t, f.Rest) }

// Request puts the target's model in the place of the asked one.
func (*same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	name := p.Target.Model
	if name == "" || name == f.Model || f.Model == "" {
		return
	}
	if _, ok := doc.Get(kModel); ok {
		e.SetMember(doc, kModel, "model", jsonx.Quote(nil, name))
		return
	}
	if at, err := field("multipart/form-data", doc.Body()); err == nil && at.Len() > 0 {
		e.Replace(at, []byte(name))
	}
}

// Answer reads the usage of an answer, wherever it stands.
func (s *same) Answer(_ *jsonx.Edits, _ *llm.Facts, body []byte, _ *dialect.Patch) (llm.Usage, llm.Finish, *llm.Error) {
	u, _ := s.usage(body)
	return u, llm.FinishStop, nil
}

// places are where APIs put their usage.
var places = [][]string{{"usage"}, {"response", "usage"}, {"message", "usage"}, {"usageMetadata"}, {"meta"}}

// tier reads the service_tier that stands beside usage.
func tier(body []byte, path []string) llm.Tier {
	beside := append(path[:len(path)-1:len(path)-1], "service_tier")
	raw, _ := jsonx.Lookup(body, beside...)
	return llm.TierOf(jsonx.Interior(raw))
}

func (s *same) usage(body []byte) (llm.Usage, bool) {
	if jsonx.KindOf(body) != jsonx.Object || jsonx.Valid(body, jsonx.Limits{}) != nil {
		return llm.Usage{}, false
	}
	for _, path := range places {
		if raw, ok := jsonx.Lookup(body, path...); ok {
			if u, ok := s.o.Usage(raw); ok {
				u.Tier = max(u.Tier, tier(body, path))
				return u, true
			}
		}
	}
	return llm.Usage{}, false
}
