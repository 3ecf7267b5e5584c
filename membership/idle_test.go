package membership

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkIdle reports what members on loopback cost that have nothing to say: one iteration is a second. Run it
// with -benchtime 10x.
func BenchmarkIdle(b *testing.B) {
	for _, n := range []int{2, 3, 5} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			hosts := startHosts(b, n)
			settled := time.NewTimer(2 * time.Second) // the gossip of joining has gone out
			<-settled.C
			before, packets, bytes := cpuTime(b), uint64(0), uint64(0)
			for _, h := range hosts {
				s := h.Stats()
				packets -= s.PacketsOut
				bytes -= s.PacketBytesOut + s.StreamBytesOut
			}
			b.ReportAllocs()
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			start := time.Now()
			for b.Loop() {
				<-tick.C
			}
			took := time.Since(start)
			for _, h := range hosts {
				s := h.Stats()
				packets += s.PacketsOut
				bytes += s.PacketBytesOut + s.StreamBytesOut
			}
			per := float64(n) * took.Seconds()
			b.ReportMetric(100*float64(cpuTime(b)-before)/float64(time.Second)/per, "%core/member")
			b.ReportMetric(float64(packets)/per, "packets/s/member")
			b.ReportMetric(float64(bytes)/per, "bytes/s/member")
		})
	}
}

// cpuTime returns the user and system time of this process.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
