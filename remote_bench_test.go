package cachemesh_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// benchMemberEnv makes the test binary a member of a mesh until its input ends. It
// names the member to join.
const benchMemberEnv = "CACHEMESH_BENCH_MEMBER"

// benchMember is the child process.
func benchMember(seed string) error {
	node, groups, err := benchNode([]string{seed})
	if err != nil {
		return err
	}
	defer node.Close()
	fmt.Println(node.Addr(), len(groups))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

var benchSizes = []int{128, 4 << 10, 64 << 10}

// benchNode starts a member with a group for each size of value.
func benchNode(seeds []string) (*cachemesh.Node, map[int]*cachemesh.Group[[]byte], error) {
	node, err := cachemesh.New(cachemesh.Options{BootstrapNodes: seeds, RequireJoin: true})
	if err != nil {
		return nil, nil, err
	}
	groups := make(map[int]*cachemesh.Group[[]byte])
	for _, size := range benchSizes {
		value := make([]byte, size)
		groups[size], err = cachemesh.NewGroup(node, fmt.Sprint(size), func(context.Context, string) ([]byte, error) { return value, nil },
			cachemesh.GroupOptions[[]byte]{NoHotCopies: true, MaxBytes: 64 << 20})
		if err != nil {
			return nil, nil, err
		}
	}
	return node, groups, node.Start()
}

// startBenchMesh starts a mesh of members in processes of their own, but for the first.
func startBenchMesh(b *testing.B, members int) (*cachemesh.Node, map[int]*cachemesh.Group[[]byte]) {
	node, groups, err := benchNode(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { node.Close() })
	for range members - 1 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), benchMemberEnv+"="+node.Addr())
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { in.Close(); cmd.Wait() })
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			b.Fatal(err)
		}
	}
	for end := time.Now().Add(10 * time.Second); len(node.Members()) != members; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			b.Fatal("the members do not find each other")
		}
	}
	return node, groups
}

// ownedElsewhere returns keys that other members own: reading one calls a peer.
func ownedElsewhere(b *testing.B, g *cachemesh.Group[[]byte], n int) []string {
	var keys []string
	for i := 0; len(keys) < n; i++ {
		key := fmt.Sprintf("item:%08d", i)
		before := g.Stats().PeerCalls
		if _, err := g.Get(context.Background(), key); err != nil {
			b.Fatal(err)
		}
		if g.Stats().PeerCalls > before {
			keys = append(keys, key)
		}
	}
	return keys
}

// BenchmarkRemote measures calls to a member in another process.
func BenchmarkRemote(b *testing.B) {
	_, groups := startBenchMesh(b, 2)
	for _, size := range benchSizes {
		g := groups[size]
		keys := ownedElsewhere(b, g, min(10_000, 16<<20/size))
		get := func(ctx context.Context, key string) error { _, err := g.Get(ctx, key); return err }
		for _, callers := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("get/%d/callers=%d", size, callers), func(b *testing.B) { benchCallers(b, callers, keys, get) })
		}
		if size > 128 {
			continue
		}
		value := make([]byte, size)
		b.Run("set/128/callers=64", func(b *testing.B) {
			benchCallers(b, 64, keys, func(ctx context.Context, key string) error { return g.Set(ctx, key, value, 0) })
		})
		b.Run("delete/128/callers=64", func(b *testing.B) {
			benchCallers(b, 64, keys, func(ctx context.Context, key string) error { return g.Delete(ctx, key) })
		})
	}
}

// BenchmarkRemoteMany measures GetMany of 100 keys that three members in three
// processes own; ns/op is per key.
func BenchmarkRemoteMany(b *testing.B) {
	_, groups := startBenchMesh(b, 3)
	g := groups[128]
	var keys []string
	for i := range 10_000 {
		keys = append(keys, fmt.Sprintf("item:%08d", i))
	}
	var starts []string // where to start, as callers take strings
	for i := range len(keys) - 100 {
		starts = append(starts, keys[i*7919%(len(keys)-100)])
	}
	get := func(ctx context.Context, start string) error {
		var i int
		fmt.Sscanf(start, "item:%08d", &i)
		_, err := g.GetMany(ctx, keys[i:i+100])
		return err
	}
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchCallers(b, callers, starts, get) })
	}
}

func benchCallers(b *testing.B, callers int, keys []string, op func(context.Context, string) error) {
	ctx := context.Background()
	for _, key := range keys {
		if err := op(ctx, key); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for i := range callers {
		wg.Go(func() {
			for at := i * len(keys) / callers; left.Add(-1) >= 0; at++ {
				if err := op(ctx, keys[at%len(keys)]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
