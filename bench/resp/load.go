package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A load is requests for keys whose places are known: each connection asks one server for the keys that it is
// asked for, as clients do that know where keys are. It writes and reads bytes and does nothing else,
// so that it measures servers.
type load struct {
	places   []place
	command  string
	pipeline int
	o        options
}

// A place is a server and the keys for which it is asked.
type place struct {
	addr string
	keys []string
}

func (l *load) measure(ctx context.Context) (perSecond float64, err error) {
	if err := l.fill(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.o.seconds)
	defer cancel()
	var done atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, l.o.parallel)
	began := time.Now()
	for i := range l.o.parallel {
		all.Go(func() {
			if err := l.ask(ctx, &l.places[i%len(l.places)], i, &done); err != nil {
				failed <- err
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return 0, err
	default:
		return float64(done.Load()) / took.Seconds(), nil
	}
}

// ask asks for the place's keys, pipeline of them at a time, until ctx ends.
func (l *load) ask(ctx context.Context, p *place, from int, done *atomic.Int64) error {
	nc, err := net.Dial("tcp", p.addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	batches, want := l.batches(p)
	got := make([]byte, len(want))
	for i := from; ctx.Err() == nil; i++ {
		if _, err := nc.Write(batches[i%len(batches)]); err != nil {
			return err
		}
		if _, err := io.ReadFull(nc, got); err != nil {
			return fmt.Errorf("%w after %q", err, got)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s answered %.300q", p.addr, got)
		}
		done.Add(int64(l.pipeline))
	}
	return nil
}

// batches returns the requests for all keys of a place, and what answers each batch.
func (l *load) batches(p *place) (all [][]byte, answer []byte) {
	value := strings.Repeat("v", size)
	one := "+OK\r\n"
	if l.command == "GET" {
		one = fmt.Sprintf("$%d\r\n%s\r\n", size, value)
	}
	for at := 0; at+l.pipeline <= len(p.keys); at += l.pipeline {
		var b bytes.Buffer
		for _, key := range p.keys[at : at+l.pipeline] {
			if l.command == "GET" {
				fmt.Fprintf(&b, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key)
			} else {
				fmt.Fprintf(&b, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(key), key, size, value)
			}
		}
		all = append(all, b.Bytes())
	}
	return all, []byte(strings.Repeat(one, l.pipeline))
}

// fill sets all keys.
func (l *load) fill() error {
	for _, p := range l.places {
		set := load{command: "SET", pipeline: 1}
		batches, _ := set.batches(&p)
		nc, err := net.Dial("tcp", p.addr)
		if err != nil {
			return err
		}
		defer nc.Close()
		go func() {
			for _, b := range batches {
				nc.Write(b)
			}
		}()
		answers := bufio.NewReader(nc)
		for range batches {
			if line, err := answers.ReadString('\n'); err != nil || line != "+OK\r\n" {
				return fmt.Errorf("%s answered SET with %q, %v", p.addr, line, err)
			}
		}
	}
	return nil
}
