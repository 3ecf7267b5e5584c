package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// prepare starts all systems, sets all keys everywhere, and returns the cells.
func prepare(ctx context.Context, f *fleet) ([]*cell, error) {
	redis, err := f.redis(ctx)
	if err != nil {
		return nil, err
	}
	redcon, err := f.redcon(ctx)
	if err != nil {
		return nil, err
	}
	lone, err := f.member(ctx, "")
	if err != nil {
		return nil, err
	}
	one := []struct{ name, addr string }{{"Redis", redis}, {"redcon", redcon}, {"cachemesh", lone.redis}}
	var cells []*cell
	for _, pipeline := range []int{1, 16} {
		for _, command := range []string{"SET", "GET"} {
			c := &cell{name: fmt.Sprintf("%s -P %d, one member", command, pipeline), aim: map[int]float64{1: 0.95, 16: 0.8}[pipeline]}
			for _, s := range one {
				b := &benchmark{addr: s.addr, command: command, pipeline: pipeline, o: f.o}
				c.systems = append(c.systems, system{s.name, b.measure})
			}
			cells = append(cells, c)
		}
	}
	more, err := prepareThree(ctx, f)
	return append(cells, more...), err
}

// prepareThree is prepare for systems of three.
func prepareThree(ctx context.Context, f *fleet) (cells []*cell, err error) {
	cluster, err := f.cluster(ctx)
	if err != nil {
		return nil, err
	}
	elsewhere := map[string]*load{"Redis Cluster": cluster}
	names := []string{"Redis Cluster", "cachemesh", "cachemesh, no hot copies"}
	cold := filepath.Join(f.o.scratch, "cold.yaml")
	if err := os.WriteFile(cold, []byte("redis: {prefixes: true}\ngroups: [{name: cold, noHotCopies: true}]\n"), 0o600); err != nil {
		return nil, err
	}
	for i, name := range names[1:] {
		var members []*member
		for len(members) < 3 {
			bootstrap := ""
			if len(members) > 0 {
				bootstrap = members[0].mesh
			}
			m, err := f.member(ctx, bootstrap, "--config", cold)
			if err != nil {
				return nil, err
			}
			members = append(members, m)
		}
		if elsewhere[name], err = members[0].elsewhere(ctx, []string{"default", "cold"}[i]); err != nil {
			return nil, err
		}
	}
	for _, pipeline := range []int{1, 16} {
		for _, command := range []string{"SET", "GET"} {
			c := &cell{name: fmt.Sprintf("%s -P %d, three, keys elsewhere", command, pipeline)}
			for _, name := range names {
				l := *elsewhere[name]
				l.command, l.pipeline, l.o = command, pipeline, f.o
				c.systems = append(c.systems, system{name, l.measure})
			}
			cells = append(cells, c)
		}
	}
	return cells, nil
}

// A benchmark is redis-benchmark against one server.
type benchmark struct {
	addr, command string
	pipeline      int
	o             options
	rate          float64 // of the last measurement
}

// measure makes as many requests as take about the time that is meant, by the last rate.
func (b *benchmark) measure(ctx context.Context) (float64, error) {
	if b.rate == 0 {
		if _, err := b.run(ctx, "SET", 16, 20*keys); err != nil { // so that there is something to read
			return 0, err
		}
		rate, err := b.run(ctx, b.command, b.pipeline, 20000*min(b.pipeline, 4))
		if err != nil {
			return 0, err
		}
		b.rate = rate
	}
	rate, err := b.run(ctx, b.command, b.pipeline, int(b.rate*b.o.seconds.Seconds()))
	if err == nil {
		b.rate = rate
	}
	return rate, err
}

func (b *benchmark) run(ctx context.Context, command string, pipeline, n int) (float64, error) {
	host, port := split(b.addr)
	cmd := exec.CommandContext(ctx, "redis-benchmark", "-h", host, "-p", port, "--csv", "-n", fmt.Sprint(n), "-c", fmt.Sprint(b.o.parallel),
		"-P", fmt.Sprint(pipeline), "-d", fmt.Sprint(size), "-r", fmt.Sprint(keys), "-t", command)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("redis-benchmark: %w: %s%s", err, out, complaints.Bytes())
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != command {
		return 0, fmt.Errorf("redis-benchmark said %q, %s", out, complaints.Bytes())
	}
	return strconv.ParseFloat(rows[1][1], 64)
}
