package mock

import (
	"compress/gzip"
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/posterngw/postern/tools/mock/core"
)

// How an exchange ended, as Request.Outcome says it.
const (
	Answered = "answered"
	Reset    = "reset"   // the mock reset the connection or stream
	Closed   = "closed"  // the mock closed it before its end
	Cut      = "cut"     // the mock ended the answer before its end
	Aborted  = "aborted" // the client went away
)

var errAborted = errors.New("the client went away")

// player sends one reply, with the pace and the faults of its scenario.
type player struct {
	s     *Server
	w     http.ResponseWriter
	rc    *http.ResponseController
	ctx   context.Context
	x     *core.Exchange
	d     core.Dialect
	reply core.Reply

	seen     *Request // its place in the record; nil for benchmark models
	zip      *gzip.Writer
	outcome  string
	reported bool
	booked   bool
}

func (p *player) play() {
	p.outcome = Answered
	if err := p.run(); err != nil {
		p.outcome = Aborted
	}
	switch {
	case !p.booked:
		p.s.record.finish(p)
	case p.outcome == Aborted:
		p.s.record.amend(p)
	}
}

// book records the answer before its last bytes leave, so that a client that
// has read it finds it in Stats.
func (p *player) book(last *core.Frame) {
	p.reported, p.booked = p.reported || last.Reports, true
	p.s.record.finish(p)
}

func (p *player) run() error {
	sc := &p.x.Scenario
	if err := p.wait(sc.HeaderDelay); err != nil {
		return err
	}
	switch sc.Cut {
	case core.HangBefore:
		return p.hang(sc.CutWait)
	case core.ResetBefore:
		p.reset()
		return nil
	case core.CloseBefore:
		p.hangUp()
		return nil
	}
	if sc.HTML > 0 && p.reply.Status == http.StatusOK {
		p.reply = htmlReply(sc.HTML)
	}
	parts, all := p.plan()
	p.sendHeader(parts, all)
	if err := p.send(parts, all); err != nil {
		return err
	}
	return p.end()
}

// plan returns what to send of the body and whether that is all of it.
func (p *player) plan() (parts []core.Frame, all bool) {
	sc := &p.x.Scenario
	if p.reply.Frames != nil {
		parts = shape(p.reply.Frames, sc, func() core.Frame {
			return p.d.Broken(p.x, p.d.Fault(core.Overloaded, p.x))
		})
	} else {
		body := p.reply.Body
		if sc.Malformed {
			body = body[:len(body)/2]
		}
		parts = []core.Frame{{Kind: core.Content, Data: body, Reports: p.reply.Reports}}
	}
	if sc.EmptyBody {
		return nil, true
	}
	if sc.Cut < core.ResetMid {
		return parts, true
	}
	return half(parts, sc.Cut != core.EndMid || p.reply.Frames == nil), false
}

// sendHeader writes status and headers; a body that is known and will be sent
// whole has a length.
func (p *player) sendHeader(parts []core.Frame, all bool) {
	h := p.w.Header()
	for k, v := range p.reply.Header {
		h[k] = v
	}
	sc := &p.x.Scenario
	switch {
	case sc.Gzip:
		h.Set("Content-Encoding", "gzip")
		p.zip = gzip.NewWriter(p.w)
	case p.reply.Frames == nil && sc.Cut != core.EndMid:
		n := len(p.reply.Body)
		if all {
			n = size(parts)
		}
		h.Set("Content-Length", strconv.Itoa(n))
	}
	p.w.WriteHeader(p.reply.Status)
}

func size(parts []core.Frame) int {
	n := 0
	for _, f := range parts {
		n += len(f.Data)
	}
	return n
}

// send writes the frames: a wait before the first content, another between
// contents.
func (p *player) send(parts []core.Frame, all bool) error {
	next := p.s.opts.FirstDelay + p.x.Scenario.FirstDelay
	for i := range parts {
		f := &parts[i]
		if f.Kind == core.Content {
			if err := p.wait(next); err != nil {
				return err
			}
			next = p.s.opts.ChunkDelay
		}
		if err := p.write(f, all && i == len(parts)-1); err != nil {
			return err
		}
		p.reported = p.reported || f.Reports
	}
	return nil
}

