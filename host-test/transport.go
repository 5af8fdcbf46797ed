package hosttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// This file carries attempts and callouts to real providers.

// NewCluster makes a RoundTripper that sends every request to one address, whatever the request's
// host: base gives scheme and address. The transport must not decompress (DisableCompression).
func NewCluster(base *url.URL, transport http.RoundTripper) http.RoundTripper {
	return &addressed{scheme: base.Scheme, host: base.Host, next: transport}
}

type addressed struct {
	scheme, host string
	next         http.RoundTripper
}

func (a *addressed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	r.URL.Scheme, r.URL.Host = a.scheme, a.host
	return a.next.RoundTrip(r)
}

// hopByHop are headers that belong to a connection, not to a message.
var hopByHop = map[string]bool{
	"connection": true, "keep-alive": true, "proxy-connection": true, "transfer-encoding": true,
	"upgrade": true, "te": true, "trailer": true,
}

// outgoing makes an HTTP request of a header map.
func outgoing(ctx context.Context, h *Headers, body io.ReadCloser) *http.Request {
	u, err := url.ParseRequestURI(h.Get(":path"))
	if err != nil {
		u = &url.URL{Opaque: h.Get(":path")}
	}
	u.Scheme, u.Host = h.Get(":scheme"), h.Get(":authority")
	if u.Scheme == "" {
		u.Scheme = "http"
	}
	r := &http.Request{
		Method: h.Get(":method"), URL: u, Host: h.Get(":authority"), Body: body,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, ContentLength: -1,
	}
	for _, p := range h.Pairs() {
		switch {
		case strings.HasPrefix(p[0], ":"), hopByHop[p[0]]:
		case p[0] == "content-length":
			if n, err := strconv.ParseInt(p[1], 10, 64); err == nil {
				r.ContentLength = n
			}
		default:
			r.Header.Add(p[0], p[1])
		}
	}
	if !h.Has("user-agent") {
		r.Header["User-Agent"] = nil // none, instead of Go's
	}
	if body == http.NoBody {
		r.ContentLength = 0
	}
	return r.WithContext(ctx)
}

// incoming makes pairs of an HTTP answer's headers, :status first.
func incoming(r *http.Response) [][2]string {
	pairs := make([][2]string, 0, len(r.Header)+2)
	pairs = append(pairs, [2]string{":status", strconv.Itoa(r.StatusCode)})
	for _, name := range sortedKeys(r.Header) {
		lower := strings.ToLower(name)
		if hopByHop[lower] {
			continue
		}
		for _, v := range r.Header[name] {
			pairs = append(pairs, [2]string{lower, v})
		}
	}
	if r.ContentLength >= 0 && r.Header.Get("Content-Length") == "" && r.Body != http.NoBody {
		pairs = append(pairs, [2]string{"content-length", strconv.FormatInt(r.ContentLength, 10)})
	}
	return pairs
}

func trailerPairs(t http.Header) [][2]string {
	var pairs [][2]string
	for _, name := range sortedKeys(t) {
		for _, v := range t[name] {
			pairs = append(pairs, [2]string{strings.ToLower(name), v})
		}
	}
	return pairs
}

// resetReason says in Envoy's words how an attempt failed.
func resetReason(err error) ResetReason {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return ConnectFailure
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ConnectionClosed
	case strings.Contains(err.Error(), "REFUSED_STREAM"):
		return RefusedStream
	}
	return RemoteReset
}

// queueBody is a request body that is written by a worker, which must not block, and read by a
// transport.
type queueBody struct {
	mu     sync.Mutex
	cond   sync.Cond
	chunks [][]byte
	size   int
	err    error // io.EOF at the end
	drain  func()
}

func newQueueBody(drain func()) *queueBody {
	q := &queueBody{drain: drain}
	q.cond.L = &q.mu
	return q
}

func (q *queueBody) write(b []byte, eos bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return
	}
	if len(b) > 0 {
		q.chunks = append(q.chunks, b)
		q.size += len(b)
	}
	if eos {
		q.err = io.EOF
	}
	q.cond.Broadcast()
}

func (q *queueBody) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.cond.Broadcast()
}

func (q *queueBody) pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size
}

