package slim

import "encoding/binary"

// The instructions that are looked at (WebAssembly Core 2.0, section 5.4).
const (
	opUnreachable = 0x00
	opNop         = 0x01
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opElse        = 0x05
	opEnd         = 0x0b
	opBr          = 0x0c
	opBrIf        = 0x0d
	opBrTable     = 0x0e
	opReturn      = 0x0f
	opCall        = 0x10
	opIndirect    = 0x11
	opDrop        = 0x1a
	opSelect      = 0x1b
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opLocalTee    = 0x22
	opGlobalGet   = 0x23
	opGlobalSet   = 0x24
	opLoad        = 0x28 // the first of the loads: i32.load
	opLoad64      = 0x29
	opStore       = 0x36 // the first of the stores: i32.store
	opStore64     = 0x37
	opStoreLast   = 0x3e
	opConst       = 0x41
	opConst64     = 0x42
	opEqz         = 0x45
	opEqz64       = 0x50
	opAdd         = 0x6a
	opSub         = 0x6b
	opAdd64       = 0x7c
	opWrap        = 0xa7
	opExtend      = 0xad // i64.extend_i32_u
	opMore        = 0xfc // one of the instructions of two bytes
)

// instr is an instruction. What a and b hold is the operation's: a constant, an
// index, alignment and offset, or, for what begins, ends or leaves a construct,
// the construct's number: 0 is the function's body, others count from 1.
type instr struct {
	op     byte
	a, b   int
	labels []int  // of br_table, the default last
	text   []byte // other immediates, as they are
}

// function is the body of a function.
type function struct {
	locals []byte // their declaration, as it is
	code   []instr
}

// decode reads a function's body; one with instructions that are not known here
// is none.
func decode(body []byte) (*function, error) {
	r := &reader{b: body}
	for range r.uint() {
		r.uint()
		r.take(1)
	}
	f := &function{locals: body[:len(body)-len(r.b)]}
	d := decoder{reader: r, open: []int{0}}
	for len(d.open) > 0 && !r.wrong {
		f.code = append(f.code, d.next())
	}
	if len(r.b) > 0 {
		return nil, errForm
	}
	return f, r.err()
}

// decoder reads instructions and knows what constructs are open.
type decoder struct {
	*reader
	open  []int
	count int
}

func (d *decoder) next() instr {
	in := instr{op: d.take(1)[0]}
	switch op := in.op; {
	case op == opBlock || op == opLoop || op == opIf:
		d.count++
		d.open = append(d.open, d.count)
		in.a, in.text = d.count, d.take(1)
	case op == opElse:
		in.a = d.open[len(d.open)-1]
	case op == opEnd:
		in.a = d.open[len(d.open)-1]
		d.open = d.open[:len(d.open)-1]
	case op == opBr || op == opBrIf:
		in.a = d.label()
	case op == opBrTable:
		for range d.uint() + 1 {
			if in.labels = append(in.labels, d.label()); d.wrong {
				break
			}
		}
	case op == opCall || op >= opLocalGet && op <= opGlobalSet:
		in.a = d.uint()
	case op == opIndirect || op >= opLoad && op <= opStoreLast:
		in.a, in.b = d.uint(), d.uint()
	case op == opConst || op == opConst64:
		in.a = d.int()
	default:
		in.text = d.rest(op)
	}
	return in
}

// label reads how far out a construct is, and tells its number.
func (d *decoder) label() int {
	if n := d.uint(); n < len(d.open) {
		return d.open[len(d.open)-1-n]
	}
	d.wrong = true
	return 0
}

// rest reads the immediates of what is left.
func (d *decoder) rest(op byte) []byte {
	switch {
	case op == opMore:
		return d.more()
	case op == 0x3f || op == 0x40: // memory.size, memory.grow
		return d.take(1)
	case op == 0x43: // f32.const
		return d.take(4)
	case op == 0x44: // f64.const
		return d.take(8)
	case op <= opNop || op == opReturn || op == opDrop || op == opSelect || op >= opEqz && op <= 0xc4:
		return nil
	}
	d.wrong = true
	return nil
}

// more reads the second byte of an instruction of two, and its immediates.
func (d *decoder) more() []byte {
	all := d.b
	switch sub := d.uint(); {
	case sub < 8: // conversions
	case sub == 10: // memory.copy
		d.take(2)
	case sub == 11: // memory.fill
		d.take(1)
	default:
		d.wrong = true
	}
	return all[:len(all)-len(d.b)]
}

// encode is the opposite of decode.
func (f *function) encode() []byte {
	b := append([]byte(nil), f.locals...)
	open := []int{0}
	for _, in := range f.code {
		b = append(b, in.op)
		switch op := in.op; {
		case op == opBlock || op == opLoop || op == opIf:
			open = append(open, in.a)
			b = append(b, in.text...)
		case op == opEnd:
			open = open[:len(open)-1]
		case op == opBr || op == opBrIf:
			b = appendLabel(b, open, in.a)
		case op == opBrTable:
			b = binary.AppendUvarint(b, uint64(len(in.labels)-1))
			for _, l := range in.labels {
				b = appendLabel(b, open, l)
			}
		case op == opCall || op >= opLocalGet && op <= opGlobalSet:
			b = binary.AppendUvarint(b, uint64(in.a))
		case op == opIndirect || op >= opLoad && op <= opStoreLast:
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(in.a)), uint64(in.b))
		case op == opConst || op == opConst64:
			b = appendInt(b, in.a)
		default:
			b = append(b, in.text...)
		}
	}
	return b
}

// appendLabel writes how far out an open construct is.
func appendLabel(b []byte, open []int, construct int) []byte {
	n := 0
	for open[len(open)-1-n] != construct {
		n++
	}
	return binary.AppendUvarint(b, uint64(n))
}

// effect is how many operands an instruction takes and gives; ok is false for
// those that go elsewhere.
func (in instr) effect() (takes, gives int, ok bool) {
	switch op := in.op; {
	case op == opNop:
		return 0, 0, true
	case op == opDrop || op == opLocalSet || op == opGlobalSet:
		return 1, 0, true
	case op == opSelect:
		return 3, 1, true
	case op == opLocalGet || op == opGlobalGet || op >= opConst && op <= 0x44:
		return 0, 1, true
	case op >= opStore && op <= opStoreLast:
		return 2, 0, true
	case op == opLocalTee || op >= opLoad && op < opStore || unary(op):
		return 1, 1, true
	case op >= opEqz && op <= 0xa6:
		return 2, 1, true
	}
	return 0, 0, false
}

// unary are the arithmetic instructions of one operand.
func unary(op byte) bool {
	return op == opEqz || op == opEqz64 || op >= 0x67 && op <= 0x69 || op >= 0x79 && op <= 0x7b ||
		op >= 0x8b && op <= 0x91 || op >= 0x99 && op <= 0x9f || op >= opWrap && op <= 0xc4
}
