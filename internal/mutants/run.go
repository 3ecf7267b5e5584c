package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// asked is what each package has beside its own files: which change is so.
const asked = `package %s

import (
	"os"
	"strconv"
)

var mutantNow, _ = strconv.Atoi(os.Getenv("MUTANT"))

func mutantOn(n int) bool { return n == mutantNow }
`

// reaches notes which changes would matter, in a file.
const reaches = `package %s

import (
	"os"
	"strconv"
	"sync/atomic"
)

var mutantReached [%d]atomic.Bool

func mutantOn(n int) bool {
	if !mutantReached[n].Swap(true) {
		f, err := os.OpenFile(os.Getenv("MUTANTS_REACHED"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		if _, err := f.WriteString(strconv.Itoa(n) + "\n"); err != nil {
			panic(err)
		}
	}
	return false
}
`

// maxMemory is what a change that never ends may take: memory, in KiB.
const maxMemory = "6000000"

// A bench runs the tests of one package.
type bench struct {
	*pkg
	tmp   string
	args  []string      // for the tests
	inner bool          // without those of package x_test
	limit time.Duration // for one run without a change
}

// build compiles the tests with the package as it is written out, and a file beside it; those
// inside the package alone, or all.
func (b *bench) build(name, beside string, inner bool) (string, error) {
	replace := map[string]string{filepath.Join(b.dir, "mutant_on.go"): filepath.Join(b.tmp, name+"_on.go")}
	if err := os.WriteFile(filepath.Join(b.tmp, name+"_on.go"), []byte(beside), 0o600); err != nil {
		return "", err
	}
	for path, f := range b.files {
		var out bytes.Buffer
		if err := format.Node(&out, b.fset, f); err != nil {
			return "", err
		}
		to := filepath.Join(b.tmp, filepath.Base(path))
		if err := os.WriteFile(to, out.Bytes(), 0o600); err != nil {
			return "", err
		}
		replace[path] = to
	}
	if inner {
		for _, name := range b.outer {
			replace[filepath.Join(b.dir, name)] = "" // as if it were not there
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(b.tmp, "overlay.json"), overlay, 0o600); err != nil {
		return "", err
	}
	binary := filepath.Join(b.tmp, name+".test")
	cmd := exec.Command("go", "test", "-c", "-overlay", filepath.Join(b.tmp, "overlay.json"), "-o", binary, ".")
	cmd.Dir = b.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, nil
}

// A suite is the tests, or some of them, against any of the changes.
type suite struct {
	binary string
	took   time.Duration // without a change
}

// suites returns what is run against a change until it is caught: the tests inside the package
// first, which are quick, then all, unless those of package x_test are left out.
func (b *bench) suites() (list []suite, err error) {
	beside := fmt.Sprintf(asked, b.name)
	if b.inner || len(b.outer) > 0 {
		s, err := b.suite("inner", beside, true)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if !b.inner {
		s, err := b.suite("asked", beside, false)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (b *bench) suite(name, beside string, inner bool) (suite, error) {
	binary, err := b.build(name, beside, inner)
	if err != nil {
		return suite{}, err
	}
	start := time.Now()
	if passed, _, out := b.run(binary, b.limit); !passed {
		return suite{}, errors.New("the tests fail without a change:\n" + string(out))
	}
	return suite{binary, time.Since(start)}, nil
}

// run runs the tests, for limit at most. It reports whether they passed, and whether they took too long.
func (b *bench) run(binary string, limit time.Duration, env ...string) (passed, late bool, out []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "ulimit -v "+maxMemory+`; exec "$0" -test.failfast "$@"`, binary)
	cmd.Args = append(cmd.Args, b.args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = b.dir, append(os.Environ(), env...), time.Second
	out, err := cmd.CombinedOutput()
	return err == nil, ctx.Err() != nil, out
}

// reached returns the changes that the tests reach.
func (b *bench) reached(n int) (map[int]bool, error) {
	file := filepath.Join(b.tmp, "reached")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return nil, err
	}
	binary, err := b.build("reaches", fmt.Sprintf(reaches, b.name, n), b.inner)
	if err != nil {
		return nil, err
	}
	if passed, _, out := b.run(binary, b.limit, "MUTANTS_REACHED="+file); !passed {
		return nil, fmt.Errorf("the tests fail without a change:\n%s", out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	reached := make(map[int]bool)
	for line := range strings.Lines(string(text)) {
		var n int
		if _, err := fmt.Sscan(line, &n); err != nil {
			return nil, err
		}
		reached[n] = true
	}
	return reached, nil
}

// A fate is what became of a change.
type fate struct {
	caught, late, reached bool
}

// all runs the tests against each change. It says to tell what became of each, one at a time.
func (b *bench) all(mutants []mutant, workers int, tell func(m mutant, f fate)) (time.Duration, error) {
	if tests, _ := filepath.Glob(filepath.Join(b.dir, "*_test.go")); len(tests) == 0 {
		for _, m := range mutants[1:] {
			tell(m, fate{})
		}
		return 0, nil
	}
	b.limit = 10 * time.Minute
	reached, err := b.reached(len(mutants))
	if err != nil {
		return 0, err
	}
	suites, err := b.suites()
	if err != nil {
		return 0, err
	}
	next := make(chan int)
	var mu sync.Mutex // held while something is told
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for n := range next {
				f := fate{reached: true}
				for i := 0; i < len(suites) && !f.caught; i++ {
					passed, late, _ := b.run(suites[i].binary, 5*time.Second+5*suites[i].took, fmt.Sprint("MUTANT=", n))
					f.caught, f.late = !passed, late
				}
				mu.Lock()
				tell(mutants[n], f)
				mu.Unlock()
			}
		})
	}
	for n := 1; n < len(mutants); n++ {
		if reached[n] {
			next <- n
		} else {
			mu.Lock()
			tell(mutants[n], fate{})
			mu.Unlock()
		}
	}
	close(next)
	wg.Wait()
	return suites[len(suites)-1].took, nil
}
