// Slim makes a module of Go's smaller after linking: it writes the same
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
// It knows no other layout than these, and leaves a file alone in which it does
// not find the table exactly as described. It does not reorder, inline or
// remove functions, and changes no function's number: Go's tables go on to fit.
//
// With -report it changes nothing, and says how many bytes of code each package
// is, as linked and as slim leaves it.
//
//	slim [-report] FILE
package main

import (
	"fmt"
	"os"
)

func main() {
	do, args := run, os.Args[1:]
	if len(args) == 2 && args[0] == "-report" {
		do, args = tell, args[1:]
	}
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: slim [-report] FILE")
		os.Exit(2)
	}
	if err := do(args[0]); err != nil {
		fmt.Fprintln(os.Stderr, "slim:", err)
		os.Exit(1)
	}
}

func tell(file string) error {
	linked, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return report(os.Stdout, linked)
}

func run(file string) error {
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after, err := slim(before)
	if err != nil {
		fmt.Fprintf(os.Stderr, "slim: %s stays as it is: %v\n", file, err)
		return nil
	}
	return os.WriteFile(file, after, 0o644)
}
