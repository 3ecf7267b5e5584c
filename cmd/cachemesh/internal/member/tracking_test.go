package member_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/redis/rueidis"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
)

// What a client of one member keeps, of the default group and of others, goes when a client of
// another member writes it.
func TestClientsKeepWhatTheyRead(t *testing.T) {
	c := local()
	c.Redis.Prefixes, c.Groups = true, []config.Group{{Name: "sessions"}}
	all := mesh(t, 2, c)
	reader, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{all[0].RedisAddr.String()}})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	writer := goredis.NewClient(&goredis.Options{Addr: all[1].RedisAddr.String()})
	defer writer.Close()
	for i := range 20 {
		key := fmt.Sprint([]string{"", "sessions:"}[i%2], "k", i)
		get := func() rueidis.RedisResult {
			return reader.DoCache(t.Context(), reader.B().Get().Key(key).Cache(), time.Minute)
		}
		if err := writer.Set(t.Context(), key, "old", time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		if v, err := get().ToString(); v != "old" || err != nil {
			t.Fatal(v, err)
		}
		if !get().IsCacheHit() {
			t.Errorf("%s is not kept", key)
		}
		if err := writer.Set(t.Context(), key, "new", time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		for begin := time.Now(); ; {
			if v, err := get().ToString(); v == "new" && err == nil {
				break
			} else if time.Since(begin) > time.Second {
				t.Fatalf("%s: %q, %v a second after the write", key, v, err)
			}
		}
	}
}

// toldKeys is what a client of go-redis is told.
type toldKeys chan any

func (told toldKeys) HandlePushNotification(_ context.Context, _ push.NotificationHandlerContext, notification []any) error {
	told <- notification[1]
	return nil
}

// A connection of go-redis is told of each key that it has read, before the write is answered.
func TestGoRedisIsTold(t *testing.T) {
	all := mesh(t, 2, local())
	client := goredis.NewClient(&goredis.Options{Addr: all[0].RedisAddr.String(), Protocol: 3})
	defer client.Close()
	told := make(toldKeys, 1)
	if err := client.RegisterPushNotificationHandler("invalidate", told, false); err != nil {
		t.Fatal(err)
	}
	writer := goredis.NewClient(&goredis.Options{Addr: all[1].RedisAddr.String()})
	defer writer.Close()
	conn := client.Conn()
	defer conn.Close()
	if err := conn.Do(t.Context(), "CLIENT", "TRACKING", "ON").Err(); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		key := fmt.Sprint("k", i)
		if err := writer.Set(t.Context(), key, "old", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if v, err := conn.Get(t.Context(), key).Result(); v != "old" || err != nil {
			t.Fatal(v, err)
		}
		if err := writer.Set(t.Context(), key, "new", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if err := conn.Ping(t.Context()).Err(); err != nil { // it takes what it is told with an answer
			t.Fatal(err)
		}
		select {
		case keys := <-told:
			if fmt.Sprint(keys) != "["+key+"]" {
				t.Errorf("told %v, want %s", keys, key)
			}
		default:
			t.Errorf("%s was written, and its reader is not told", key)
		}
	}
}

// Clients of Node, against two members; what they do is in clients/clients.mjs. It runs where their
// packages are: npm ci --prefix clients.
func TestNodeClients(t *testing.T) {
	dir := filepath.Join("..", "..", "clients")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		t.Skip("their packages are not installed: npm ci --prefix cmd/cachemesh/clients")
	}
	all := mesh(t, 2, local())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", filepath.Join(dir, "clients.mjs"), all[0].RedisAddr.String(), all[1].RedisAddr.String()).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
