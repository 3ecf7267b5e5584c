package cachemesh_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A table is the database of an example, and a cachemesh.Writer of it.
type table struct {
	mu   sync.Mutex // guards rows
	rows map[string]string
}

func (t *table) Store(_ context.Context, id, row string) error { // INSERT … ON CONFLICT (id) DO UPDATE …
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[id] = row
	return nil
}

func (t *table) Delete(_ context.Context, id string) error { // DELETE FROM … WHERE id = $1
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rows, id)
	return nil
}

func (t *table) load(_ context.Context, id string) (string, error) { // SELECT … WHERE id = $1
	t.mu.Lock()
	defer t.mu.Unlock()
	row, ok := t.rows[id]
	if !ok {
		return "", cachemesh.ErrNotFound
	}
	return row, nil
}

// With a Writer, Set and Delete change the table first, at the owner of the key, one at a
// time per key: cache and table cannot disagree.
func ExampleWriter() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	users := &table{rows: make(map[string]string)}
	group, err := cachemesh.NewGroup(node, "users", users.load, cachemesh.GroupOptions[string]{
		Writer:      users,
		NotFoundTTL: time.Minute, // a Set ends it at once
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if err := group.Set(ctx, "42", "Ada", 0); err != nil {
		log.Fatal(err) // a *cachemesh.WriteError has what Store returned
	}
	fmt.Println(users.rows["42"])
	if err := group.Delete(ctx, "42"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(users.rows))
	// Output:
	// Ada
	// 0
}

type token struct {
	Text    string
	Expires time.Time
}

// TTLFunc gives each value the time that it says itself. One that has expired on its way is
// returned, and not kept.
func ExampleGroupOptions_ttlFunc() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	tokens, err := cachemesh.NewGroup(node, "tokens", func(_ context.Context, user string) (token, error) {
		return token{"token of " + user, time.Now().Add(time.Hour)}, nil // POST /oauth/token
	}, cachemesh.GroupOptions[token]{
		TTLFunc: func(_ string, t token) time.Duration { return time.Until(t.Expires) - time.Minute },
	})
	if err != nil {
		log.Fatal(err)
	}
	item, err := tokens.Item(context.Background(), "ada")
	fmt.Println(item.Value.Text, item.TTL.Round(time.Minute), err)
	// Output: token of ada 59m0s <nil>
}

