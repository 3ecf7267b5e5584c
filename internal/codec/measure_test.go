package codec

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

type ringOf struct {
	next *ringOf
	text string
}

type sized struct {
	Text string
	says func() int
}

func (s sized) CacheSize() int { return s.says() }

// TestMeasuredIsWhatTheHeapTakes compares what values are said to take with the heap.
func TestMeasuredIsWhatTheHeapTakes(t *testing.T) {
	type row struct {
		ID    int64
		Name  string
		Tags  []string
		Links map[string]int64
		Sub   *row
	}
	parse := func(text string) func() any {
		return func() any {
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	for name, build := range map[string]func() any{
		"strings": func() any { return []string{strings.Repeat("a", 100), strings.Repeat("b", 5000)} },
		"bytes":   func() any { return [][]byte{make([]byte, 10, 3000), nil, {}} },
		"row": func() any {
			return &row{Name: strings.Repeat("n", 20), Tags: make([]string, 3, 40), Sub: &row{Links: map[string]int64{"a": 1}}}
		},
		"numbers": func() any {
			m := map[int]int{}
			for i := range 100 {
				m[i] = i
			}
			return m
		},
		"map": func() any {
			m := map[string][]int{}
			for i := range 1500 {
				m[fmt.Sprint("key", i)] = []int{i}
			}
			return m
		},
		"large": func() any {
			m := map[int][200]byte{}
			for i := range 20 {
				m[i] = [200]byte{}
			}
			return m
		},
		"few":   func() any { return map[string]string{"a": strings.Repeat("a", 30)} },
		"tree":  parse(`[{"a":1.5,"b":"text","c":[1,2,3,{"d":null}],"e":{}},"x",true]`),
		"deep":  parse(strings.Repeat("[", 500) + strings.Repeat("]", 500)),
		"cycle": func() any { r := &ringOf{text: strings.Repeat("c", 40)}; r.next = &ringOf{next: r}; return r },
	} {
		t.Run(name, func(t *testing.T) {
			const copies = 300
			all := make([]any, copies)
			before := liveBytes()
			for i := range all {
				all[i] = build()
			}
			took := float64(liveBytes()-before) / copies
			one := struct{ v any }{all[0]}
			n, ok := measured(reflect.ValueOf(&one).Elem())
			t.Logf("takes %.0f bytes, measured %d", took, n)
			if !ok || float64(n) < 0.8*took-16 || float64(n) > 1.2*took+48 {
				t.Errorf("measured %d, %t, the heap says %.0f", n, ok, took)
			}
			runtime.KeepAlive(all)
		})
	}
}

// TestSpareRoomIsNotLookedAt: behind a slice's end may be what a codec is writing for
// others, if it cuts slices from one array.
func TestSpareRoomIsNotLookedAt(t *testing.T) {
	array := make([]*ringOf, 2)
	for range measureDepth {
		array[1] = &ringOf{next: array[1]} // too deep to be measured
	}
	v := array[:1]
	if n, ok := measured(reflect.ValueOf(&v).Elem()); n != 16 || !ok {
		t.Errorf("measured %d, %t, want the array's 16", n, ok)
	}
}

// TestTimesAreSmall: the tables of this machine's time zone are not each value's.
func TestTimesAreSmall(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip(err)
	}
	defer func(former *time.Location) { time.Local = former }(time.Local)
	time.Local = zone
	for text, most := range map[string]int64{"2026-11-25T20:00:00-05:00": 0, "2026-11-25T20:00:00Z": 0, "2026-11-25T20:00:00+05:31": 300} {
		var v struct{ At time.Time }
		if err := json.Unmarshal([]byte(`{"At":"`+text+`"}`), &v); err != nil {
			t.Fatal(err)
		}
		if n, ok := measured(reflect.ValueOf(&v).Elem()); !ok || n > most || n == 0 && most > 0 {
			t.Errorf("%s: measured %d, %t, want %d at most", text, n, ok, most)
		}
	}
}

// TestOnePlaceTwice: what begins where something smaller does counts, too.
func TestOnePlaceTwice(t *testing.T) {
	type row struct {
		ID   int64
		Data [1 << 16]byte
		More []string
	}
	all := &row{More: []string{"text"}}
	v := struct {
		ID         *int64
		All, Again *row
	}{&all.ID, all, all}
	if n, ok := measured(reflect.ValueOf(&v).Elem()); !ok || n < 1<<16 || n > 3<<15 {
		t.Errorf("measured %d, %t, want %d and a little", n, ok, 1<<16)
	}
}

func liveBytes() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// TestWhatCannotBeMeasured must end, and say so.
func TestWhatCannotBeMeasured(t *testing.T) {
	type list []list
	endless := list{nil, nil}
	endless[0], endless[1] = endless, endless
	var chain *ringOf
	for range measureDepth {
		chain = &ringOf{next: chain}
	}
	for name, v := range map[string]any{"endless": endless, "deep": chain, "many": make([]string, measureNodes+1)} {
		if n, ok := measured(reflect.ValueOf(&v).Elem()); ok {
			t.Errorf("%s: measured %d", name, n)
		}
	}
}

// TestWhatMayBeChangingIsNotMeasured: it is written while it would be looked at.
func TestWhatMayBeChangingIsNotMeasured(t *testing.T) {
	type live struct {
		mu sync.Mutex
		m  map[int][]string
	}
	shared := &live{m: make(map[int][]string)}
	v := struct {
		text   string
		shared *live
		all    *sync.Map
	}{text: strings.Repeat("t", 100), shared: shared, all: new(sync.Map)}
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				shared.mu.Lock()
				shared.m[i%1000] = append(shared.m[i%1000], "text")
				shared.mu.Unlock()
			}
		}
	})
	for range 1000 {
		if n, ok := measured(reflect.ValueOf(&v).Elem()); !ok || n > 400 {
			t.Fatalf("measured %d, %t", n, ok)
		}
		r := ruler{nodes: 100, frozen: true}
		if n, ok := r.measure(reflect.ValueOf(&v).Elem()); ok {
			t.Fatalf("as a part of an error it is measured: %d", n)
		}
	}
	close(stop)
	writer.Wait()
}

