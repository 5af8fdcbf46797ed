package hosttest

// buffer is a body, or a part of one, on its way through a chain.
type buffer struct {
	b []byte
	// owned says that b may be appended to in place.
	owned bool
}

func (d *buffer) len() int {
	if d == nil {
		return 0
	}
	return len(d.b)
}

// take empties the buffer and hands its bytes to the caller.
func (d *buffer) take() []byte {
	b := d.b
	d.b, d.owned = nil, false
	return b
}

// move appends src to d and empties src.
func (d *buffer) move(src *buffer) {
	if len(src.b) == 0 {
		return
	}
	if len(d.b) == 0 {
		d.b, d.owned = src.b, src.owned
	} else {
		d.append(src.b)
	}
	src.b, src.owned = nil, false
}

func (d *buffer) append(p []byte) {
	if !d.owned {
		d.b = append(make([]byte, 0, 2*len(d.b)+len(p)), d.b...)
		d.owned = true
	}
	d.b = append(d.b, p...)
}

// window is what get_buffer_bytes copies out: cut to the buffer, bad argument when start+max
// overflows 64 bits, which 32-bit arguments never do (cpp-host, exports.cc).
func window(b []byte, start, size uint32) []byte {
	n := uint64(len(b))
	from, to := uint64(start), uint64(start)+uint64(size)
	if from > n {
		return nil
	}
	if to > n {
		to = n
	}
	return b[from:to]
}

// replace is what Envoy's set_buffer_bytes does (source/extensions/common/wasm/context.cc,
// Buffer::copyFrom): replace from the beginning (nothing, a part or all), or append. A range in the
// middle is refused.
func (d *buffer) replace(start, size uint32, data []byte) Status {
	n := uint64(len(d.b))
	switch {
	case start == 0:
		rest := d.b[min(uint64(size), n):]
		d.b = append(append(make([]byte, 0, len(data)+len(rest)), data...), rest...)
		d.owned = true
	case start > 0 && uint64(start) >= n:
		d.append(data)
	default:
		return StatusBadArgument
	}
	return StatusOK
}