// Keys of a type of your own: the loader has them as they are, and a hit by one allocates nothing.
func ExampleNewKeyedGroup() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	users, err := cachemesh.NewKeyedGroup(node, "users", cachemesh.KeyFormat[int64]{}, func(_ context.Context, id int64) (string, error) {
		return fmt.Sprint("user ", id), nil // SELECT … FROM users WHERE id = $1
	}, cachemesh.GroupOptions[string]{TTL: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(users.Get(context.Background(), 42))
	// Output: user 42 <nil>
}

// GetMany returns what it has: keys that do not exist are missing from the map, keys that
// failed have an error in KeyErrors, and the others are not held up by them.
func ExampleGroup_GetMany_errors() {
	node := newNode(cachemesh.Options{})
	defer node.Close()
	users, err := cachemesh.NewGroup(node, "users", nil, cachemesh.GroupOptions[string]{
		LoadMany: func(_ context.Context, ids []string) (map[string]string, error) {
			found, failed := make(map[string]string), make(cachemesh.KeyErrors)
			for _, id := range ids {
				switch id {
				case "ada", "grace":
					found[id] = "the user " + id
				case "alan":
					failed[id] = errors.New("the shard of this key is down")
				}
			}
			return found, failed
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ids := []string{"ada", "bob", "grace", "alan"}
	values, err := users.GetMany(context.Background(), ids)
	failed, ok := errors.AsType[cachemesh.KeyErrors](err)
	if err != nil && !ok {
		log.Fatal(err) // nothing could be asked: the node is closed, say
	}
	for _, id := range ids {
		value, ok := values[id]
		switch {
		case failed[id] != nil:
			fmt.Println(id, "failed") // ok too: value is past its TTL, and the error a *StaleError
		case ok:
			fmt.Println(value)
		default:
			fmt.Println(id, "does not exist")
		}
	}
	// Output:
	// the user ada
	// bob does not exist
	// the user grace
	// alan failed
}

// One budget for all groups of an instance, the default group of node.Set included.
func ExampleOptions_totalBytes() {
	node := newNode(cachemesh.Options{TotalBytes: 256 << 20})
	defer node.Close()
	for _, name := range []string{"users", "orders", "pages"} {
		if _, err := cachemesh.NewGroup[string](node, name, nil, cachemesh.GroupOptions[string]{}); err != nil {
			log.Fatal(err)
		}
	}
	for _, group := range node.Groups() {
		fmt.Printf("%q has %d MiB\n", group.Name(), group.Stats().MaxBytes>>20)
	}
	// Output:
	// "" has 16 MiB
	// "users" has 80 MiB
	// "orders" has 80 MiB
	// "pages" has 80 MiB
}

// serve runs a service until ctx ends: the node starts before the HTTP server and stops after
// it, so that no request finds it closed.
func serve(ctx context.Context, node *cachemesh.Node, listener net.Listener, handler http.Handler) error {
	if err := node.Start(); err != nil { // the groups are registered already
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	var err error
	select {
	case err = <-served: // it cannot serve
	case <-ctx.Done(): // SIGTERM, by signal.NotifyContext
		stop, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err = server.Shutdown(stop) // answers the requests that run
	}
	stop, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return errors.Join(err, node.Shutdown(stop)) // a *cachemesh.LostError says what nobody took
}

// A node beside an http.Server.
func ExampleNode_Shutdown() {
	node, err := cachemesh.New(cachemesh.Options{})
	if err != nil {
		log.Fatal(err)
	}
	users, err := cachemesh.NewGroup(node, "users", func(_ context.Context, id string) (string, error) {
		return "user " + id, nil
	}, cachemesh.GroupOptions[string]{TTL: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		user, err := users.Get(r.Context(), r.PathValue("id"))
		switch {
		case errors.Is(err, cachemesh.ErrNotFound):
			http.NotFound(w, r)
		case err != nil:
			http.Error(w, "try again", http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, user)
		}
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok") // the server listens after Start and until Shutdown: that is all
	})

	listener, err := net.Listen("tcp", "127.0.0.1:0") // ":8080"
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // signal.NotifyContext(…, os.Interrupt, syscall.SIGTERM)
	done := make(chan error)
	go func() { done <- serve(ctx, node, listener, mux) }()

	response, err := http.Get("http://" + listener.Addr().String() + "/users/42")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(string(body), err)
	http.DefaultClient.CloseIdleConnections()
	stop()
	fmt.Println(<-done)
	// Output:
	// user 42 <nil>
	// <nil>
}

// Mutual TLS between members: each shows a certificate that the same authority has signed.
// TLS protects calls and gossip streams, Secret the gossip packets.
func ExampleTLSFromFiles() {
	dir := writeCertificate() // yours come from cert-manager, or another authority
	defer os.RemoveAll(dir)
	config, err := cachemesh.TLSFromFiles(dir+"/tls.crt", dir+"/tls.key", dir+"/ca.crt")
	if err != nil {
		log.Fatal(err) // an *OptionError
	}
	config.ServerName = "cachemesh" // in all certificates: addresses of pods are in none
	options := cachemesh.Options{TLS: config, Secret: []byte("at least 16 random bytes, the same on all members")}
	first := newNode(options)
	defer first.Close()
	options.BootstrapNodes = []string{first.Addr()}
	second := newNode(options)
	defer second.Close()

	stranger, err := cachemesh.New(cachemesh.Options{BootstrapNodes: []string{first.Addr()}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(second.Members()), "members; a stranger:", errors.Is(stranger.Start(), cachemesh.ErrJoin))
	// Output: 2 members; a stranger: true
}

// writeCertificate writes a certificate for this machine, its key, and the authority, which is itself.
func writeCertificate() (dir string) {
	dir, err := os.MkdirTemp("", "cachemesh-tls-")
	key, err4 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"cachemesh"}, IsCA: true, BasicConstraintsValid: true}
	der, err2 := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	private, err3 := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		log.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{"tls.crt": certificate, "ca.crt": certificate, "tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			log.Fatal(err)
		}
	}
	return dir
}
