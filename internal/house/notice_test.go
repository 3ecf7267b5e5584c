package house_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestNotice: NOTICE has every module that the library or the program links on this system.
func TestNotice(t *testing.T) {
	atRoot(t)
	notice, err := os.ReadFile("NOTICE")
	must(t, err)
	library, program, ok := strings.Cut(string(notice), "The program (cmd/cachemesh)")
	if !ok {
		t.Fatal("NOTICE has no part about the program")
	}
	check := func(named string, pkg string) {
		linked := linkedModules(t, pkg)
		if len(linked) < 10 {
			t.Fatalf("%s links %d modules, as far as go list knows", pkg, len(linked))
		}
		for _, module := range linked {
			if !strings.HasPrefix(module, modulePath) && !strings.Contains(named, "\n  "+module+"\n") {
				t.Errorf("%s links %s, of which NOTICE says nothing", pkg, module)
			}
		}
	}
	check(library, ".")
	if os.Getenv("GOWORK") != "off" {
		check(library+program, "./cmd/cachemesh")
	}
}

// linkedModules returns the modules that a package needs to be built here.
func linkedModules(t *testing.T, pkg string) (modules []string) {
	out, err := exec.Command("go", "list", "-e", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", pkg).Output()
	must(t, err)
	known := make(map[string]bool)
	for module := range strings.FieldsSeq(string(out)) {
		if !known[module] {
			known[module] = true
			modules = append(modules, module)
		}
	}
	return modules
}