func TestSizer(t *testing.T) {
	f := New[sized](nil)
	text := strings.Repeat("t", 1000)
	for _, tt := range []struct {
		says func() int
		want int64
	}{
		{func() int { return 5 }, 5}, {func() int { return 0 }, 0}, {func() int { return math.MaxInt }, math.MaxInt64 / 2},
		{func() int { return -1 }, 1024}, {func() int { panic("no") }, 1024},
	} {
		v := sized{text, tt.says}
		if n, ok := f.Measure(&v); n != tt.want || !ok {
			t.Errorf("measure = %d, %t, want %d", n, ok, tt.want)
		}
	}
	p := New[*sized](nil)
	var none *sized
	if n, ok := p.Measure(&none); n != 0 || !ok {
		t.Errorf("measure of nil = %d, %t", n, ok)
	}
}

// TestOwn makes copies that are equal and share nothing.
func TestOwn(t *testing.T) {
	type part struct {
		Name string
		N    int
	}
	type whole struct {
		Texts []string
		Parts map[string]*part
		Bytes []byte
		None  []int
		Empty []int
		Few   [2]part
		Gone  *part
	}
	f := New[whole](nil)
	if !f.lossless {
		t.Fatal("the type is not lossless")
	}
	v := whole{Texts: []string{"a", "b"}, Parts: map[string]*part{"p": {"x", 1}, "q": nil}, Bytes: []byte("abc")[:1], Empty: []int{}, Few: [2]part{{"y", 2}}}
	c := f.Own(v)
	if !reflect.DeepEqual(v, c) {
		t.Fatalf("own(%+v) = %+v", v, c)
	}
	v.Texts[0], v.Parts["p"].N, v.Bytes[0], v.Parts["r"] = "changed", 7, 'z', nil
	if c.Texts[0] != "a" || c.Parts["p"].N != 1 || c.Bytes[0] != 'a' || len(c.Parts) != 2 || cap(c.Bytes) != 1 {
		t.Errorf("the copy changed with the value: %+v", c)
	}
}
