package report

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
)

// A Machine is where it was measured.
type Machine struct {
	CPU    string
	Cores  int
	Memory string
	System string
	Go     string
}

// ThisMachine describes this machine as far as it says.
func ThisMachine() Machine {
	m := Machine{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: field("/proc/meminfo", "MemTotal"),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += ", " + strings.TrimSpace(string(release))
	}
	return m
}

// field returns the value of the first line of a file that begins with a name.
func field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// version returns the version of a module that this program was built with, and
// of a server program.
func version(module, program string) string {
	v := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path != module {
				continue
			}
			v = dep.Version
			if dep.Replace != nil {
				v = "this tree"
			}
		}
	}
	if program == "" {
		return v
	}
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return v + "; " + program + " of unknown version"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	if i := strings.Index(line, " sha="); i > 0 {
		line = line[:i]
	}
	return fmt.Sprintf("%s; %s", v, line)
}
