package main

import (
	"encoding/binary"
	"fmt"
)

// slim returns a module made smaller; what it does not know it leaves alone.
func slim(b []byte) ([]byte, error) {
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
