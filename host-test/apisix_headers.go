package hosttest

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// This file is header maps and nginx's variables on APISIX.

// nginxPart is how many entries a part of nginx's list of response headers holds.
const nginxPart = 20

// behindList are what nginx keeps beside its list of response headers; the length of an upstream's
// answer is in the list.
var behindList = [...]string{"content-type", "content-length", "connection", "transfer-encoding", ":status"}

// requestPseudo are the pseudo headers in their order, behind all others.
var requestPseudo = [...]string{":scheme", ":path", ":method", ":authority"}

// apisixPairs: pseudo headers come last. All request headers include :authority, which is a null
// pointer on a request without Host. Of more than 20 response headers the first are lost, and their
// places are empty: the copy loop forgets to go back to the first part of nginx's list.
func apisixPairs(f *httpFilter, h *Headers, m MapType) ([][2]string, Status) {
	switch m {
	case RequestHeaders:
		return apisixRequestPairs(f, h)
	case ResponseHeaders:
		return apisixResponsePairs(h, f != nil && f.chain.stream.page), StatusOK
	case HTTPCallResponseHeaders:
		if h.Len() == 0 {
			return nil, StatusNotFound
		}
		return plainFirst(h), StatusOK
	}
	return nil, StatusUnimplemented
}

func apisixRequestPairs(f *httpFilter, h *Headers) ([][2]string, Status) {
	if h == nil || f == nil {
		return nil, StatusBadArgument
	}
	if !h.Has(":authority") {
		f.ctx.vm.crash(errors.New("apisix: :authority read on a request without Host: the worker crashes"))
		return nil, StatusInternalFailure
	}
	pairs := [][2]string{{"host", h.Get(":authority")}}
	for _, p := range h.Pairs() {
		if !strings.HasPrefix(p[0], ":") {
			pairs = append(pairs, p)
		}
	}
	for _, name := range requestPseudo {
		pairs = append(pairs, [2]string{name, h.Get(name)})
	}
	return pairs, StatusOK
}

func apisixResponsePairs(h *Headers, page bool) [][2]string {
	var list, rest [][2]string
	for _, p := range h.Pairs() {
		if !slices.Contains(behindList[:], p[0]) || p[0] == "content-length" && !page {
			list = append(list, p)
		}
	}
	for _, name := range behindList {
		if v, ok := h.Lookup(name); ok && (page || name != "content-length") {
			rest = append(rest, [2]string{name, v})
		} else if name == "connection" {
			rest = append(rest, [2]string{name, "keep-alive"})
		}
	}
	lost := 0
	if n := len(list); n > nginxPart {
		lost = (n - 1) / nginxPart * nginxPart
	}
	return append(append(list[lost:], rest...), make([][2]string, lost)...)
}

// plainFirst are the pairs with pseudo headers last.
func plainFirst(h *Headers) [][2]string {
	var plain, pseudo [][2]string
	for _, p := range h.Pairs() {
		if strings.HasPrefix(p[0], ":") {
			pseudo = append(pseudo, p)
		} else {
			plain = append(plain, p)
		}
	}
	return append(plain, pseudo...)
}

// apisixReadHeader: reading :authority of a request without Host is a null pointer; host is a header
// like any other.
func apisixReadHeader(f *httpFilter, h *Headers, m MapType, name string) Status {
	switch {
	case m == RequestTrailers || m == ResponseTrailers:
		return StatusUnimplemented
	case m == HTTPCallResponseHeaders && h.Len() == 0:
		return StatusNotFound
	case m == RequestHeaders && f != nil && h != nil && strings.EqualFold(name, ":authority") && !h.Has(":authority"):
		f.ctx.vm.crash(errors.New("apisix: :authority read on a request without Host: the worker crashes"))
		return StatusInternalFailure
	}
	return StatusOK
}

