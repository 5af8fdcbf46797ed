package hosttest

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"time"
)

// FilterState is what filters of a stream keep for each other and for the access log. Properties
// that modules set are there under "wasm." and their path.
type FilterState struct {
	values map[string]string
}

func newFilterState() *FilterState { return &FilterState{values: map[string]string{}} }

// Get reads a value: what set_property("postern.key", …) wrote is "wasm.postern.key".
func (s *FilterState) Get(key string) (string, bool) {
	v, ok := s.values[key]
	return v, ok
}

// Keys are the keys, sorted.
func (s *FilterState) Keys() []string { return sortedKeys(s.values) }

func (s *FilterState) clone() map[string]string {
	out := make(map[string]string, len(s.values))
	for k, v := range s.values {
		out[k] = v
	}
	return out
}

const statePrefix = "wasm."

func (c *calls) SetProperty(path string, value []byte) Status {
	if s, no := c.refused("set_property"); no {
		return s
	}
	ctx := c.context()
	if hook := ctx.plugin.rules.setProperty; hook != nil {
		return hook(ctx, path, value)
	}
	if ctx.filter == nil {
		return StatusNotFound
	}
	ctx.filter.chain.stream.state.values[statePrefix+path] = string(value)
	return StatusOK
}

func (c *calls) Property(path string) ([]byte, Status) {
	if s, no := c.refused("get_property"); no {
		return nil, s
	}
	ctx := c.context()
	if hook := ctx.plugin.rules.getProperty; hook != nil {
		return hook(ctx, path)
	}
	if path == "" {
		return nil, StatusSerializationFailure
	}
	v, ok := ctx.property(strings.TrimSuffix(path, "\x00"))
	if !ok {
		return nil, StatusNotFound
	}
	return serialize(v)
}

// property finds a value: configured ones first, then attributes, then filter state.
func (c *vmContext) property(path string) (any, bool) {
	dotted := strings.ReplaceAll(path, "\x00", ".")
	if v, ok := c.vm.host.cfg.Properties[dotted]; ok {
		return v, true
	}
	top, rest, nested := strings.Cut(path, "\x00")
	switch top {
	case "plugin_name":
		return c.plugin.Name, !nested
	case "plugin_root_id":
		return c.plugin.RootID, !nested
	case "plugin_vm_id":
		return c.plugin.VMID, !nested
	}
	if c.filter == nil {
		return nil, false
	}
	s := c.filter.chain.stream
	if v, ok := s.properties[dotted]; ok {
		return v, true
	}
	if v, ok := c.filter.attribute(top, rest); ok {
		return v, true
	}
	if nested {
		return nil, false
	}
	v, ok := s.state.values[statePrefix+top]
	return v, ok
}

// attribute is one of Envoy's attributes (docs: "Attributes").
func (f *httpFilter) attribute(top, rest string) (any, bool) {
	s := f.chain.stream
	switch top {
	case "request":
		return f.requestAttribute(rest)
	case "response":
		return f.responseAttribute(rest)
	case "connection", "source", "destination":
		return s.connectionAttribute(top + "." + rest)
	case "xds":
		return s.xdsAttribute(rest)
	case "upstream":
		return f.upstreamAttribute(rest)
	case "filter_state":
		if rest == "" {
			return whole, true
		}
		v, ok := s.state.values[rest]
		return v, ok
	case "upstream_filter_state":
		return whole, rest == ""
	case "metadata":
		return "", rest == "" // an empty message
	case "connection_id":
		return uint64(s.id), rest == ""
	}
	return nil, false
}

// whole is a map of attributes by itself: it exists and cannot be written down.
var whole = struct{}{}

func (s *Stream) connectionAttribute(name string) (any, bool) {
	switch name {
	case "connection.", "source.", "destination.":
		return whole, true
	case "connection.id":
		return uint64(s.id), true
	case "connection.mtls":
		return false, true
	case "connection.requested_server_name":
		return "", true
	case "source.address":
		return s.peer, true
	case "source.port":
		return port(s.peer)
	case "destination.address":
		return listenerAddress, true
	case "destination.port":
		return port(listenerAddress)
	}
	return nil, false
}

// listenerAddress is where the emulated proxy says that it listens.
const listenerAddress = "127.0.0.1:10000"

func port(address string) (any, bool) {
	n, err := strconv.ParseInt(address[strings.LastIndexByte(address, ':')+1:], 10, 64)
	return n, err == nil
}

// requestAttribute reads what can be known now: what comes from the headers only while the module
// may read these (Envoy: findValue).
func (f *httpFilter) requestAttribute(name string) (any, bool) {
	s, h := f.chain.stream, f.requestHeaders
	if f.logging != nil {
		h = f.logging.request
	}
	switch name {
	case "":
		return whole, true
	case "protocol":
		return s.protocol, true
	case "time":
		return s.start, true
	case "size":
		if n, err := strconv.ParseInt(h.Get("content-length"), 10, 64); err == nil {
			return n, true
		}
		return int64(s.requestBytes), true
	case "total_size":
		return int64(s.requestBytes + h.ByteSize()), true
	case "duration":
		return s.host.clock.Now().Sub(s.start), s.ended
	}
	if h == nil {
		return nil, false
	}
	return requestHeaderAttribute(h, name)
}

