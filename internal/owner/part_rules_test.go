//go:build !race

// What is guarded is read between the steps of a bubble, without its lock.

package owner

import (
	"testing"
	"time"
)

// TestRemembersWhatItIsTold: a part remembers failures, and explains old values, if its
// group wants that.
func TestRemembersWhatItIsTold(t *testing.T) {
	var m memory
	m.init(&Basis{Care: Care{FailureTTL: time.Second, StaleFor: time.Hour}}, Room{Failed: 100})
	if m.setbacks == nil || m.setbacks.first != time.Second || m.setbacks.max != 100 || m.reasons == nil || m.reasons.max != 100 {
		t.Errorf("setbacks %+v, reasons %+v", m.setbacks, m.reasons)
	}
}
