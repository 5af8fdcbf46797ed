package fidelity

import (
	"bytes"
	"io"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2conn is one HTTP/2 connection spoken frame by frame, so that a row decides where a frame ends
// and which one ends its stream. What one side wrote first, the other reads first: rows rely on it.
type h2conn struct {
	nc   net.Conn
	fr   *http2.Framer
	mu   sync.Mutex // writes
	enc  *hpack.Encoder
	buf  bytes.Buffer
	next uint32
	take func(h2event)
}

// h2event is a frame that arrived.
type h2event struct {
	stream  uint32
	headers [][2]string // nil for data and resets
	data    []byte
	end     bool
	reset   bool
	closed  bool // the connection is gone
}

// window is what each side may send without asking: more than any row sends.
const window = 1 << 26

func newH2(nc net.Conn, server bool, take func(h2event)) (*h2conn, error) {
	c := &h2conn{nc: nc, fr: http2.NewFramer(nc, nc), next: 1, take: take}
	c.enc = hpack.NewEncoder(&c.buf)
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := c.greet(server); err != nil {
		return nil, err
	}
	go c.read()
	return c, nil
}

func (c *h2conn) greet(server bool) error {
	preface := []byte(http2.ClientPreface)
	if server {
		got := make([]byte, len(preface))
		if _, err := io.ReadFull(c.nc, got); err != nil {
			return err
		}
	} else if _, err := c.nc.Write(preface); err != nil {
		return err
	}
	if err := c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		return err
	}
	return c.fr.WriteWindowUpdate(0, window)
}

func (c *h2conn) read() {
	for {
		f, err := c.fr.ReadFrame()
		if err != nil {
			c.take(h2event{closed: true})
			return
		}
		c.handle(f)
	}
}

func (c *h2conn) handle(f http2.Frame) {
	id := f.Header().StreamID
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		list := make([][2]string, len(f.Fields))
		for i, h := range f.Fields {
			list[i] = [2]string{h.Name, h.Value}
		}
		c.take(h2event{stream: id, headers: list, end: f.StreamEnded()})
	case *http2.DataFrame:
		c.take(h2event{stream: id, data: bytes.Clone(f.Data()), end: f.StreamEnded()})
	case *http2.RSTStreamFrame:
		c.take(h2event{stream: id, reset: true})
	case *http2.SettingsFrame:
		if !f.IsAck() {
			c.write(func() error { return c.fr.WriteSettingsAck() })
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			c.write(func() error { return c.fr.WritePing(true, f.Data) })
		}
	}
}

func (c *h2conn) write(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return f()
}

// open begins a client's stream; before is told its number while nothing can arrive on it yet.
func (c *h2conn) open(headers [][2]string, end bool, before func(id uint32)) error {
	return c.write(func() error {
		id := c.next
		c.next += 2
		before(id)
		return c.writeHeaders(id, headers, end)
	})
}

func (c *h2conn) headers(id uint32, headers [][2]string, end bool) error {
	return c.write(func() error { return c.writeHeaders(id, headers, end) })
}

func (c *h2conn) writeHeaders(id uint32, headers [][2]string, end bool) error {
	c.buf.Reset()
	for _, h := range headers {
		if err := c.enc.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			return err
		}
	}
	return c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.buf.Bytes(), EndStream: end, EndHeaders: true})
}

// maxFrame is the largest frame that a peer takes unasked.
const maxFrame = 16 << 10

func (c *h2conn) data(id uint32, data []byte, end bool) error {
	return c.write(func() error {
		for len(data) > maxFrame {
			if err := c.fr.WriteData(id, false, data[:maxFrame]); err != nil {
				return err
			}
			data = data[maxFrame:]
		}
		return c.fr.WriteData(id, end, data)
	})
}

func (c *h2conn) reset(id uint32, code http2.ErrCode) error {
	return c.write(func() error { return c.fr.WriteRSTStream(id, code) })
}
