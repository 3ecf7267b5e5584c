// Mutants takes a package apart: it makes small changes to the package, one at a time,
// and runs the package's own tests against each. A change that no test notices is a
// safeguard that could be lost.
//
//	go run . [-j workers] [-v] [-only files] [-inner] [-args …] package-directory…
//
// All changes of a package are compiled into one test binary, and an environment variable
// says which of them is so: a change costs a run of the tests, not a build. Each is of one
// kind:
//
//	always, never     a condition, or one part of it, is true or false
//	bound             < for <=, > for >=, and the other way round
//	removed           a call, an assignment, a return, a break is left out
//	flipped           true for false in what is assigned, returned or passed, and the other way round
//	arithmetic        + for -, * for /, & for |, and the other way round
//	first, second     one operand of min or max instead of the choice
//
// With -only the changes are those of some files. With -inner the tests are those inside the
// package: those of package x_test, which may stand on the whole module, are left out. Without it
// they run against what the others did not catch.
//
// Locks are left alone: their absence is the race detector's to find. Changes that no user
// could ever notice are listed, with a word why, in testdata/equivalent.txt of the package:
// a line is "function: kind: source | why". Lines that match no survivor are reported.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	workers := flag.Int("j", 2, "runs of the tests at once")
	verbose := flag.Bool("v", false, "say of each change what became of it")
	only := flag.String("only", "", "change these files alone: book.go,lane.go")
	inner := flag.Bool("inner", false, "leave out the tests of package x_test")
	args := flag.String("args", "", "arguments for the tests, by spaces: -test.skip Slow")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ok := true
	for _, dir := range flag.Args() {
		fine, err := check(dir, choice{*workers, *verbose, strings.Fields(*args), files(*only), *inner})
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", dir, err)
			os.Exit(2)
		}
		ok = ok && fine
	}
	if !ok {
		os.Exit(1)
	}
}

// A choice is what the command line says.
type choice struct {
	workers int
	verbose bool
	args    []string // for the tests
	only    []string // the files that are changed; none: all
	inner   bool     // the tests of package x_test are left out
}

func files(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
