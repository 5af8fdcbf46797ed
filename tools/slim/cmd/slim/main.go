// Slim makes a module of Go's smaller after linking, in place; what it is not
// sure of it leaves alone and says so. Package slim says how.
//
// With -report it changes nothing, and says how many bytes of code each package
// is, as linked and as slim leaves it.
//
//	slim [-report] FILE
package main

import (
	"fmt"
	"os"

	"github.com/posterngw/postern/tools/slim"
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
	return slim.Report(os.Stdout, linked)
}

func run(file string) error {
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after, err := slim.Module(before)
	if err != nil {
		fmt.Fprintf(os.Stderr, "slim: %s stays as it is: %v\n", file, err)
		return nil
	}
	return os.WriteFile(file, after, 0o644)
}
