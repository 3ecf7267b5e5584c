package cachemesh_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sort"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A service reads users through the mesh: the second Get does not load.
func Example() {
	node, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := node.Start(); err != nil {
		log.Fatal(err)
	}
	defer node.Shutdown(context.Background())

	users, err := cachemesh.NewGroup(node, "users", func(ctx context.Context, id string) (string, error) {
		fmt.Println("loading user", id) // SELECT … FROM users WHERE id = $1
		return "user " + id, nil
	}, cachemesh.GroupOptions[string]{TTL: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		fmt.Println(users.Get(context.Background(), "42"))
	}
	// Output:
	// loading user 42
	// user 42 <nil>
	// user 42 <nil>
}

// newNode starts a node for an example.
func newNode(o cachemesh.Options) *cachemesh.Node {
	node, err := cachemesh.New(o)
	if err != nil {
		log.Fatal(err)
	}
	if err := node.Start(); err != nil {
		log.Fatal(err)
	}
	return node
}

// newMap registers a group without a loader for an example.
func newMap(node *cachemesh.Node) *cachemesh.Group[string] {
	g, err := cachemesh.NewGroup[string](node, "capitals", nil, cachemesh.GroupOptions[string]{})
	if err != nil {
		log.Fatal(err)
	}
	return g
}

// What a service says in production.
func ExampleOptions() {
	node, err := cachemesh.New(cachemesh.Options{
		ListenAddr:     ":3000",                                       // TCP and UDP: everything goes through this port
		AdvertiseAddr:  net.JoinHostPort(os.Getenv("POD_IP"), "3000"), // in a container: its own address
		BootstrapNodes: []string{"my-service.internal:3000"},          // a DNS name stands for all its addresses
		Mesh:           "my-service",                                  // another service's members are not let in
		Secret:         []byte(os.Getenv("CACHEMESH_SECRET")),         // nor who does not know it
		TotalBytes:     256 << 20,                                     // of memory for all groups together
		Logger:         slog.Default(),
	})
	if err != nil {
		log.Fatal(err) // an *OptionError names the option
	}
	defer node.Close()
}

// Two members, one mesh: what one sets, the other gets.
func ExampleNew() {
	first := newNode(cachemesh.Options{})
	defer first.Close()
	second := newNode(cachemesh.Options{BootstrapNodes: []string{first.Addr()}})
	defer second.Close()

	if err := first.Set([]byte("hello"), []byte("world"), time.Minute); err != nil {
		log.Fatal(err)
	}
	value, err := second.Get([]byte("hello"))
	fmt.Printf("%s %v, %d members\n", value, err, len(second.Members()))
	// Output: world <nil>, 2 members
}

// An option that cannot be used is named by the error.
func ExampleOptionError() {
	_, err := cachemesh.New(cachemesh.Options{ListenAddr: "3000"})
	var bad *cachemesh.OptionError
	fmt.Println(errors.As(err, &bad), bad.Option)
	// Output: true ListenAddr
}

// A mesh whose peer connections are served by a server of your own.
func ExampleNode_Handler() {
	node, err := cachemesh.New(cachemesh.Options{
		ListenAddr:     "127.0.0.1:3456", // UDP only; TCP of the same port is yours
		AdvertiseAddr:  "127.0.0.1:3456",
		ExternalServer: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	mux := http.NewServeMux()
	mux.Handle("/_cachemesh/", node.Handler())
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	fmt.Println(node.Addr())
	// Output: 127.0.0.1:3456
}

type account struct {
	Name  string
	Email string
}

// A group of structs: they are JSON between members, and decoded once per
// member.
func ExampleNewGroup() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	users, err := cachemesh.NewGroup(node, "users", func(_ context.Context, id string) (account, error) {
		if id != "ada" {
			return account{}, fmt.Errorf("user %q: %w", id, cachemesh.ErrNotFound)
		}
		return account{"Ada", "ada@example.org"}, nil
	}, cachemesh.GroupOptions[account]{TTL: time.Minute, NotFoundTTL: time.Second})
	if err != nil {
		log.Fatal(err)
	}
	ada, err := users.Get(context.Background(), "ada")
	fmt.Println(ada.Email, err)
	_, err = users.Get(context.Background(), "bob")
	fmt.Println(errors.Is(err, cachemesh.ErrNotFound))
	// Output:
	// ada@example.org <nil>
	// true
}

// Change the row first, then Delete the key: when Delete has returned, no member
// serves the old row any more.
func ExampleGroup_Delete() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	row := "old"
	g, err := cachemesh.NewGroup(node, "rows", func(context.Context, string) (string, error) { return row, nil }, cachemesh.GroupOptions[string]{})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	before, _ := g.Get(ctx, "1")
	row = "new" // UPDATE …
	if err := g.Delete(ctx, "1"); err != nil {
		log.Fatal(err)
	}
	after, _ := g.Get(ctx, "1")
	fmt.Println(before, after)
	// Output: old new
}

func ExampleGroup_Set() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	capitals := newMap(node)
	ctx := context.Background()
	if err := capitals.Set(ctx, "France", "Paris", time.Minute); err != nil {
		log.Fatal(err)
	}
	fmt.Println(capitals.Get(ctx, "France"))
	// Output: Paris <nil>
}

