package comingfrom

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/olric-data/olric"
	"github.com/olric-data/olric/config"
	"github.com/redis/go-redis/v9"

	"github.com/praveenduddu/cachemesh"
)

// A service reads users, and changes them if its cache lets it.
type service interface {
	get(ctx context.Context, id string) (string, error)
}

type changer interface {
	change(ctx context.Context, id, row string) error
}

// check has a service read a row twice, and change it: it is read once before and once after.
func check(t *testing.T, s service, db *table) {
	t.Helper()
	read := func(want string, reads int64) {
		t.Helper()
		for range 2 {
			if row, err := s.get(t.Context(), "42"); row != want || err != nil {
				t.Fatalf("got %q, %v, want %q", row, err, want)
			}
		}
		if got := db.reads.Load(); got != reads {
			t.Errorf("the table was read %d times, want %d", got, reads)
		}
	}
	read("Ada", 1)
	c, ok := s.(changer)
	if !ok {
		return // golang/groupcache
	}
	if err := c.change(t.Context(), "42", "Grace"); err != nil {
		t.Fatal(err)
	}
	read("Grace", 2)
}

func users() *table { return newTable(map[string]string{"42": "Ada"}) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestCacheMesh(t *testing.T) {
	node := must(cachemesh.New(cachemesh.Options{}))
	defer node.Close()
	db := users()
	s := must(openMesh(node, db))
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	check(t, s, db)
	if _, err := s.get(t.Context(), "43"); !errors.Is(err, cachemesh.ErrNotFound) {
		t.Errorf("a user that does not exist: %v", err)
	}
}

func TestGroupcache(t *testing.T) {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	self, db := "http://"+listener.Addr().String(), users()
	s, pool := openGroupcache(self, []string{self}, db)
	server := &http.Server{Handler: pool}
	defer server.Close()
	go server.Serve(listener)
	check(t, s, db)
}

func TestGroupcacheGo(t *testing.T) {
	db, self := users(), freeAddr()
	s := must(openMailgun(t.Context(), self, []string{self}, db))
	defer s.daemon.Shutdown(context.Background())
	check(t, s, db)
}

func TestOlric(t *testing.T) {
	c := config.New("local")
	c.BindAddr, c.BindPort = splitAddr(freeAddr())
	c.MemberlistConfig.BindAddr, c.MemberlistConfig.BindPort = splitAddr(freeAddr())
	c.MemberlistConfig.AdvertisePort = c.MemberlistConfig.BindPort
	c.LogOutput, c.Logger = io.Discard, log.New(io.Discard, "", 0)
	started := make(chan struct{})
	c.Started = func() { close(started) }
	member := must(olric.New(c))
	failed := make(chan error, 1)
	go func() { failed <- member.Start() }()
	defer member.Shutdown(context.Background())
	select {
	case <-started:
	case err := <-failed:
		t.Fatal(err)
	}
	db := users()
	check(t, must(openOlric(member, db)), db)
}

func TestRedis(t *testing.T) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed")
	}
	addr := freeAddr()
	_, port := splitAddr(addr)
	server := exec.Command(program, "--port", strconv.Itoa(port), "--save", "")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { server.Process.Kill(); server.Wait() }()
	// It is asked until it listens.
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: 100, MaxRetryBackoff: 50 * time.Millisecond})
	defer client.Close()
	db := users()
	check(t, &redisUsers{db: db, client: client}, db)
}

func TestOtter(t *testing.T) {
	db := users()
	check(t, openOtter(db), db)
}

func TestSturdyc(t *testing.T) {
	db := users()
	check(t, openSturdyc(db), db)
}

// ristretto may drop a Set, and applies it later: it is asked until it has it.
func TestRistretto(t *testing.T) {
	db := users()
	s := must(openRistretto(db))
	defer s.cache.Close()
	patient := &settled{s}
	check(t, patient, db)
}

type settled struct{ *ristrettoUsers }

func (s *settled) get(ctx context.Context, id string) (string, error) {
	row, err := s.ristrettoUsers.get(ctx, id)
	s.cache.Wait()
	return row, err
}

// TestLoadBesideAChange shows the difference that matters most: a row that was read before a
// change, and comes after it. CacheMesh does not keep it; a cache beside the database does.
func TestLoadBesideAChange(t *testing.T) {
	node := must(cachemesh.New(cachemesh.Options{}))
	defer node.Close()
	var reads atomic.Int64
	began, changed := make(chan struct{}), make(chan struct{})
	group := must(cachemesh.NewGroup(node, "users", func(context.Context, string) (string, error) {
		if reads.Add(1) > 1 {
			return "Grace", nil
		}
		close(began) // "Ada" is read, and then the row changes
		<-changed
		return "Ada", nil
	}, cachemesh.GroupOptions[string]{}))
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	before := make(chan string, 1)
	go func() {
		row, _ := group.Get(context.Background(), "42")
		before <- row
	}()
	<-began
	if err := group.Delete(t.Context(), "42"); err != nil {
		t.Fatal(err)
	}
	close(changed)
	<-before
	for range 2 {
		if row, err := group.Get(t.Context(), "42"); row != "Grace" || err != nil {
			t.Errorf("after the change: %q, %v", row, err)
		}
	}
}

func freeAddr() string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	return listener.Addr().String()
}

func splitAddr(addr string) (string, int) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		panic(err)
	}
	return host, must(strconv.Atoi(port))
}
