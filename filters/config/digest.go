package config

import (
	"sort"
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/sha256"
)

// Digest is the version of a configuration: 16 hexadecimal characters of the
// SHA-256 of its meaning. White space, the order of keys and the spelling of
// texts and numbers do not change it, since a host may rewrite those on the
// way (Istio sorts the keys of a WasmPlugin and respells its numbers). Nil
// reads as null.
func Digest(n *Node) string {
	d := digester{hash: sha256.New()}
	d.node(n)
	d.flush()
	var text []byte
	for _, b := range d.hash.Sum(nil)[:8] {
		text = append(text, hexDigits[b>>4], hexDigits[b&15])
	}
	return string(text)
}

// digester hashes a document as compact JSON with sorted keys, a piece at a
// time, so that it holds no second copy of the document.
type digester struct {
	hash *sha256.Hash
	buf  []byte
}

const digestPiece = 4096

func (d *digester) flush() {
	_, _ = d.hash.Write(d.buf) // a *sha256.Hash never returns an error
	d.buf = d.buf[:0]
}

func (d *digester) node(n *Node) {
	if len(d.buf) > digestPiece {
		d.flush()
	}
	switch {
	case n == nil:
		d.buf = append(d.buf, "null"...)
	case n.Kind == KindNumber:
		d.buf = append(d.buf, normalNumber(n.Text)...)
	case n.Kind == KindMap:
		d.members(n)
	case n.Kind == KindList:
		d.buf = append(d.buf, '[')
		for i, item := range n.Items {
			d.buf = comma(d.buf, i)
			d.node(item)
		}
		d.buf = append(d.buf, ']')
	default:
		d.buf = AppendJSON(d.buf, n)
	}
}

func (d *digester) members(n *Node) {
	sorted := make([]*Member, len(n.Members))
	for i := range n.Members {
		sorted[i] = &n.Members[i]
	}
	sort.Sort(byKey(sorted))
	d.buf = append(d.buf, '{')
	for i, m := range sorted {
		d.buf = append(AppendQuoted(comma(d.buf, i), m.Key), ':')
		d.node(m.Value)
	}
	d.buf = append(d.buf, '}')
}

// byKey sorts members. It is for sort.Sort, which is linked once for all types.
type byKey []*Member

func (m byKey) Len() int           { return len(m) }
func (m byKey) Less(i, j int) bool { return m[i].Key < m[j].Key }
func (m byKey) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }

// normalNumber spells a number as digits if it is a whole one that float64
// holds exactly or that was spelled so, and otherwise as the nearest float64.
func normalNumber(s string) string {
	if !strings.ContainsAny(s, ".eE") && s != "-0" {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	const exact = 1 << 53
	if -exact < f && f < exact && f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
