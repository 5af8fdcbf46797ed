package policy

import (
	"slices"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// tokenReads is how policies read context.estimated_tokens: by comparing it
// with constants, or in a way that may tell any two numbers apart.
type tokenReads struct {
	cuts  []int64
	exact bool
}

// compare notes a comparison of the estimated tokens with a constant. False if
// b is not that.
func (r *tokenReads) compare(b ast.BinaryNode) bool {
	value, other := b.Left, b.Right
	if !isTokens(value) {
		value, other = other, value
	}
	constant, ok := other.(ast.NodeValue)
	if !ok || !isTokens(value) {
		return false
	}
	cut, ok := constant.Value.(cedar.Long)
	if ok {
		r.cuts = append(r.cuts, int64(cut))
	}
	return ok
}

func isTokens(n ast.IsNode) bool {
	access, ok := n.(ast.NodeTypeAccess)
	if !ok || access.Value != estimatedTokens {
		return false
	}
	v, ok := access.Arg.(ast.NodeTypeVariable)
	return ok && v.Name == "context"
}

func comparison(n ast.IsNode) (ast.BinaryNode, bool) {
	switch n := n.(type) {
	case ast.NodeTypeLessThan:
		return n.BinaryNode, true
	case ast.NodeTypeLessThanOrEqual:
		return n.BinaryNode, true
	case ast.NodeTypeGreaterThan:
		return n.BinaryNode, true
	case ast.NodeTypeGreaterThanOrEqual:
		return n.BinaryNode, true
	case ast.NodeTypeEquals:
		return n.BinaryNode, true
	case ast.NodeTypeNotEquals:
		return n.BinaryNode, true
	}
	return ast.BinaryNode{}, false
}

// add takes what another policy reads.
func (r *tokenReads) add(other tokenReads) {
	r.cuts = append(r.cuts, other.cuts...)
	r.exact = r.exact || other.exact
}

// finish sorts the cuts, each once, by insertion: it is the only sort of int64
// in the module, and slices.Sort is 20 KB for each type.
func (r *tokenReads) finish() {
	var sorted []int64
	for _, cut := range r.cuts {
		i, on := slices.BinarySearch(sorted, cut)
		if on {
			continue
		}
		sorted = append(sorted, 0)
		copy(sorted[i+1:], sorted[i:])
		sorted[i] = cut
	}
	r.cuts = sorted
}

// bucket gives two numbers the same value only if no policy tells them apart:
// 2i+1 is cut i itself, 2i lies just before it.
func (r *tokenReads) bucket(tokens int64) int64 {
	if r.exact {
		return tokens
	}
	i, on := slices.BinarySearch(r.cuts, tokens)
	if on {
		return int64(2*i + 1)
	}
	return int64(2 * i)
}
