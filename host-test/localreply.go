package hosttest

import "strconv"

// localReply is an answer that the host or a filter makes itself.
type localReply struct {
	status  int
	body    []byte
	headers [][2]string
	details string
	grpc    int32
	flag    string // the access log's response flag
	module  bool   // a module made it
	page    bool   // the body is a page of the host
}

// Envoy's own answers (source/common/router/router.cc, source/common/http/filter_manager.cc).
func replyPayloadTooLarge() localReply {
	return localReply{status: 413, body: []byte("Payload Too Large"), details: "request_payload_too_large"}
}

func replyResponseTooLarge() localReply {
	return localReply{status: 500, body: []byte("Internal Server Error"), details: "response_payload_too_large"}
}

func replyTimeout(details string) localReply {
	return localReply{status: 504, body: []byte("upstream request timeout"), details: details, flag: "UT"}
}

func replyNoHealthyUpstream() localReply {
	return localReply{status: 503, body: []byte("no healthy upstream"), details: "no_healthy_upstream", flag: "UH"}
}

func replyUpstreamReset(reason ResetReason, started, retried bool) localReply {
	body := "upstream connect error or disconnect/reset before headers. "
	if retried {
		body += "retried and the latest "
	}
	body += "reset reason: " + string(reason)
	r := localReply{status: 503, body: []byte(body), details: "upstream_reset_before_response_started{" + reason.details() + "}", flag: resetFlag(reason)}
	if started {
		r.details = "upstream_reset_after_response_started{" + reason.details() + "}"
	}
	if reason == ProtocolError {
		r.status = 502
	}
	return r
}

// message is the reply's headers: filters' headers are added first, then the body's length and,
// unless given, type; without a body neither (source/common/http/utility.cc, prepareLocalReply).
func (r localReply) message() *Headers {
	h := newHeaders(r.headers, responseInline)
	h.Remove(":status")
	h.Add(":status", strconv.Itoa(r.status))
	if len(r.body) == 0 {
		h.Remove("content-length")
		h.Remove("content-type")
		return h
	}
	h.put("content-length", strconv.Itoa(len(r.body)))
	if !h.Has("content-type") {
		h.Add("content-type", "text/plain")
	}
	return h
}

func underscored(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c == ' ' {
			b[i] = '_'
		}
	}
	return string(b)
}
