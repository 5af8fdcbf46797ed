package slim

import (
	"encoding/binary"
	"strings"
)

// cold are beginnings of the names of functions that are called where a program
// fails, or a stack grows: what such a call needs is moved out of its line.
var cold = []string{"runtime.sigpanic", "runtime.morestack", "runtime.goPanic", "runtime.panic", "runtime.gopanic",
	"runtime.throw", "runtime.fatal", "runtime.print"}

// coldCalls replaces calls of cold functions: what pushes the return address
// becomes a function of its own, one for each cold function.
type coldCalls struct {
	first   int          // number of the first new function
	cold    map[int]bool // by number
	helpers map[[2]int]int
	order   [][2]int // of the helpers: what is called, and its argument
}

func newColdCalls(imported, count int, names []string) *coldCalls {
	c := &coldCalls{first: imported + count, cold: map[int]bool{}, helpers: map[[2]int]int{}}
	for i, name := range names {
		for _, prefix := range cold {
			c.cold[imported+i] = c.cold[imported+i] || strings.HasPrefix(name, prefix)
		}
	}
	return c
}

// push is how Go calls: the return address onto the stack, the block where the
// callee begins, the call, and the stack pointer, which the callee has moved.
var push = []byte{opLocalGet, opConst, opSub, opLocalTee, opGlobalSet, opLocalGet, opConst64, opStore64, opConst, opCall,
	opGlobalGet, opLocalSet}

// pushes tells that code begins with such a call.
func pushes(code []instr) bool {
	if !matches(code, push) || code[1].a != 8 || code[7].b != 0 {
		return false
	}
	for i, in := range code[:len(push)] {
		if (in.op == opLocalGet || in.op == opLocalTee || in.op == opLocalSet) && in.a != stackPointer ||
			(in.op == opGlobalGet || in.op == opGlobalSet) && in.a != stackPointerGlobal {
			return i < 0
		}
	}
	return true
}

func (c *coldCalls) rewrite(code []instr) (out []instr) {
	for i := 0; i < len(code); i++ {
		switch {
		case !pushes(code[i:]):
			out = append(out, code[i])
		case c.cold[code[i+9].a]:
			out = append(out, code[i+6], instr{op: opCall, a: c.helper(code[i+9].a, code[i+8].a)})
			i += 9
		default: // the local is read anew after the call
			out = append(out, code[i], code[i+1], code[i+2], code[i+4], instr{op: opGlobalGet, a: stackPointerGlobal})
			i += 5
		}
	}
	return out
}

// helper is the number of the function that makes a call.
func (c *coldCalls) helper(callee, argument int) int {
	key := [2]int{callee, argument}
	n, ok := c.helpers[key]
	if !ok {
		n = c.first + len(c.order)
		c.helpers[key] = n
		c.order = append(c.order, key)
	}
	return n
}

// add appends the helpers to the module. They take the return address.
func (c *coldCalls) add(m *module) {
	if len(c.order) == 0 {
		return
	}
	kind := count(*m.body(types))
	add(m.body(types), []byte{0x60, 1, 0x7e, 1, 0x7f}) // (i64) -> i32
	for _, key := range c.order {
		f := function{locals: []byte{0}, code: []instr{
			{op: opGlobalGet, a: stackPointerGlobal}, {op: opConst, a: 8}, {op: opSub}, {op: opGlobalSet, a: stackPointerGlobal},
			{op: opGlobalGet, a: stackPointerGlobal}, {op: opLocalGet, a: 0}, {op: opStore64, a: 3},
			{op: opConst, a: key[1]}, {op: opCall, a: key[0]}, {op: opEnd},
		}}
		body := f.encode()
		add(m.body(functions), binary.AppendUvarint(nil, uint64(kind)))
		add(m.body(code), append(binary.AppendUvarint(nil, uint64(len(body))), body...))
	}
}