func (q *queueBody) Read(p []byte) (int, error) {
	q.mu.Lock()
	for len(q.chunks) == 0 && q.err == nil {
		q.cond.Wait()
	}
	if len(q.chunks) == 0 {
		defer q.mu.Unlock()
		return 0, q.err
	}
	n := copy(p, q.chunks[0])
	q.chunks[0] = q.chunks[0][n:]
	if len(q.chunks[0]) == 0 {
		q.chunks = q.chunks[1:]
	}
	q.size -= n
	q.mu.Unlock()
	q.drain()
	return n, nil
}

func (q *queueBody) Close() error {
	q.fail(errors.New("hosttest: request body closed"))
	return nil
}

// carriage is what the HTTP driver keeps of an attempt.
type carriage struct {
	cancel context.CancelFunc
	body   *queueBody // nil without a body
}

// httpDriver sends attempts to the clusters of the configuration.
type httpDriver struct {
	host *Host
	flow *flow
}

func (d *httpDriver) headers(a *Attempt, h *Headers, eos bool) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &carriage{cancel: cancel}
	var body io.ReadCloser = http.NoBody
	if !eos {
		c.body = newQueueBody(a.stream.relief.changed)
		body = c.body
	}
	a.carrier = c
	request := outgoing(ctx, h, body)
	go d.exchange(a, request)
}

func (d *httpDriver) data(a *Attempt, b []byte, eos bool) {
	if c, ok := a.carrier.(*carriage); ok && c.body != nil {
		c.body.write(b, eos)
	}
}

// trailers end the body; HTTP/1.1 providers get no request trailers.
func (d *httpDriver) trailers(a *Attempt, _ *Headers) { d.data(a, nil, true) }

func (d *httpDriver) cancel(a *Attempt, _ string) {
	if c, ok := a.carrier.(*carriage); ok {
		c.cancel()
		if c.body != nil {
			c.body.fail(context.Canceled)
		}
	}
}

// exchange runs one attempt against its provider.
func (d *httpDriver) exchange(a *Attempt, request *http.Request) {
	defer a.carrier.(*carriage).cancel()
	response, err := d.host.cfg.Clusters[a.Cluster].RoundTrip(request)
	if err != nil {
		a.Reset(resetReason(err))
		return
	}
	defer response.Body.Close()
	if response.Body == http.NoBody || response.ContentLength == 0 || request.Method == http.MethodHead {
		a.ResponseHeaders(incoming(response), true)
		return
	}
	a.ResponseHeaders(incoming(response), false)
	d.copyBody(a, response)
}

// chunkSize is how much is read from a connection at a time.
const chunkSize = 32 << 10

func (d *httpDriver) copyBody(a *Attempt, response *http.Response) {
	scratch := scratchPool.Get().(*[]byte)
	defer scratchPool.Put(scratch)
	for {
		n, err := response.Body.Read(*scratch)
		if n > 0 {
			a.ResponseBody(bytes.Clone((*scratch)[:n]), false)
		}
		switch {
		case err == io.EOF && len(response.Trailer) > 0:
			a.ResponseTrailers(trailerPairs(response.Trailer))
			return
		case err == io.EOF:
			a.ResponseBody(nil, true)
			return
		case err != nil:
			a.Reset(resetReason(err))
			return
		}
		if !d.flow.wait(a) {
			return
		}
	}
}

var scratchPool = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

// maxCalloutBody bounds the answer of a callout (Envoy: the async client's buffer limit).
const maxCalloutBody = 32 << 20

// roundTrip answers a callout by its cluster.
func (c *Callout) roundTrip(ctx context.Context, t http.RoundTripper) {
	var body io.ReadCloser = http.NoBody
	if len(c.Body) > 0 {
		body = io.NopCloser(bytes.NewReader(c.Body))
	}
	response, err := t.RoundTrip(outgoing(ctx, c.Headers, body))
	if err != nil {
		c.FailWith(resetReason(err))
		return
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxCalloutBody+1))
	if err != nil || len(content) > maxCalloutBody {
		c.Break()
		return
	}
	c.Respond(incoming(response), content, trailerPairs(response.Trailer))
}
