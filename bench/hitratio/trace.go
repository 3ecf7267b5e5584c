package hitratio

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/ristretto/v2/sim"

	"github.com/praveenduddu/cachemesh/bench/work"
)

// A Trace is a sequence of keys that were read.
type Trace struct {
	Name     string
	Source   string // where it is from
	Keys     []string
	Distinct int
}

func newTrace(name, source string, ids []uint64) *Trace {
	t := &Trace{Name: name, Source: source, Keys: make([]string, len(ids))}
	known := make(map[uint64]string)
	for i, id := range ids {
		key, ok := known[id]
		if !ok {
			key = traceKey(id)
			known[id] = key
		}
		t.Keys[i] = key
	}
	t.Distinct = len(known)
	return t
}

// ZipfTrace draws reads of keys by Zipf's law with an exponent of 0.99.
func ZipfTrace(keys, reads int) *Trace {
	ids := make([]uint64, reads)
	for i, rank := range work.Zipf(keys, reads, 0.99, 1) {
		ids[i] = uint64(rank)
	}
	return newTrace("Zipf 0.99", fmt.Sprintf("drawn, %d keys", keys), ids)
}

// Glimpse returns the trace of the text retrieval tool Glimpse that the authors
// of LIRS published (Jiang and Zhang, 2002). It is part of the ristretto module.
func Glimpse() (*Trace, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/dgraph-io/ristretto/v2").Output()
	if err != nil {
		return nil, fmt.Errorf("where ristretto's source is: %w", err)
	}
	t, err := ReadTrace(filepath.Join(strings.TrimSpace(string(dir)), "sim", "gli.lirs.gz"))
	if err == nil {
		t.Name, t.Source = "Glimpse", "published with LIRS, part of the ristretto module"
	}
	return t, err
}

// ReadTrace reads a file of block numbers, one in a line, or in the four columns
// of the ARC traces; it may be compressed with gzip.
func ReadTrace(file string) (*Trace, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	buffered := bufio.NewReader(r)
	parse := sim.ParseLIRS
	if line, _ := buffered.Peek(80); len(strings.Fields(firstLine(line))) == 4 {
		parse = sim.ParseARC
	}
	ids, err := readAll(sim.NewReader(parse, buffered))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return newTrace(filepath.Base(file), file, ids), nil
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// maxReads bounds what is taken of a trace.
const maxReads = 2_000_000

func readAll(next sim.Simulator) ([]uint64, error) {
	var ids []uint64
	for len(ids) < maxReads {
		id, err := next()
		if errors.Is(err, sim.ErrDone) {
			break
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, errors.New("no reads in it")
	}
	return ids, nil
}