// GetMany makes one call per owner, and one of LoadMany per owner for what is
// missing.
func ExampleGroup_GetMany() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	squares, err := cachemesh.NewGroup(node, "squares", nil, cachemesh.GroupOptions[int]{
		LoadMany: func(_ context.Context, keys []string) (map[string]int, error) {
			rows := make(map[string]int, len(keys)) // SELECT … WHERE id = ANY($1)
			for _, key := range keys {
				n := len(key)
				rows[key] = n * n
			}
			return rows, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	values, err := squares.GetMany(context.Background(), []string{"a", "bb", "ccc"})
	fmt.Println(values["a"], values["bb"], values["ccc"], err)
	// Output: 1 4 9 <nil>
}

func ExampleGroup_Clear() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	capitals := newMap(node)
	ctx := context.Background()
	capitals.Set(ctx, "France", "Paris", 0)
	if err := capitals.Clear(ctx); err != nil {
		log.Fatal(err)
	}
	_, err := capitals.Get(ctx, "France")
	fmt.Println(errors.Is(err, cachemesh.ErrNotFound))
	// Output: true
}

// Peek looks into memory and never loads.
func ExampleGroup_Peek() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	g, err := cachemesh.NewGroup(node, "g", func(_ context.Context, key string) (string, error) { return "loaded", nil }, cachemesh.GroupOptions[string]{})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_, err = g.Peek(ctx, "k")
	fmt.Println(errors.Is(err, cachemesh.ErrNotFound))
	g.Get(ctx, "k")
	fmt.Println(g.Peek(ctx, "k"))
	// Output:
	// true
	// loaded <nil>
}

// Warm loads keys into their owners before traffic comes.
func ExampleGroup_Warm() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	g, err := cachemesh.NewGroup(node, "g", func(_ context.Context, key string) (string, error) { return "row " + key, nil }, cachemesh.GroupOptions[string]{})
	if err != nil {
		log.Fatal(err)
	}
	err = g.Warm(context.Background(), slices.Values([]string{"a", "b", "c"}), func(done, failed int) {
		fmt.Println(done, "loaded,", failed, "failed")
	})
	fmt.Println(err, g.Stats().Entries)
	// Output:
	// 3 loaded, 0 failed
	// <nil> 3
}

// All iterates over what this member holds.
func ExampleGroup_All() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	capitals := newMap(node)
	capitals.Set(context.Background(), "France", "Paris", 0)
	capitals.Set(context.Background(), "Peru", "Lima", 0)
	var lines []string
	for country, capital := range capitals.All() {
		lines = append(lines, country+": "+capital)
	}
	sort.Strings(lines)
	fmt.Println(lines)
	// Output: [France: Paris Peru: Lima]
}

// With StaleFor, a failing loader yields the old value beside its error.
func ExampleStaleError() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	up := true
	g, err := cachemesh.NewGroup(node, "prices", func(context.Context, string) (int, error) {
		if !up {
			return 0, errors.New("the database is down")
		}
		return 42, nil
	}, cachemesh.GroupOptions[int]{TTL: time.Nanosecond, StaleFor: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	g.Get(ctx, "tea")
	up = false
	price, err := g.Get(ctx, "tea")
	_, stale := errors.AsType[*cachemesh.StaleError](err)
	fmt.Println(price, stale)
	// Output: 42 true
}
