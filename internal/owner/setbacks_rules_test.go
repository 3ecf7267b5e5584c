//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/guard"
	"github.com/praveenduddu/cachemesh/internal/store"
)

const second = int64(time.Second)

// TestBackoff: each failure is waited for twice as long as the one before it, up to a limit.
func TestBackoff(t *testing.T) {
	for _, test := range []struct {
		first    time.Duration
		failures int
		want     time.Duration
	}{
		{100 * time.Millisecond, 1, 100 * time.Millisecond}, {100 * time.Millisecond, 2, 200 * time.Millisecond},
		{100 * time.Millisecond, 7, 6400 * time.Millisecond}, {100 * time.Millisecond, 8, retryLoadMax}, {100 * time.Millisecond, 100, retryLoadMax},
		{time.Minute, 1, time.Minute}, {time.Minute, 2, time.Minute}, {5 * time.Second, 2, 10 * time.Second},
		{1, 16, 1 << 15}, {retryLoadMax >> 15, 16, retryLoadMax >> 15 << 15}, {1, 17, retryLoadMax}, {1, 1 << 20, retryLoadMax},
	} {
		if got := backoff(test.first, test.failures); got != test.want {
			t.Errorf("backoff(%v, %d) = %v, want %v", test.first, test.failures, got, test.want)
		}
	}
}

// TestSetbacks: who asks again before the time is told the same; the next failure counts for
// twice as long, unless the one before is long past.
func TestSetbacks(t *testing.T) {
	b := newSetbacks(time.Second, 1<<10)
	m := &memo{err: loadError("k"), size: 300}
	b.note("k", m, 0)
	if err := b.last("k", second-1); err != m.err {
		t.Errorf("last = %v", err)
	}
	if err := b.last("k", second); err != nil {
		t.Errorf("last = %v when the time is over", err)
	}
	if err := b.last("other", 0); err != nil {
		t.Errorf("last = %v of another key", err)
	}
	b.note("k", m, second)
	if b.last("k", 3*second-1) == nil || b.last("k", 3*second) != nil {
		t.Error("the second failure does not count for two seconds")
	}
	late := 3*second + int64(retryLoadMax)
	if b.note("k", m, late); b.last("k", late+second) != nil {
		t.Error("a failure long ago counts")
	}
	if b.note("k", m, late+second+int64(retryLoadMax)-1); b.last("k", late+3*second+int64(retryLoadMax)-2) == nil {
		t.Error("a failure not long ago does not count")
	}
	if keys, bytes := b.count(); keys != 1 || bytes != 300 || b.held() != 300 {
		t.Errorf("%d keys, %d bytes", keys, bytes)
	}
	b.forget("other")
	if b.forget("k"); b.held() != 0 || b.last("k", 0) != nil {
		t.Errorf("%d bytes of what was forgotten", b.held())
	}
	b.note("k", &memo{err: &errs.LoadError{Key: "k", Err: errs.ErrOverloaded}, size: 300}, 0)
	if b.last("k", 0) != nil {
		t.Error("the origin was not asked, and that is remembered")
	}
}

// TestSetbacksMakeRoom: they take no more than their room, and what was forgotten is given
// back.
func TestSetbacksMakeRoom(t *testing.T) {
	b := newSetbacks(time.Second, 1000)
	for i := range 10 {
		b.note(fmt.Sprint(i), &memo{err: loadError("k"), size: 250}, 0)
		if keys, bytes := b.count(); keys != min(i+1, 4) || bytes != int64(min(i+1, 4)*250) || b.last(fmt.Sprint(i), 0) == nil {
			t.Errorf("%d noted: %d keys, %d bytes", i+1, keys, bytes)
		}
	}
	b.note("9", &memo{err: loadError("k"), size: 250}, 0)
	if keys, bytes := b.count(); keys != 4 || bytes != 1000 {
		t.Errorf("noted again: %d keys, %d bytes", keys, bytes)
	}
	if b.resize(500); b.held() != 500 {
		t.Errorf("%d bytes in half the room", b.held())
	}
	b.note("huge", &memo{err: loadError("k"), size: 501}, 0)
	if b.last("huge", 0) != nil || b.held() != 0 {
		t.Errorf("noted without room; %d bytes", b.held())
	}
	if b.note("fits", &memo{err: loadError("k"), size: 500}, 0); b.last("fits", 0) == nil {
		t.Error("not noted though there is room")
	}
	if b.forgetAll(); b.held() != 0 || len(b.keys) != 0 {
		t.Errorf("%d bytes after all was forgotten", b.held())
	}
}

// TestReasons explain old values as long as they have room.
func TestReasons(t *testing.T) {
	if newReasons(0, 1000) != nil || newSetbacks(0, 1000) != nil {
		t.Error("remembers though nothing is to be remembered")
	}
	b := newReasons(time.Hour, 1000)
	m := &memo{err: loadError("k"), size: 300}
	b.explain("k", nil)
	if b.explain("k", m); b.reason("k") != m.err || b.held() != 300 || b.reason("other") != nil {
		t.Errorf("reason = %v, %d bytes", b.reason("k"), b.held())
	}
	if b.first != 1 {
		t.Errorf("reasons make nobody wait: first = %v", b.first)
	}
}

