// Package slim makes a module of Go's smaller after linking: it writes the same
// program in fewer bytes.
//
// Code. Go's compiler for wasm works instruction by instruction. Slim rewrites
// functions in ways that hold by the instructions alone (see rules): an offset
// from the stack pointer becomes the offset of the load or store, a jump
// forward leaves its block at once and not by the table that the function
// begins with, and calls that only happen where a program fails push their
// return address out of line. A function that is not of the form that Go
// compiles stays as it is.
//
// Tables. Go finds a function by its program counter through a table of 20
// bytes for each 4 KiB of code. On wasm a function has 64 KiB of program
// counters, however short it is, so that the table holds sixteen entries for
// each function, all with the function's number, and the linker writes each as a
// data segment of its own: 160 bytes of file for each function and 70,000
// segments for Postern. Slim replaces the entries by a loop in front of
// _initialize.
//
// What the module was built from, which Go writes into its data, is kept in a
// custom section besides (see BuildInfo).
//
// It knows no other layout than these, and leaves a file alone in which it does
// not find the table exactly as described. It does not reorder, inline or
// remove functions, and changes no function's number: Go's tables go on to fit.
package slim

import (
	"encoding/binary"
	"fmt"
)

// Module returns a module made smaller; what it does not know it leaves alone.
func Module(b []byte) ([]byte, error) {
	m, err := parse(b)
	if err != nil {
		return nil, err
	}
	memory, err := load(*m.body(data))
	if err != nil {
		return nil, err
	}
	if err := m.shortenCode(memory); err != nil {
		return nil, err
	}
	if err := m.computeTable(memory); err != nil {
		return nil, err
	}
	packed, err := m.packData(memory)
	if err != nil {
		return nil, err
	}
	if !packed {
		*m.body(data) = store(memory)
	}
	m.keepInfo(memory)
	return m.append(nil), nil
}

// shortenCode rewrites the functions that Go compiled.
func (m *module) shortenCode(memory []byte) error {
	bodies, err := m.functions()
	if err != nil {
		return err
	}
	imported, err := m.importedFunctions()
	if err != nil {
		return err
	}
	calls := newColdCalls(imported, len(bodies), names(memory, len(bodies)))
	out := binary.AppendUvarint(nil, uint64(len(bodies)))
	for _, body := range bodies {
		body = shorter(body, calls)
		out = append(binary.AppendUvarint(out, uint64(len(body))), body...)
	}
	*m.body(code) = out
	calls.add(m)
	return nil
}

// functions returns the bodies of the module's functions.
func (m *module) functions() (bodies [][]byte, err error) {
	r := &reader{b: *m.body(code)}
	for range r.uint() {
		bodies = append(bodies, r.take(r.uint()))
		if r.wrong {
			break
		}
	}
	return bodies, r.err()
}

// shorter rewrites a function's body if Go compiled it.
func shorter(body []byte, calls *coldCalls) []byte {
	f, err := decode(body)
	if err != nil {
		return body
	}
	if _, ok := dispatchOf(f.code); !ok {
		return body
	}
	f.code = direct(f.code)
	f.code = calls.rewrite(f.code)
	f.code = shorten(f.code)
	f.code = offsets(f.code)
	f.code = shorten(unread(f.code))
	return f.encode()
}

// computeTable takes the table of functions out and has it computed.
func (m *module) computeTable(memory []byte) error {
	at, n := find(memory)
	if n < least {
		return errTable
	}
	if err := m.before("_initialize", func(call int) []byte { return filler(at, n, call) }); err != nil {
		return fmt.Errorf("no place to compute the table of functions: %w", err)
	}
	clear(memory[at : at+n*entrySize])
	return nil
}
