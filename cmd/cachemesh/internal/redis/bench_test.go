package redis_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// BenchmarkGets measures GETs of 100 bytes that arrive together, on one connection.
func BenchmarkGets(b *testing.B) {
	for _, together := range []int{1, 16} {
		b.Run(fmt.Sprint(together), func(b *testing.B) {
			p := dial(b, serve(b, 1, nil)[0])
			in := ""
			for i := range together {
				if got := p.do(fmt.Sprintf("set key:%02d %s", i, strings.Repeat("x", 100))); got != "OK" {
					b.Fatal(got)
				}
				in += fmt.Sprintf("*2\r\n$3\r\nGET\r\n$6\r\nkey:%02d\r\n", i)
			}
			out := make([]byte, len("$100\r\n\r\n")*together+100*together)
			for b.Loop() {
				io.WriteString(p.nc, in)
				if _, err := io.ReadFull(p.r, out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*together), "ns/GET")
		})
	}
}