// apisixWriteHeader: pseudo headers cannot be removed, and the scheme, being no pseudo header that can
// be set, becomes a header; :authority is taken for the method, which has letters only; :path is the
// path without the query, and encoded on its way to the upstream.
func apisixWriteHeader(f *httpFilter, h *Headers, m MapType, name, value string) (bool, Status) {
	if m != RequestHeaders && m != ResponseHeaders {
		return true, StatusUnimplemented
	}
	name = strings.ToLower(name)
	if !strings.HasPrefix(name, ":") {
		return false, StatusOK
	}
	switch {
	case value == "":
		return true, StatusBadArgument
	case m == ResponseHeaders:
		return false, StatusOK
	case name == ":path":
		f.chain.stream.uri = value
	case name != ":method" && name != ":authority":
		h.Set("%3a"+name[1:], value)
	case strings.ContainsFunc(value, notLetter):
		return true, StatusBadArgument
	default:
		h.Set(":method", value)
	}
	return true, StatusOK
}

func notLetter(r rune) bool { return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }

// apisixSetProperty: properties are nginx variables, and only declared ones can be set.
func apisixSetProperty(c *vmContext, path string, value []byte) Status {
	if c.filter == nil || c.filter.destroyed {
		return StatusBadArgument
	}
	s := c.filter.chain.stream
	name := strings.ToLower(path)
	if !slices.Contains(apisixDeclared, name) && !slices.Contains(s.host.cfg.Declared, name) {
		return StatusNotFound
	}
	s.state.values[name] = string(value)
	return StatusOK
}

func apisixGetProperty(c *vmContext, path string) ([]byte, Status) {
	if path == "plugin_root_id" {
		return []byte(c.plugin.Name), StatusOK
	}
	if c.filter == nil || c.filter.destroyed {
		return nil, StatusBadArgument
	}
	s := c.filter.chain.stream
	name := strings.ToLower(path)
	if v, ok := s.properties[name]; ok {
		return serialize(v)
	}
	if v, ok := s.state.values[name]; ok {
		return []byte(v), StatusOK
	}
	if v, ok := s.nginxVariable(name); ok {
		return []byte(v), StatusOK
	}
	if slices.Contains(apisixDeclared, name) || slices.Contains(s.host.cfg.Declared, name) {
		return nil, StatusOK // declared and empty
	}
	return nil, StatusNotFound
}

// nginxVariable is one of nginx's own variables.
func (s *Stream) nginxVariable(name string) (string, bool) {
	h := s.requestHeaders
	path, args, _ := strings.Cut(h.Get(":path"), "?")
	switch name {
	case "request_method":
		return h.Get(":method"), true
	case "request_uri":
		return h.Get(":path"), true
	case "uri":
		if s.uri != "" {
			return s.uri, true
		}
		return path, true
	case "args":
		return args, true
	case "remote_addr":
		ip, _, _ := net.SplitHostPort(s.peer)
		return ip, true
	case "host", "http_host", "upstream_host":
		return h.Lookup(":authority")
	case "scheme":
		return h.Get(":scheme"), true
	case "status":
		return s.responseHeaders.Lookup(":status")
	}
	if header, ok := strings.CutPrefix(name, "http_"); ok {
		return h.Lookup(strings.ReplaceAll(header, "_", "-"))
	}
	if header, ok := strings.CutPrefix(name, "sent_http_"); ok {
		return s.responseHeaders.Lookup(strings.ReplaceAll(header, "_", "-"))
	}
	return "", false
}

// apisixEgress: a request is routed by variables. A body that was read for the module is sent with
// its length, however it came.
func apisixEgress(a *Attempt, h *Headers) {
	s := a.stream
	path := s.state.values["upstream_uri"]
	if path == "" && s.uri != "" {
		path = (&url.URL{Path: s.uri}).EscapedPath()
		if _, args, _ := strings.Cut(h.Get(":path"), "?"); args != "" {
			path += "?" + args
		}
	}
	if path != "" {
		h.Set(":path", path)
	}
	if host := s.state.values["upstream_host"]; host != "" {
		h.Set(":authority", host)
	}
	if body := s.chain.dec.buffered; body.len() > 0 && h.Remove("transfer-encoding") > 0 {
		h.Add("content-length", strconv.Itoa(body.len()))
	}
}

// apisixSmuggled: without content-length the body is written bare, and is the next request.
func apisixSmuggled(h *Headers, body string) string {
	if !h.Has("content-length") && !h.Has("transfer-encoding") {
		return body
	}
	return envoySmuggled(h, body)
}
