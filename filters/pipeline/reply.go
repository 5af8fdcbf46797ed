package pipeline

import (
	"strconv"
	"time"

	"github.com/posterngw/postern/filters/llm"
)

// reply answers the client here and now; once per request.
func (c *clientStage) reply(status int, body []byte, after time.Duration, more ...[2]string) outcome {
	if !c.r.advance(replied) {
		return answer
	}
	c.r.status, c.r.bytesOut = status, len(body)
	c.r.told.Write(body)
	c.r.release()
	c.s.Reply(status, append(c.r.answerHeaders(after), more...), body, "postern")
	return answer
}

// instead answers in place of an answer that cannot carry the error. It may be
// called in any stream's callback.
func (c *clientStage) instead(e *llm.Error) Action {
	c.s.Activate()
	var origin [][2]string
	c.r.origin(func(name, value string) { origin = append(origin, [2]string{name, value}) })
	c.r.err = e
	return c.reply(e.Status, c.r.api.Client.AppendError(nil, e, c.r.id), e.After, origin...).action()
}

// overruled notes that the host has answered by itself, past the filters, in place
// of an answer that broke off before the client had any of it.
func (c *clientStage) overruled() {
	code, _ := c.s.Property("response", "code") // 64 bits, little-endian
	if len(code) == 8 && c.r.advance(replied) {
		c.r.status = int(code[0]) | int(code[1])<<8
		c.r.err = c.r.exhausted(hostReply(strconv.Itoa(c.r.status)))
	}
}

// answerHeaders are those of an answer that is made here: an error may say how
// long to wait, in the header that the client's API has for it as well.
func (r *request) answerHeaders(after time.Duration) [][2]string {
	h := plainHeaders()
	if after > 0 {
		if r.api.Pause != "" {
			h = append(h, [2]string{r.api.Pause, strconv.FormatInt(after.Milliseconds(), 10)})
		}
		seconds := int((after + time.Second - 1) / time.Second)
		h = append(h, [2]string{"retry-after", strconv.Itoa(seconds)})
	}
	return h
}

func plainHeaders() [][2]string { return [][2]string{{"content-type", "application/json"}} }

// translateHostReply turns an answer that no attempt let through into an error
// in the client's dialect: one that the host made (413, 503, 504), or a
// provider's answer that was marked for the next target when the host then did
// not go there, or that has no body whose place the error could take.
func (c *clientStage) translateHostReply(end bool) Action {
	e := c.hostReply()
	c.r.advance(replied)
	c.r.release()
	c.r.err, c.r.status = e, e.Status
	c.replaced = c.r.api.Client.AppendError(nil, e, c.r.id)
	c.replacing = true
	c.r.bytesOut = len(c.replaced)
	c.r.told.Write(c.replaced)
	if a := c.r.current(); end || a != nil && a.bare {
		// No body comes whose place ours could take: the whole answer must be ours.
		headers := c.r.answerHeaders(e.After)
		c.r.origin(func(name, value string) { headers = append(headers, [2]string{name, value}) })
		c.s.Reply(e.Status, headers, c.replaced, "postern")
		return Pause
	}
	c.s.RemoveHeader(Response, retryMark)
	c.s.RemoveHeader(Response, "content-encoding")
	c.s.SetHeader(Response, ":status", strconv.Itoa(e.Status))
	for _, h := range c.r.answerHeaders(e.After) {
		c.s.SetHeader(Response, h[0], h[1])
	}
	c.r.origin(func(name, value string) { c.s.SetHeader(Response, name, value) })
	c.s.SetHeader(Response, "content-length", strconv.Itoa(len(c.replaced)))
	return Continue
}

func (c *clientStage) hostReply() *llm.Error {
	a := c.r.current()
	switch {
	case c.r.err != nil: // a provider stage refused
		return c.r.err
	case a != nil && a.marked:
		return c.r.exhausted(a.err)
	}
	status, _ := c.s.Header(Response, ":status")
	if a == nil && c.unstaged() {
		return c.m.missing("a provider answered that the request was not sent to by a provider stage")
	}
	if status == "500" && a != nil && a.status != 0 {
		return tooLarge() // the host could not hold it: it came faster than it was counted
	}
	return c.r.exhausted(hostReply(status))
}

// unstaged reports whether an answer is a provider's although no attempt was made:
// the request left by a cluster without a provider stage.
func (c *clientStage) unstaged() bool {
	by, ok := c.s.Property("response", "code_details")
	return ok && by == "via_upstream" && c.way.mode() == Native
}

// hostReply is the error behind an answer that the host made by itself.
func hostReply(text string) *llm.Error {
	status, _ := strconv.Atoi(text)
	e := &llm.Error{Class: llm.ProviderError, Source: llm.FromHost, Status: status, Code: "upstream_unavailable",
		Message: "no provider could be reached"}
	switch status {
	case 413:
		e.Class, e.Code, e.Message = llm.ClientError, "request_too_large", "the request's body is larger than the gateway takes"
	case 408, 504:
		e.Class, e.Code, e.Message = llm.TimeoutError, upstreamTimeout, "the provider did not answer in time"
	case 503:
	default:
		if status < 500 {
			e.Class, e.Code, e.Message = llm.ClientError, "refused_by_host", "the gateway refused this request"
		}
	}
	return e
}
