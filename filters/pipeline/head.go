package pipeline

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/dialect"
)

// head is what one reading of the request's headers told.
type head struct {
	pairs    [][2]string
	method   string
	path     string // without the query
	encoding string // content-encoding, unless identity
	length   int    // content-length; -1 when absent or unreadable
	bytes    int
	id       string
	trace    string
	token    string   // the header that carried the client's key
	strip    []string // headers of ours and of the host that the client sent
}

// reserved are the prefixes of names that mean something to Postern or to the
// host: a client's and a provider's are never obeyed.
const (
	ownPrefix  = "x-postern-"
	hostPrefix = "x-envoy-"
)

// credentials are headers that carry keys in some dialect, or for some proxy:
// none of a client's reaches a provider.
var credentials = [...]string{"authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie"}

func (h *head) read(pairs [][2]string) {
	*h = head{pairs: pairs, length: -1}
	for i := range pairs {
		h.bytes += len(pairs[i][0]) + len(pairs[i][1])
		h.note(pairs[i][0], pairs[i][1])
	}
}

func (h *head) note(name, value string) {
	switch name {
	case ":method":
		h.method = value
	case ":path":
		h.path, _, _ = strings.Cut(value, "?")
	case "content-length":
		if n, err := strconv.Atoi(value); err == nil && n >= 0 {
			h.length = n
		}
	case "content-encoding":
		if value != "identity" {
			h.encoding = strings.ToLower(value)
		}
	case "x-request-id":
		h.id = bounded(value, 128)
	case "traceparent":
		h.trace = bounded(value, 128)
	case "accept-encoding", "te":
		h.strip = append(h.strip, name)
	default:
		if isReserved(name) || isCredential(name) {
			h.strip = append(h.strip, name)
		}
	}
}

func isReserved(name string) bool {
	return strings.HasPrefix(name, "x-") && (strings.HasPrefix(name, ownPrefix) || strings.HasPrefix(name, hostPrefix))
}

func isCredential(name string) bool {
	for _, c := range credentials {
		if name == c {
			return true
		}
	}
	return false
}

// get looks a header up; empty when it is absent.
func (h *head) get(name string) string {
	for i := range h.pairs {
		if h.pairs[i][0] == name {
			return h.pairs[i][1]
		}
	}
	return ""
}

// clean removes what neither the host nor a provider may see. Answers are asked
// for uncompressed: usage is read from them.
func (h *head) clean(s Stream) {
	for _, name := range h.strip {
		s.RemoveHeader(Request, name)
	}
}

// bounded cuts a client's text that ends up in records.
func bounded(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// recognise finds the client dialect that a request line belongs to.
func (m *Module) recognise(h *head) (*dialect.Dialect, dialect.Call) {
	for _, d := range m.dialects {
		if d.Client == nil {
			continue
		}
		if call, ok := d.Client.Recognise(h.method, h.path); ok {
			return d, call
		}
	}
	return nil, dialect.Call{}
}

// fallback is the dialect for errors on paths that none knows.
func (m *Module) fallback() *dialect.Dialect {
	for _, d := range m.dialects {
		if d.Client != nil {
			return d
		}
	}
	return nil
}
