package gzip

// decoder decodes deflated data (RFC 1951) at the end of out.
type decoder struct {
	reader
	out              []byte
	limit            int
	literal, distant huffman
}

// blocks decodes blocks until the last; the text starts at out[start].
func (d *decoder) blocks(start int) error {
	for last := 0; last == 0; {
		last = d.take(1)
		var err error
		switch d.take(2) {
		case 0:
			err = d.stored()
		case 1:
			d.fixed()
			err = d.compressed(start)
		case 2:
			if !d.dynamic() {
				return ErrInvalid
			}
			err = d.compressed(start)
		default:
			return ErrInvalid
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stored copies a block that is not compressed (section 3.2.4).
func (d *decoder) stored() error {
	d.take(d.left & 7)
	n := d.take(16)
	if d.take(16) != n^0xffff || n > d.left/8 {
		return ErrInvalid
	}
	if len(d.out)+n > d.limit {
		return ErrTooLarge
	}
	rest := d.rest()
	d.out = append(d.out, rest[:n]...)
	d.input(rest[n:])
	return nil
}

// The symbols of lengths and distances (section 3.2.5).
const (
	endOfBlock  = 256
	maxLengths  = 286
	maxDistance = 30
)

var (
	lengthBase = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31,
		35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,
		3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceBase = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193,
		257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distanceBits = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6,
		7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// compressed decodes a block's symbols.
func (d *decoder) compressed(start int) error {
	for {
		s := d.symbol(&d.literal)
		switch {
		case s < 0 || s >= maxLengths || d.left < 0:
			return ErrInvalid
		case s == endOfBlock:
			return nil
		case s < endOfBlock:
			d.out = append(d.out, byte(s))
		case !d.match(s-endOfBlock-1, start):
			return ErrInvalid
		}
		if len(d.out) > d.limit {
			return ErrTooLarge
		}
	}
}

// match repeats text, of the length that symbol s begins.
func (d *decoder) match(s, start int) bool {
	length := int(lengthBase[s]) + d.take(int(lengthBits[s]))
	s = d.symbol(&d.distant)
	if s < 0 || s >= maxDistance {
		return false
	}
	distance := int(distanceBase[s]) + d.take(int(distanceBits[s]))
	if d.left < 0 || distance > len(d.out)-start {
		return false
	}
	for length > 0 { // what is repeated may reach into what is being added
		from := len(d.out) - distance
		n := min(length, distance)
		d.out = append(d.out, d.out[from:from+n]...)
		length -= n
	}
	return true
}

// fixed sets the codes of section 3.2.6.
func (d *decoder) fixed() {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	d.literal.set(lengths[:])
	for i := range 32 {
		lengths[i] = 5
	}
	d.distant.set(lengths[:32])
}

// codeOrder is the order of the lengths of the codes of lengths (section 3.2.7).
var codeOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the codes of a block (section 3.2.7).
func (d *decoder) dynamic() bool {
	literals, distances, n := 257+d.take(5), 1+d.take(5), 4+d.take(4)
	if literals > maxLengths || distances > maxDistance {
		return false
	}
	var lengths [maxLengths + maxDistance]uint8
	for _, i := range codeOrder[:n] {
		lengths[i] = uint8(d.take(3))
	}
	if !d.literal.set(lengths[:len(codeOrder)]) {
		return false
	}
	all := lengths[:literals+distances]
	return d.lengths(all) && lengths[endOfBlock] > 0 &&
		d.literal.set(all[:literals]) && d.distant.set(all[literals:])
}

// lengths reads the lengths of codes, by the code that is set as literal.
func (d *decoder) lengths(all []uint8) bool {
	for i := 0; i < len(all); {
		value, times := uint8(0), 1
		switch s := d.symbol(&d.literal); {
		case s < 0 || d.left < 0:
			return false
		case s < 16:
			value = uint8(s)
		case s == 16 && i == 0:
			return false
		case s == 16:
			value, times = all[i-1], 3+d.take(2)
		case s == 17:
			times = 3 + d.take(3)
		default:
			times = 11 + d.take(7)
		}
		if times > len(all)-i {
			return false
		}
		for range times {
			all[i] = value
			i++
		}
	}
	return true
}
