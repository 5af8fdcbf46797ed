package slim

import "slices"

// A rule looks at the end of what has been written, and returns it shorter, or
// nil. Each gives the same values, and leaves memory and globals as they were.
type rule func(tail []instr) []instr

// rules, in the order in which they are tried.
var rules = []struct {
	ops []byte // how the tail must look; 0xff is any
	do  rule
}{
	{[]byte{opNop}, func([]instr) []instr { return []instr{} }},
	// What is added to a widened address and narrowed again need not be widened.
	{[]byte{opExtend, opConst64, opAdd64, opWrap}, func(t []instr) []instr {
		return []instr{{op: opConst, a: int(int32(t[1].a))}, {op: opAdd}}
	}},
	{[]byte{opConst64, opWrap}, func(t []instr) []instr { return []instr{{op: opConst, a: int(int32(t[0].a))}} }},
	{[]byte{opExtend, opWrap}, func([]instr) []instr { return []instr{} }},
	{[]byte{opExtend, opEqz64}, func([]instr) []instr { return []instr{{op: opEqz}} }},
	// The lower half of what is loaded is what lies at the same place.
	{[]byte{opLoad64, opWrap}, func(t []instr) []instr { return []instr{{op: opLoad, a: min(t[0].a, 2), b: t[0].b}} }},
	{[]byte{opEqz, opEqz, opIf}, func(t []instr) []instr { return t[2:] }},
	{[]byte{opEqz, opEqz, opBrIf}, func(t []instr) []instr { return t[2:] }},
	{[]byte{opLocalSet, opLocalGet}, func(t []instr) []instr {
		if t[0].a != t[1].a {
			return nil
		}
		return []instr{{op: opLocalTee, a: t[0].a}}
	}},
	{[]byte{opLocalGet, opConst, opAdd, opLocalTee, opGlobalSet, opLocalGet, opConst, opAdd, opLocalTee, opGlobalSet}, addTwice},
}

// addTwice takes two steps of the stack pointer at once.
func addTwice(t []instr) []instr {
	for _, i := range []int{3, 5, 8} {
		if t[i].a != t[0].a {
			return nil
		}
	}
	if t[4].a != t[9].a {
		return nil
	}
	return []instr{t[0], {op: opConst, a: int(int32(t[1].a + t[6].a))}, t[2], t[3], t[4]}
}

// shorten applies the rules until none fits.
func shorten(code []instr) []instr {
	out := make([]instr, 0, len(code))
	for _, in := range code {
		out = append(out, in)
		for reduce(&out) {
		}
	}
	return out
}

func reduce(out *[]instr) bool {
	for _, r := range rules {
		at := len(*out) - len(r.ops)
		if at < 0 || !matches((*out)[at:], r.ops) {
			continue
		}
		if to := r.do((*out)[at:]); to != nil {
			*out = append((*out)[:at], slices.Clone(to)...)
			return true
		}
	}
	return false
}

func matches(code []instr, ops []byte) bool {
	if len(code) < len(ops) {
		return false
	}
	for i, op := range ops {
		if code[i].op != op {
			return false
		}
	}
	return true
}

// stackPointer is the local that holds it in functions that Go compiled, and
// the global that it is kept in between them.
const (
	stackPointer       = 1
	stackPointerGlobal = 0
)

// offsets moves what is added to the stack pointer into the loads and stores
// that use the sum. Sums do not wrap around: they lie in the stack.
func offsets(code []instr) []instr {
	drop := make([]bool, len(code))
	for i := range code {
		if !matches(code[i:], []byte{opLocalGet, opConst, opAdd}) || code[i].a != stackPointer || code[i+1].a < 0 {
			continue
		}
		if user := consumer(code, i+3); user > 0 {
			code[user].b += code[i+1].a
			drop[i+1], drop[i+2] = true, true
		}
	}
	return remove(code, drop)
}

// consumer is the load or store that takes as its address what is on top of the
// stack before instruction i, or 0 if another does.
func consumer(code []instr, i int) int {
	for above := 0; i < len(code); i++ {
		takes, gives, ok := code[i].effect()
		if !ok {
			return 0
		}
		if takes > above {
			if op := code[i].op; op >= opLoad && op <= opStoreLast && takes == above+1 {
				return i
			}
			return 0
		}
		above += gives - takes
	}
	return 0
}

func remove(code []instr, drop []bool) []instr {
	out := code[:0]
	for i, in := range code {
		if !drop[i] {
			out = append(out, in)
		}
	}
	return out
}

// unread drops writes to locals that are not read again.
func unread(code []instr) []instr {
	drop := make([]bool, len(code))
	for i, in := range code {
		if in.op == opLocalTee && dead(code[i+1:], in.a) {
			drop[i] = true
		} else if in.op == opLocalSet && dead(code[i+1:], in.a) {
			code[i] = instr{op: opDrop}
		}
	}
	return remove(code, drop)
}

// dead tells that a local is written before it is read, or never read.
func dead(code []instr, local int) bool {
	for _, in := range code {
		switch in.op {
		case opLocalGet:
			if in.a == local {
				return false
			}
		case opLocalSet, opLocalTee:
			if in.a == local {
				return true
			}
		case opReturn, opUnreachable:
			return true
		case opIf, opElse, opBr, opBrIf, opBrTable:
			return false
		}
	}
	return true
}
