package pipeline

import (
	"strconv"
	"strings"

	"github.com/posterngw/postern/filters/credential"
	"github.com/posterngw/postern/filters/dialect"
	"github.com/posterngw/postern/filters/limits"
)

// head is what one reading of the request's headers told.
type head struct {
	pairs    headers
	method   string
	path     string // without the query
	query    string
	encoding string // content-encoding, unless identity
	length   int    // content-length; -1 when absent
	unclear  bool   // content-length cannot be read, or is there twice and differs
	upgrade  bool   // a WebSocket is asked for
	own      bool   // a header of Postern's own is there
	plain    bool   // content-type is not JSON's
	kind     string // content-type as it came
	bytes    int
	id       string
	trace    string
	ownKeys  string   // for providers
	strip    []string // headers of ours and of the host that the client sent
}

// reserved are the prefixes of names that mean something to Postern or to the
// host: a client's and a provider's are never obeyed.
const (
	ownPrefix  = "x-postern-"
	hostPrefix = "x-envoy-"
)

func (h *head) read(pairs [][2]string) {
	*h = head{pairs: pairs, length: -1, plain: true}
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
		h.path, h.query, _ = strings.Cut(value, "?")
	case "content-length":
		n, err := strconv.ParseUint(value, 10, 62)
		h.unclear = h.unclear || err != nil || h.length >= 0 && h.length != int(n)
		h.length = int(n)
	case "content-type":
		h.kind, h.plain = value, !isJSON(value)
	case "content-encoding":
		h.coded(value)
	case "upgrade":
		h.upgrade = h.upgrade || strings.EqualFold(value, "websocket")
	case "x-request-id":
		h.id = limits.Cut(value, 128)
	case "traceparent":
		h.trace = limits.Cut(value, 128)
	case credential.OwnHeader:
		h.ownKeys = strings.Trim(h.ownKeys+","+value, ",")
		h.strip = append(h.strip, name)
	case "accept-encoding", "te", "x-amz-content-sha256":
		h.strip = append(h.strip, name)
	default:
		if h.own = h.own || strings.HasPrefix(name, ownPrefix); isReserved(name) || isCredential(name) {
			h.strip = append(h.strip, name)
		}
	}
}

// coded adds content codings (RFC 9110, section 8.4). Of several the list is
// kept, which no decoder knows.
func (h *head) coded(value string) {
	for more := true; more; {
		var coding string
		coding, value, more = strings.Cut(value, ",")
		switch coding = strings.ToLower(strings.TrimSpace(coding)); {
		case coding == "" || coding == "identity":
		case h.encoding != "":
			h.encoding += "," + coding
		case coding == "x-gzip":
			h.encoding = "gzip"
		default:
			h.encoding = coding
		}
	}
}

// isJSON reports whether a content type is JSON's own.
func isJSON(value string) bool {
	kind, _, _ := strings.Cut(value, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

func isReserved(name string) bool {
	return strings.HasPrefix(name, "x-") && (strings.HasPrefix(name, ownPrefix) || strings.HasPrefix(name, hostPrefix))
}

// isCredential knows the headers that carry keys in some dialect, or for some proxy, or
// that choose whose account pays for what a key does, or by which a proxy (APISIX's
// key-auth) names the consumer whose key it was: none reaches a provider.
func isCredential(name string) bool {
	switch name {
	case "authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie",
		"x-amz-security-token", "openai-organization", "openai-project", "x-goog-user-project",
		"apikey", "x-consumer-username", "x-consumer-custom-id", "x-credential-identifier":
		return true
	}
	return false
}

// headers are the names and values of one side, as one reading gave them.
type headers [][2]string

// get looks a header up; empty when it is absent.
func (hs headers) get(name string) string {
	for i := range hs {
		if hs[i][0] == name {
			return hs[i][1]
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

// line is what dialects see of the head.
func (h *head) line() *dialect.Line {
	return &dialect.Line{Method: h.method, Path: h.path, Query: h.query, Header: h.pairs.get}
}

// fallback is the API for errors on paths that none knows.
func (m *Module) fallback() (*dialect.Dialect, *dialect.API) {
	for _, d := range m.dialects {
		for _, a := range d.APIs {
			if a.Client != nil {
				return d, a
			}
		}
	}
	return nil, nil
}
