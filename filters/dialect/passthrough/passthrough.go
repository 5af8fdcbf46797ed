// Package passthrough passes the paths of a dialect on that no codec reads
// (images, audio, files, batches …): to a target of the same dialect, with
// identity, policy, budgets and the account of whatever usage the answer tells.
//
// Of a request it reads the model, in the path, in a JSON body or in a multipart
// field, and puts the target's name in its place; nothing else is looked at. A
// request without a model goes to the provider that the configuration names for
// the dialect.
//
// The package knows no dialect: it is given the paths and what the dialect's
// clients and providers have in common.
package passthrough

import (
	"bytes"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/llm"
	"github.com/posterngw/postern/filters/wire/jsonx"
	"github.com/posterngw/postern/filters/wire/sse"
)

// Model stands in a path in the place of the model that the path names.
const Model = "{model}"

// Options are what a dialect brings.
type Options struct {
	// Name is the API's, where a dialect has several; else "passthrough".
	Name string
	// Takes reports whether a target has these paths; nil: all have.
	Takes func(t *dialect.Target) bool
	// Split takes a request's path apart: what stands below the dialect's root, and
	// the model that it names, if it does; false when it is none of the dialect's.
	Split func(l *dialect.Line) (rest, model string, ok bool)
	// Paths are the beginnings of the paths below the root that are passed on.
	Paths []string
	// Slashes says that names in paths may hold escaped slashes.
	Slashes bool
	// Join is the upstream path of what stands below the root, query included.
	Join func(t *dialect.Target, rest string) string
	// Member is the name of the member that names the model; empty: "model".
	Member string
	// Plain is the name of a model in what the member says, Full the other way
	// round; nil: the name itself.
	Plain func(text string) string
	Full  func(t *dialect.Target) string
	// InBody reports whether a target wants the model in the body that the client
	// named in the path; nil: never.
	InBody func(t *dialect.Target, rest string) bool
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
	o.Name = or(o.Name, "passthrough")
	o.Member = or(o.Member, "model")
	return &dialect.API{Name: o.Name, Operation: llm.Passthrough,
		Client: &client{o.Client, &o, jsonx.NewKeys(o.Member)}, Provider: &provider{o.Provider, &o}, Same: &same{&o}, Keeps: true,
		Takes: o.Takes, Translates: func(*dialect.Target) bool { return false }}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

type client struct {
	dialect.Client
	o         *Options
	inspected *jsonx.Keys
}

type provider struct {
	dialect.Provider
	o *Options
}

type same struct{ o *Options }

// Recognise knows the paths that are passed on.
func (c *client) Recognise(l *dialect.Line) (dialect.Call, bool) {
	rest, model, ok := c.o.Split(l)
	if !ok || !c.passes(rest) || l.Method == "OPTIONS" || l.Method == "CONNECT" || l.Method == "TRACE" {
		return dialect.Call{}, false
	}
	call := dialect.Call{Operation: llm.Passthrough, Model: model, Bare: true, Type: l.Header("content-type"), Rest: rest}
	if query := c.query(l.Query); query != "" {
		call.Rest += "?" + query
	}
	call.Raw = !isJSON(call.Type)
	return call, true
}

// passes reports whether a path is one of those; parts of it that lead elsewhere
// are not.
func (c *client) passes(rest string) bool {
	for _, odd := range [...]string{"..", "//", "%2e", "%2E", "%25", "%5c", "%5C"} {
		if strings.Contains(rest, odd) {
			return false
		}
	}
	if !c.o.Slashes && (strings.Contains(rest, "%2f") || strings.Contains(rest, "%2F")) {
		return false
	}
	if strings.HasSuffix(rest, "/") {
		return false
	}
	for _, p := range c.o.Paths {
		after, ok := strings.CutPrefix(rest, p)
		if ok && (after == "" || after[0] == '/' || after[0] == ':') {
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

// Inspected lists the member that must not occur twice.
func (c *client) Inspected() *jsonx.Keys { return c.inspected }

// Facts reads the model, if there is one. What the path names counts.
func (p *client) Facts(c dialect.Call, doc *jsonx.Document) (llm.Facts, *llm.Error) {
	f := llm.Facts{Operation: c.Operation, Model: c.Model, Choices: 1}
	if c.Model != "" {
		return f, nil
	}
	if v, ok := doc.Get(kModel); ok {
		if v.Kind != jsonx.String {
			return f, dialect.Invalid("invalid_type", p.o.Member, "Invalid type for '"+p.o.Member+"': expected a string.")
		}
		name := jsonx.Interior(v.Raw(doc.Body()))
		f.Model = dialect.Plain(name, len(name))
		if p.o.Plain != nil {
			f.Model = p.o.Plain(f.Model)
		}
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

// Streams knows server-sent events: no other stream is looked into here.
func (p *provider) Streams(mediaType string) bool { return mediaType == sse.MediaType }

// Request puts the target's model in the place of the asked one, or where the
// target wants it.
func (s *same) Request(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, p *dialect.Patch) {
	name := p.Target.Model
	if name == "" || f.Model == "" {
		return
	}
	v, ok := doc.Get(kModel)
	if !ok && doc.Members() == 0 {
		s.form(e, f, doc, p.Target)
		return
	}
	if !ok && !s.wanted(f, p.Target) {
		return
	}
	if s.o.Full != nil {
		name = s.o.Full(p.Target)
	}
	if !ok || !jsonx.Equal(jsonx.Interior(v.Raw(doc.Body())), name) {
		e.SetMember(doc, kModel, s.o.Member, jsonx.Quote(nil, name))
	}
}

// wanted reports whether the target wants a model in the body where the client
// named it in the path.
func (s *same) wanted(f *llm.Facts, t *dialect.Target) bool {
	return s.o.InBody != nil && s.o.InBody(t, f.Rest)
}

// form does the same in a multipart body.
func (s *same) form(e *jsonx.Edits, f *llm.Facts, doc *jsonx.Document, t *dialect.Target) {
	at, err := field("multipart/form-data", doc.Body())
	switch {
	case err != nil:
	case at.Len() > 0 && string(doc.Body()[at.Start:at.End]) != t.Model:
		e.Replace(at, []byte(t.Model))
	case at.Len() == 0 && s.wanted(f, t):
		if boundary := bytes.Index(doc.Body(), crlf); boundary > 2 && bytes.HasPrefix(doc.Body(), dashes) {
			part := append(doc.Body()[:boundary:boundary], "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n"...)
			e.Insert(0, append(append(part, t.Model...), crlf...))
		}
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
