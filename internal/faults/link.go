//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// Kinds of questions. The controller asks all but kindLoad, which members ask.
const (
	kindGet      = "get"
	kindSet      = "set"
	kindDelete   = "delete"
	kindMembers  = "members"  // → Names
	kindSettled  = "settled"  // answered once nobody acts by an older view
	kindHotHits  = "hot hits" // → Value
	kindLoads    = "loads"    // → Value
	kindHeld     = "held"     // → Names: keys of rows that the member owns and holds
	kindLeave    = "leave"    // Shutdown; the process ends when it is answered
	kindLoad     = "load"
	kindHello    = "hello"   // the first message: Key is the member's name
	kindPut      = "put"     // Copies: in which group; Key, Value
	kindFetch    = "fetch"   // Copies: from which group; Key → Value
	kindWrong    = "wrong"   // Copies: in which group; Names: numbered keys → Names: those that do not have their number
	kindLacking  = "lacking" // → Value: how many values of the groups with copies have too few
	groupRows    = "rows"
	probeTimeout = 30 * time.Second
)

// A message is a question or its answer.
type message struct {
	ID      uint64
	Answer  bool          `json:",omitempty"`
	Kind    string        `json:",omitempty"`
	Key     string        `json:",omitempty"`
	Value   int           `json:",omitempty"`
	Timeout time.Duration `json:",omitempty"`
	Names   []string      `json:",omitempty"`
	Copies  int           `json:",omitempty"`

	Err      string `json:",omitempty"`
	NotFound bool   `json:",omitempty"`
	Minority bool   `json:",omitempty"`
	Maybe    bool   `json:",omitempty"`
}

// A link carries questions and answers both ways between the controller and a
// member, over a socket in the file system, which no fault of the network
// touches.
type link struct {
	conn   net.Conn
	answer func(message) message // answers questions; called on a goroutine of its own

	mu      sync.Mutex // guards the fields below, and writing
	out     *json.Encoder
	next    uint64
	waiting map[uint64]chan message

	closed chan struct{} // closed when run ends
}

func newLink(conn net.Conn, answer func(message) message) *link {
	return &link{conn: conn, answer: answer, out: json.NewEncoder(conn), waiting: make(map[uint64]chan message), closed: make(chan struct{})}
}

// run reads until the connection ends, and waits for the answers it asked for.
func (l *link) run(in *json.Decoder) {
	var work sync.WaitGroup
	defer work.Wait()
	defer close(l.closed)
	for {
		var m message
		if in.Decode(&m) != nil {
			return
		}
		if !m.Answer {
			work.Go(func() {
				a := l.answer(m)
				a.ID, a.Answer = m.ID, true
				l.send(a)
			})
			continue
		}
		l.mu.Lock()
		waiter := l.waiting[m.ID]
		delete(l.waiting, m.ID)
		l.mu.Unlock()
		if waiter != nil {
			waiter <- m
		}
	}
}

func (l *link) send(m message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Encode(m) // a member that stands still has room for thousands
}

var errGone = errors.New("the process has ended")

// ask asks a question and waits for its answer.
func (l *link) ask(ctx context.Context, m message) (message, error) {
	answered := make(chan message, 1)
	l.mu.Lock()
	l.next++
	m.ID = l.next
	l.waiting[m.ID] = answered
	l.mu.Unlock()
	if l.send(m) != nil {
		return message{}, errGone
	}
	select {
	case a := <-answered:
		return a, a.error()
	case <-l.closed:
		return message{}, errGone
	case <-ctx.Done():
		l.mu.Lock()
		delete(l.waiting, m.ID)
		l.mu.Unlock()
		return message{}, ctx.Err()
	}
}

// fail puts an error into an answer.
func (m *message) fail(err error) {
	if err == nil {
		return
	}
	m.Err = err.Error()
	m.NotFound = errors.Is(err, cachemesh.ErrNotFound)
	m.Minority = errors.Is(err, cachemesh.ErrMinority)
	if pe, ok := errors.AsType[*cachemesh.PeerError](err); ok {
		m.Maybe = pe.MaybeApplied
	}
}

// error returns what fail put in.
func (m *message) error() error {
	switch {
	case m.Err == "":
		return nil
	case m.NotFound:
		return cachemesh.ErrNotFound
	case m.Minority:
		return &cachemesh.PeerError{MaybeApplied: m.Maybe, Err: fmt.Errorf("%w: %s", cachemesh.ErrMinority, m.Err)}
	case m.Maybe:
		return &cachemesh.PeerError{MaybeApplied: true, Err: errors.New(m.Err)}
	}
	return errors.New(m.Err)
}
