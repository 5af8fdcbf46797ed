package slim

import "slices"

// dispatch is how a function that Go compiled begins: blocks, one in another,
// in a loop if it jumps, and a table by which local 0 selects the block that is
// left, so that the function goes on behind it. A jump sets local 0 and goes to
// the loop.
type dispatch struct {
	loop   int   // 0 if there is none
	blocks []int // by the value of local 0; the last is for all that are greater
}

// dispatchOf finds it; local 0 must be read there and nowhere else.
func dispatchOf(code []instr) (d dispatch, ok bool) {
	if !matches(code, []byte{opGlobalGet, opLocalSet}) || code[0].a != stackPointerGlobal || code[1].a != stackPointer {
		return d, false
	}
	i := 2
	for ; i < len(code) && (code[i].op == opBlock || code[i].op == opLoop); i++ {
		if code[i].op == opLoop {
			d.loop = code[i].a
		}
	}
	if !matches(code[i:], []byte{opLocalGet, opBrTable}) || code[i].a != 0 {
		return d, false
	}
	d.blocks = code[i+1].labels
	return d, d.alone(code, i)
}

// alone tells that nothing else reads local 0 or goes to the loop.
func (d dispatch) alone(code []instr, at int) bool {
	for i, in := range code {
		switch {
		case in.a == 0 && (in.op == opLocalGet && i != at || in.op == opLocalTee):
			return false
		case in.op == opBrIf && in.a == d.loop, in.op == opBrTable && slices.Contains(in.labels, d.loop):
			return false
		case in.op == opBr && in.a == d.loop && !d.jump(code[i-2:]):
			return false
		}
	}
	return true
}

// jump tells that code begins with a jump.
func (d dispatch) jump(code []instr) bool {
	return matches(code, []byte{opConst, opLocalSet, opBr}) && code[1].a == 0 && code[2].a == d.loop && code[0].a >= 0
}

// target is the block that a jump leaves in the end.
func (d dispatch) target(n int) int { return d.blocks[min(n, len(d.blocks)-1)] }

// direct makes jumps forward leave their block at once.
func direct(code []instr) []instr {
	d, ok := dispatchOf(code)
	if !ok || d.loop == 0 {
		return code
	}
	var out []instr
	open := map[int]bool{}
	looped := false
	for i := 0; i < len(code); i++ {
		in := code[i]
		to, n := d.forward(code[i:], open)
		switch {
		case n > 0:
			i += n - 1
			in = to
		case in.op == opBlock || in.op == opLoop || in.op == opIf:
			open[in.a] = true
		case in.op == opEnd:
			delete(open, in.a)
		case in.op == opBr && in.a == d.loop:
			looped = true
		}
		out = append(out, in)
	}
	if !looped {
		out = slices.DeleteFunc(out, func(in instr) bool { return (in.op == opLoop || in.op == opEnd) && in.a == d.loop })
	}
	return out
}

// forward returns what the jump that code begins with becomes, and of how many
// instructions it is: with its condition, if that is all the condition is for.
func (d dispatch) forward(code []instr, open map[int]bool) (to instr, n int) {
	op, n := byte(opBr), 3
	jump := code
	if matches(code, []byte{opIf, opConst, opLocalSet, opBr, opEnd}) {
		op, n, jump = opBrIf, 5, code[1:]
	}
	if !d.jump(jump) || !open[d.target(jump[0].a)] {
		return to, 0
	}
	return instr{op: op, a: d.target(jump[0].a)}, n
}
