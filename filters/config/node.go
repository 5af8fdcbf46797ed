package config

// Kind says which of the six JSON values a Node is.
type Kind uint8

// The kinds of a Node.
const (
	KindNull Kind = iota
	KindBool
	KindNumber
	KindString
	KindList
	KindMap
)

// String names the kind as it appears in messages: "a string", "a list".
func (k Kind) String() string {
	switch k {
	case KindBool:
		return "a boolean"
	case KindNumber:
		return "a number"
	case KindString:
		return "a string"
	case KindList:
		return "a list"
	case KindMap:
		return "an object"
	default:
		return "null"
	}
}

// Node is one value of a parsed document with its place.
//
// Line and Column count from 1, columns in characters; both are 0 in a node
// that no document holds (a default).
type Node struct {
	Kind Kind
	// Text is the value of a string, the spelling of a number, and "true" or
	// "false"; it is empty otherwise.
	Text    string
	Members []Member // of KindMap, in file order
	Items   []*Node  // of KindList
	Line    int32
	Column  int32
}

// Member is one key of an object and its value.
type Member struct {
	Key       string
	KeyLine   int32
	KeyColumn int32
	Value     *Node
}

// Get returns the value of a key, or nil if n is no object or has no such key.
func (n *Node) Get(key string) *Node {
	if m := n.member(key); m != nil {
		return m.Value
	}
	return nil
}

func (n *Node) member(key string) *Member {
	if n == nil {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Key == key {
			return &n.Members[i]
		}
	}
	return nil
}
