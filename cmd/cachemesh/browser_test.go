package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// The program's dashboard, as a person sees it after a member was killed: light and dark, wide and narrow. It
// runs where CACHEMESH_BROWSER is set to the browser's program, and dashboard/browser/node_modules is there;
// with CACHEMESH_SCREENSHOTS, the pictures of README.md are written to that directory, after some minutes of
// traffic.
func TestDashboardInBrowser(t *testing.T) {
	chromium, pictures := os.Getenv("CACHEMESH_BROWSER"), os.Getenv("CACHEMESH_SCREENSHOTS")
	if chromium == "" {
		t.Skip("CACHEMESH_BROWSER does not say which browser")
	}
	settings := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(settings, []byte("redis: {prefixes: true}\ngroups: [{name: sessions, maxBytes: 8MiB}, {name: pages, kind: cache, ttl: 5s, maxBytes: 4MiB}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []*process
	for i := range 3 {
		args := append(anywhere, "--config", settings, "--name", fmt.Sprint("shop-", i))
		if i > 0 {
			args = append(args, "--bootstrap", all[0].mesh, "--require-join")
		}
		all = append(all, start(t, args...))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var shops sync.WaitGroup
	last, endLast := context.WithCancel(ctx)
	defer endLast()
	for i, p := range all {
		shops.Go(func() { shop([]context.Context{ctx, ctx, last}[i], p.redis) })
	}
	defer shops.Wait()
	defer cancel()
	busy := 3 * time.Second
	if pictures != "" {
		busy = 4 * time.Minute
	}
	time.Sleep(busy)
	endLast()
	all[2].end(syscall.SIGKILL)
	look, stop := context.WithTimeout(ctx, 3*time.Minute)
	defer stop()
	out, err := exec.CommandContext(look, "node", filepath.Join("..", "..", "dashboard", "browser", "pictures.mjs"),
		"http://"+all[0].http+"/", chromium, "pages", "shop-2", cmp.Or(pictures, "-")).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// shop sets and reads sessions, and reads pages, which it makes if nobody has: by its member, until ctx ends.
func shop(ctx context.Context, addr string) {
	client := goredis.NewClient(&goredis.Options{Addr: addr})
	defer client.Close()
	for ctx.Err() == nil {
		session, page := fmt.Sprint("sessions:", int(rand.ExpFloat64()*300)), fmt.Sprint("page-", int(rand.ExpFloat64()*60))
		if rand.N(8) == 0 {
			client.Set(ctx, session, page, 10*time.Minute)
		}
		client.Get(ctx, session)
		if won, _ := client.Do(ctx, "CM.GET", "pages", page).Slice(); len(won) > 1 && won[0] == "won" {
			time.Sleep(rand.N(6 * time.Millisecond)) // it is made
			if rand.N(100) == 0 {
				client.Do(ctx, "CM.FAIL", "pages", page, won[1], "the database is busy")
			} else {
				client.Do(ctx, "CM.FILL", "pages", page, won[1], "a page")
			}
		}
		time.Sleep(rand.N(8*time.Millisecond) * time.Duration(1+time.Now().Second()/20))
	}
}
