package hosttest

import "strings"

// Headers is an ordered header map with lower-case names, pseudo headers first, as Envoy keeps it.
// It is not safe for concurrent use.
type Headers struct {
	list   [][2]string
	inline inline // of any message when nil
}

// NewHeaders makes a map of pairs, lowering names; the pairs are copied.
func NewHeaders(pairs [][2]string) *Headers { return newHeaders(pairs, anyInline) }

func newHeaders(pairs [][2]string, single inline) *Headers {
	h := &Headers{list: make([][2]string, 0, len(pairs)+4), inline: single}
	for _, p := range pairs {
		h.Add(p[0], p[1])
	}
	return h
}

// Clone copies the map.
func (h *Headers) Clone() *Headers {
	if h == nil {
		return nil
	}
	return &Headers{list: append(make([][2]string, 0, len(h.list)+4), h.list...), inline: h.inline}
}

// Len is the number of entries; 0 for nil.
func (h *Headers) Len() int {
	if h == nil {
		return 0
	}
	return len(h.list)
}

// ByteSize is the sum of all names and values.
func (h *Headers) ByteSize() int {
	n := 0
	for _, p := range h.Pairs() {
		n += len(p[0]) + len(p[1])
	}
	return n
}

// Pairs are the entries in order. The slice is the map's own: read it only, and not after a change.
func (h *Headers) Pairs() [][2]string {
	if h == nil {
		return nil
	}
	return h.list
}

// Lookup is the first value of a name and whether there is one.
func (h *Headers) Lookup(name string) (string, bool) {
	if i := h.index(name); i >= 0 {
		return h.list[i][1], true
	}
	return "", false
}

// Get is the first value of a name, or "".
func (h *Headers) Get(name string) string {
	v, _ := h.Lookup(name)
	return v
}

// Has says whether the name is present.
func (h *Headers) Has(name string) bool { return h.index(name) >= 0 }

// Values are all values of a name, in order.
func (h *Headers) Values(name string) []string {
	var out []string
	name = strings.ToLower(name)
	for _, p := range h.Pairs() {
		if p[0] == name {
			out = append(out, p[1])
		}
	}
	return out
}

// Add appends an entry. A name that hosts keep only once (pseudo headers, content-length, …) gets
// its values joined by a comma, as Envoy's inline headers do.
func (h *Headers) Add(name, value string) {
	name = strings.ToLower(name)
	single := h.inline
	if single == nil {
		single = anyInline
	}
	if single[name] {
		if i := h.index(name); i >= 0 {
			h.list[i][1] = joinInline(name, h.list[i][1], value)
			return
		}
	}
	if strings.HasPrefix(name, ":") {
		h.insertPseudo(name, value)
		return
	}
	h.list = append(h.list, [2]string{name, value})
}

// Set replaces every entry of the name by one at the end, of the pseudo headers for one of those
// (Envoy: remove, then add).
func (h *Headers) Set(name, value string) {
	h.Remove(name)
	h.Add(name, value)
}

// put sets a header where it stands, as Envoy's own code does with its inline headers.
func (h *Headers) put(name, value string) {
	if i := h.index(name); i >= 0 {
		h.list[i][1] = value
		return
	}
	h.Add(name, value)
}

// Remove deletes every entry of the name and says how many there were.
func (h *Headers) Remove(name string) int {
	name = strings.ToLower(name)
	kept := h.list[:0]
	for _, p := range h.list {
		if p[0] != name {
			kept = append(kept, p)
		}
	}
	removed := len(h.list) - len(kept)
	h.list = kept
	return removed
}

func (h *Headers) clear() { h.list = h.list[:0] }

func (h *Headers) index(name string) int {
	if h == nil {
		return -1
	}
	name = strings.ToLower(name)
	for i := range h.list {
		if h.list[i][0] == name {
			return i
		}
	}
	return -1
}

func (h *Headers) insertPseudo(name, value string) {
	at := 0
	for at < len(h.list) && strings.HasPrefix(h.list[at][0], ":") {
		at++
	}
	h.list = append(h.list, [2]string{})
	copy(h.list[at+1:], h.list[at:])
	h.list[at] = [2]string{name, value}
}

// inline are names for which Envoy's header maps hold one entry, so that adding joins instead of
// appending. Which names these are differs between requests and answers; both lists were recorded.
type inline map[string]bool

func inlineOf(names string) inline {
	m := inline{}
	for _, n := range strings.Fields(names) {
		m[n] = true
	}
	return m
}

var (
	anyInline = inlineOf(":authority :method :path :scheme :status :protocol connection content-length content-type " +
		"transfer-encoding via date server upgrade keep-alive proxy-connection grpc-status grpc-message x-request-id")

	requestInline = inlineOf(":authority :method :path :scheme :protocol connection content-length content-type " +
		"transfer-encoding via upgrade keep-alive proxy-connection x-request-id te user-agent expect grpc-timeout " +
		"accept accept-encoding authorization cache-control content-encoding origin pragma referer " +
		"if-match if-none-match if-modified-since if-unmodified-since if-range " +
		"access-control-request-method access-control-request-headers " +
		"x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-client-cert " +
		"x-envoy-attempt-count x-envoy-max-retries x-envoy-retry-on x-envoy-internal x-envoy-expected-rq-timeout-ms " +
		"x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-ms")

	responseInline = inlineOf(":status connection content-length content-type transfer-encoding via upgrade keep-alive " +
		"proxy-connection date server grpc-status grpc-message cache-control content-encoding etag expires " +
		"last-modified location vary access-control-allow-origin access-control-allow-headers " +
		"access-control-allow-methods access-control-allow-credentials access-control-expose-headers " +
		"access-control-max-age x-request-id x-envoy-attempt-count x-envoy-ratelimited x-envoy-upstream-service-time")
)

// requestName is the name under which a request has a header: host is :authority.
func requestName(name string) string {
	if len(name) == 4 && strings.EqualFold(name, "host") {
		return ":authority"
	}
	return name
}

func joinInline(_, old, value string) string {
	if old == "" {
		return value
	}
	return old + "," + value
}
