package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"

	"github.com/posterngw/postern/filters/config"
)

// compiled is one policy and what reading it told.
type compiled struct {
	policy   *cedar.Policy
	mentions []cedar.EntityUID // entities that it names
	tokens   tokenReads
}

// compile reads one policy. Its errors carry the place in the text, as
// line:column, where Cedar knows it.
func compile(text string) (*compiled, error) {
	list, err := cedar.NewPolicyListFromBytes("", []byte(text))
	if err != nil {
		return nil, config.Problem("not a Cedar policy: "+readable(err), "see https://docs.cedarpolicy.com")
	}
	if len(list) != 1 {
		return nil, config.Problem("the text holds "+strconv.Itoa(len(list))+" policies", "give every policy an id of its own")
	}
	c := &compiled{policy: list[0]}
	r := reader{out: c}
	r.read((*ast.Policy)(list[0].AST()))
	return c, r.err
}

// readable shortens an error of Cedar's parser, which may quote the policy.
func readable(err error) string {
	const most = 200
	s := err.Error()
	for _, prefix := range []string{"parser error: ", "parse error at "} {
		s = strings.TrimPrefix(s, prefix)
	}
	s = strings.ReplaceAll(s, "<input>:", "at ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// The words that a policy may use, and no others.
var (
	principalTypes = []string{"Key", "User", "Application", "Anonymous", "Team", "Organisation", "Environment"}
	resourceTypes  = []string{"Target", "Model", "Provider", "Boundary", "Region"}
	actionTypes    = []string{"Action"}
	actions        = []string{Invoke, Embed, Override}
	attributes     = map[string][]string{
		"principal": {"organisation", "team", "application", "user", "environment", "key"},
		"action":    {},
		"resource":  {"name", "model", "provider", "boundary", "region"},
		"context":   {"stream", estimatedTokens, "environment"},
	}
)

const estimatedTokens = "estimated_tokens"

// reader walks over a policy once. The first error counts.
type reader struct {
	out *compiled
	err error
}

func (r *reader) fail(message, what string, known []string) {
	if r.err == nil {
		r.err = config.Problem(message, what+": "+strings.Join(known, ", "))
	}
}

func (r *reader) read(p *ast.Policy) {
	r.scope(p.Principal, principalTypes)
	r.scope(p.Action, actionTypes)
	r.scope(p.Resource, resourceTypes)
	for _, c := range p.Conditions {
		ast.Inspect(ast.NewNode(c.Body), r.node)
	}
}

func (r *reader) scope(s ast.IsScopeNode, types []string) {
	switch s := s.(type) {
	case ast.ScopeTypeEq:
		r.entity(s.Entity, types)
	case ast.ScopeTypeIn:
		r.entity(s.Entity, types)
	case ast.ScopeTypeInSet:
		for _, e := range s.Entities {
			r.entity(e, types)
		}
	case ast.ScopeTypeIs:
		r.entityType(string(s.Type), types)
	case ast.ScopeTypeIsIn:
		r.entityType(string(s.Type), types)
		r.entity(s.Entity, types)
	}
}

func (r *reader) entity(uid cedar.EntityUID, types []string) {
	r.entityType(string(uid.Type), types)
	if uid.Type == actionType && !slices.Contains(actions, string(uid.ID)) {
		r.fail("unknown action "+uid.String(), "actions", actions)
	}
	r.out.mentions = append(r.out.mentions, uid)
}

func (r *reader) entityType(t string, types []string) {
	if !slices.Contains(types, t) {
		r.fail("no "+t+" can stand here", "types", types)
	}
}

// node reads one node of a condition and says whether to go on below it.
func (r *reader) node(n ast.IsNode) bool {
	if b, ok := comparison(n); ok && r.out.tokens.compare(b) {
		return false
	}
	switch n := n.(type) {
	case ast.NodeTypeAccess:
		return r.attribute(n.StrOpNode, true)
	case ast.NodeTypeHas:
		return r.attribute(n.StrOpNode, false)
	case ast.NodeTypeVariable:
		if n.Name == "context" { // as a whole
			r.out.tokens.exact = true
		}
	case ast.NodeValue:
		if uid, ok := n.Value.(cedar.EntityUID); ok {
			r.entity(uid, anyType)
		}
	case ast.NodeTypeIs:
		r.entityType(string(n.EntityType), anyType)
	case ast.NodeTypeIsIn:
		r.entityType(string(n.EntityType), anyType)
	}
	return true
}

var anyType = append(append(append([]string(nil), principalTypes...), resourceTypes...), actionTypes...)

// attribute checks `variable.name` and `variable has name`. Only the former
// depends on a value: what the context has does not hang on the tokens.
func (r *reader) attribute(n ast.StrOpNode, access bool) bool {
	v, ok := n.Arg.(ast.NodeTypeVariable)
	if !ok {
		return true
	}
	variable, name := string(v.Name), string(n.Value)
	if known := attributes[variable]; !slices.Contains(known, name) {
		r.fail("no attribute "+strconv.Quote(name)+" in "+variable, "attributes", known)
	}
	if access && variable == "context" && name == estimatedTokens {
		r.out.tokens.exact = true
	}
	return false
}
