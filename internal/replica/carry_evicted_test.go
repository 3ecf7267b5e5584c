package replica

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/faultinject"
)

// A value was evicted, and who had the copy had not heard of it when the view changed: it drops it all the same. Else a
// Delete of the key would find nothing to do, and the copy be the value when its owner has gone.
func TestEvictedBeforeTheView(t *testing.T) {
	for _, heard := range []bool{false, true} { // b's digest comes before the key is looked at, or after it
		tb := set(t, "abcd", faultinject.Replicas{})
		a := tb.nodes["a"]
		w, _ := tb.write(a, 1, false, "")
		if !a.core.Install(w) || tb.has("b") != 1 {
			t.Fatal("the value was not installed")
		}
		tb.mend(a, ms)
		version := VersionOf(a.Peek(0))
		a.Delete(0)
		a.core.Evicted(0, version)
		tb.adopt("abcd", true)
		if heard {
			tb.digest(a, "b")
		}
		tb.mend(a, ms)
		tb.finish(a, "bcd")
		if a.core.Nothing(0) && tb.has("b") != 0 {
			t.Errorf("heard %v: b has %d, and a says that nobody has anything", heard, tb.has("b"))
		}
		if tb.has("a") != 0 || tb.has("b") != 0 || len(a.core.notes) > 0 {
			t.Errorf("heard %v: a has %d, b %d: %s", heard, tb.has("a"), tb.has("b"), a.core.describe())
		}
	}
}