func requestHeaderAttribute(h *Headers, name string) (any, bool) {
	if header, ok := strings.CutPrefix(name, "headers\x00"); ok {
		return lookup(h, header)
	}
	switch name {
	case "path":
		return lookup(h, ":path")
	case "url_path":
		path, _, _ := strings.Cut(h.Get(":path"), "?")
		return path, h.Has(":path")
	case "query":
		_, query, _ := strings.Cut(h.Get(":path"), "?")
		return query, h.Has(":path")
	case "host":
		return lookup(h, ":authority")
	case "scheme":
		return lookup(h, ":scheme")
	case "method":
		return lookup(h, ":method")
	case "referer", "useragent", "id":
		return lookup(h, map[string]string{"referer": "referer", "useragent": "user-agent", "id": "x-request-id"}[name])
	case "headers":
		return h, true
	}
	return nil, false
}

func (f *httpFilter) responseAttribute(name string) (any, bool) {
	s, h := f.chain.stream, f.responseHeaders
	if f.logging != nil {
		h = f.logging.response
	}
	if header, ok := strings.CutPrefix(name, "headers\x00"); ok {
		return lookup(h, header)
	}
	switch name {
	case "":
		return whole, true
	case "code":
		return int64(s.code), s.code != 0
	case "code_details":
		return s.details, s.detailed
	case "flags":
		return s.flagBits(), true
	case "headers":
		return h, h != nil
	case "size":
		return int64(s.responseBytes), true
	case "total_size":
		return int64(s.responseBytes + h.ByteSize()), true
	case "grpc_status":
		return grpcStatus(h, s.code), h != nil
	case "backend_latency":
		return s.router.latency, s.router.latency > 0
	}
	return nil, false
}

// grpcStatus is what Envoy makes of an answer that is not gRPC: a status derived from HTTP's.
func grpcStatus(h *Headers, code int) int64 {
	if n, err := strconv.ParseInt(h.Get("grpc-status"), 10, 32); err == nil {
		return n
	}
	switch code {
	case 400:
		return 13
	case 401:
		return 16
	case 403:
		return 7
	case 404:
		return 12
	case 429, 502, 503, 504:
		return 14
	}
	return 2
}

func (s *Stream) flagBits() int64 {
	bits := uint64(0)
	for _, name := range s.flags {
		bits |= flagBits[name]
	}
	return int64(bits)
}

// flagBits are the bits of Envoy's CoreResponseFlag enumeration.
var flagBits = map[string]uint64{
	"UH": 1 << 1, "UT": 1 << 2, "LR": 1 << 3, "UR": 1 << 4, "UF": 1 << 5, "UC": 1 << 6, "UO": 1 << 7,
	"NR": 1 << 8, "DC": 1 << 14, "URX": 1 << 15, "DPE": 1 << 18, "UPE": 1 << 23, "NC": 1 << 24,
}

func (s *Stream) xdsAttribute(name string) (any, bool) {
	switch name {
	case "":
		return whole, true
	case "upstream_host_metadata":
		return whole, len(s.router.attempts) > 0
	case "cluster_metadata", "route_metadata", "virtual_host_name", "filter_chain_name", "node\x00id":
		return "", true
	case "cluster_name":
		return s.router.cluster, s.router.route != nil && s.router.cluster != ""
	case "route_name":
		if s.router.route != nil {
			return s.router.route.Name, true
		}
	}
	return nil, false
}

func (f *httpFilter) upstreamAttribute(name string) (any, bool) {
	s := f.chain.stream
	n := len(s.router.attempts)
	switch name {
	case "":
		return whole, true
	case "address":
		return fakeAddress(s.router.cluster), n > 0
	case "port":
		return int64(443), n > 0
	case "transport_failure_reason":
		return "", n > 0
	case "local_address":
		return "127.0.0.1:50001", n > 0
	case "locality\x00region", "locality\x00zone", "locality\x00sub_zone":
		return "", n > 0
	case "request_attempt_count":
		return uint64(n), true
	}
	return nil, false
}

// fakeAddress gives every cluster an address of its own, from a network that does not exist (RFC
// 5737). Config.Properties can give another.
func fakeAddress(cluster string) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(cluster))
	return "192.0.2." + strconv.Itoa(1+int(sum.Sum32()%254)) + ":443"
}

func lookup(h *Headers, name string) (any, bool) {
	v, ok := h.Lookup(name)
	return v, ok
}

// serialize writes a value as Envoy's host does: strings as they are, numbers as 8 bytes little
// endian, booleans as one byte, times and durations as nanoseconds, maps as pairs.
func serialize(v any) ([]byte, Status) {
	switch x := v.(type) {
	case string:
		return []byte(x), StatusOK
	case []byte:
		return x, StatusOK
	case bool:
		return []byte{byte(bit(x))}, StatusOK
	case int64:
		return number(uint64(x)), StatusOK
	case int:
		return number(uint64(x)), StatusOK
	case uint64:
		return number(x), StatusOK
	case float64:
		return number(math.Float64bits(x)), StatusOK
	case time.Time:
		return number(uint64(x.UnixNano())), StatusOK
	case time.Duration:
		return number(uint64(x)), StatusOK
	case *Headers:
		return EncodePairs(x.Pairs()), StatusOK
	case map[string]string:
		pairs := make([][2]string, 0, len(x))
		for _, k := range sortedKeys(x) {
			pairs = append(pairs, [2]string{k, x[k]})
		}
		return EncodePairs(pairs), StatusOK
	}
	return nil, StatusSerializationFailure
}

func number(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