// TestNoSetbacks: a part that remembers nothing can be asked all the same.
func TestNoSetbacks(t *testing.T) {
	var b *setbacks
	b.note("k", &memo{err: loadError("k")}, 0)
	b.explain("k", &memo{err: loadError("k")})
	b.resize(1)
	b.forget("k")
	b.forgetAll()
	keys, bytes := b.count()
	if b.last("k", 0) != nil || b.reason("k") != nil || b.held() != 0 || keys != 0 || bytes != 0 {
		t.Error("none remembers something")
	}
}

// TestMemo: small errors are kept, large ones by their text; a stack is not.
func TestMemo(t *testing.T) {
	ruled(t, nil, func(t *testing.T, r *rig) {
		if r.memoOf(loadError("k")) != nil {
			t.Error("remembered in a group that remembers nothing")
		}
		r.remembering(time.Second, 0)
		size, known := int64(100), true
		r.ErrorSize = func(error) (int64, bool) { return size, known }
		if r.memoOf(nil) != nil || r.memoOf(errOrigin) != nil {
			t.Error("remembered, and no failed load")
		}
		le := loadError("key")
		if m := r.memoOf(le); m.err != le || m.size != failedBytes+100+3 {
			t.Errorf("memo %+v", m)
		}
		if size = failedMost; r.memoOf(le).err != le {
			t.Error("not kept as it is")
		}
		text := strings.Repeat("x", 3*failedText)
		long := &errs.LoadError{Key: "key", Err: fmt.Errorf("%w %s", errs.ErrOverloaded, text)}
		size = failedMost + 1
		for range 2 {
			m := r.memoOf(long)
			if m.err == long || len(m.err.Err.Error()) != failedText || m.size != failedBytes+failedText+3 || m.err.Key != "key" || !errors.Is(m.err, errs.ErrOverloaded) {
				t.Errorf("memo of a large error: %d bytes of text, size %d", len(m.err.Err.Error()), m.size)
			}
			size, known = 0, false // it cannot be told
		}
		known = false
		if m := r.memoOf(&errs.LoadError{Key: "k", Err: errOrigin}); m.err.Err.Error() != errOrigin.Error() {
			t.Errorf("memo of a short error: %v", m.err)
		}
		size, known = 100, true
		if m := r.memoOf(&errs.LoadError{Key: "k", Err: guard.Recovered(text)}); len(m.err.Err.Error()) > 2*failedText {
			t.Error("a stack is remembered")
		}
		r.setbacks, known = nil, true
		if r.reasons = newReasons(1, 1000); r.memoOf(le) == nil {
			t.Error("an old value is not explained")
		}
	})
}

// TestWithoutStack: a panic is remembered by its text.
func TestWithoutStack(t *testing.T) {
	le := loadError("k")
	if withoutStack(le) != le {
		t.Error("an error without a stack is not kept")
	}
	p := guard.Recovered(strings.Repeat("p", 4*failedText))
	le = &errs.LoadError{Key: "k", Panic: true, Err: p}
	short := withoutStack(le)
	if sp, ok := short.Err.(*guard.PanicError); !ok || len(short.Err.Error()) > 2*failedText || sp == p || le.Err != p || short.Key != "k" || !short.Panic {
		t.Errorf("%d bytes of text", len(short.Err.Error()))
	}
}

// TestOwed: keys are noted while there is room for them, then the whole group.
func TestOwed(t *testing.T) {
	var o owed
	cost := owedCost + store.Allocated(1)
	if o.Any() {
		t.Error("something is owed")
	}
	o.note("a", 6*cost)
	o.note("a", 6*cost)
	if !o.Any() || o.held() != cost || o.all {
		t.Errorf("%d bytes for one key", o.held())
	}
	o.note("b", 6*cost)
	if o.held() != 2*cost || o.all || len(o.keys) != 2 {
		t.Errorf("%d bytes for two keys, all %t", o.held(), o.all)
	}
	o.note("c", 6*cost)
	o.note("d", 1<<30)
	if !o.all || o.keys != nil || o.held() != 0 || !o.Any() {
		t.Errorf("a third of the room is taken, all %t, %d bytes", o.all, o.held())
	}
	if keys, all := o.Take(); keys != nil || !all || o.Any() || o.held() != 0 {
		t.Errorf("took %v, %t", keys, all)
	}
	o.note("a", 1<<30)
	if keys, all := o.Take(); len(keys) != 1 || all || o.Any() || o.held() != 0 {
		t.Errorf("took %v, %t", keys, all)
	}
	for i := range maxOwed {
		o.note(fmt.Sprint(i), math.MaxInt64)
	}
	if o.all || len(o.keys) != maxOwed {
		t.Errorf("%d keys, all %t", len(o.keys), o.all)
	}
	if o.note("more", math.MaxInt64); !o.all {
		t.Error("more keys than so many")
	}
	o.Take()
	o.note("a", 1<<30)
	if o.noteAll(); !o.all || o.keys != nil || o.held() != 0 {
		t.Error("not all")
	}
}

// TestSeldom: what may happen often is logged once a minute.
func TestSeldom(t *testing.T) {
	var s seldom
	minute := int64(time.Minute)
	for _, test := range []struct {
		now int64
		due bool
	}{{0, true}, {0, false}, {minute, false}, {minute + 1, true}, {minute + 2, false}, {2*minute + 1, true}} {
		if due := s.isDue(test.now); due != test.due {
			t.Errorf("at %v due %t", time.Duration(test.now), due)
		}
	}
}