// write sends a frame in one piece, or in drips, each of them flushed.
func (p *player) write(f *core.Frame, last bool) error {
	sc := &p.x.Scenario
	data, step := f.Data, len(f.Data)
	if sc.DripSize > 0 {
		step = sc.DripSize
	}
	for len(data) > 0 {
		n := min(step, len(data))
		if last && n == len(data) {
			p.book(f)
		}
		if err := p.push(data[:n]); err != nil {
			return err
		}
		if data = data[n:]; len(data) == 0 && last {
			return nil
		}
		if err := p.wait(sc.DripWait); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) push(data []byte) error {
	if p.zip != nil {
		if _, err := p.zip.Write(data); err != nil {
			return err
		}
		if err := p.zip.Flush(); err != nil {
			return err
		}
	} else if _, err := p.w.Write(data); err != nil {
		return err
	}
	if p.reply.Frames == nil && p.x.Scenario.DripSize == 0 {
		return nil // a whole body leaves with the end of the handler
	}
	return p.flush()
}

func (p *player) flush() error {
	if err := p.rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// end finishes the answer as the scenario wants it.
func (p *player) end() error {
	if p.zip != nil && p.x.Scenario.Cut < core.ResetMid {
		if err := p.zip.Close(); err != nil {
			return err
		}
	}
	switch p.x.Scenario.Cut {
	case core.EndMid:
		p.outcome = Cut
	case core.ResetMid:
		return p.breakOff(p.reset)
	case core.CloseMid:
		return p.breakOff(p.hangUp)
	case core.HangMid:
		if err := p.flush(); err != nil {
			return err
		}
		return p.hang(p.x.Scenario.CutWait)
	}
	return nil
}

// breakOff lets what was written reach the other side before the connection
// goes: a reset discards what is under way.
func (p *player) breakOff(how func()) error {
	if err := p.flush(); err != nil {
		return err
	}
	if err := p.wait(resetGrace); err != nil {
		return err
	}
	how()
	return nil
}

const resetGrace = 5 * time.Millisecond

func (p *player) hang(d time.Duration) error {
	err := p.wait(d)
	p.hangUp()
	return err
}

// wait sleeps; it fails when the client goes away.
func (p *player) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	defer context.AfterFunc(p.s.life, cancel)()
	if err := p.s.opts.Sleep(ctx, d); err != nil && p.ctx.Err() != nil {
		return errAborted
	}
	return nil
}

// reset ends the connection with RST, or an HTTP/2 stream with RST_STREAM.
func (p *player) reset() {
	p.outcome = Reset
	p.drop(func(c net.Conn) {
		if t, ok := underlying(c).(*net.TCPConn); ok {
			t.SetLinger(0) //nolint:errcheck // the connection is given up anyway
		}
	})
}

// hangUp closes the connection with FIN; an HTTP/2 stream cannot be closed
// apart from its connection and is reset.
func (p *player) hangUp() {
	p.outcome = Closed
	p.drop(func(net.Conn) {})
}

func (p *player) drop(prepare func(net.Conn)) {
	conn, _, err := p.rc.Hijack()
	if err != nil {
		// A write deadline in the past makes net/http reset an HTTP/2 stream.
		if err := p.rc.SetWriteDeadline(time.Unix(1, 0)); err != nil {
			p.outcome = Cut
		}
		return
	}
	prepare(conn)
	conn.Close() //nolint:errcheck // nothing is left to do about it
}

func underlying(c net.Conn) net.Conn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return c
}

func htmlReply(status int) core.Reply {
	text := http.StatusText(status)
	body := "<!DOCTYPE html>\n<html><head><title>" + strconv.Itoa(status) + " " + text +
		"</title></head>\n<body><center><h1>" + text + "</h1></center><hr><center>mock</center></body></html>\n"
	return core.Reply{
		Status: status, Body: []byte(body),
		Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Server": {"cloudflare"}},
	}
}
