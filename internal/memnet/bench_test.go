package memnet

import (
	"io"
	"net"
	"testing"
)

// BenchmarkStream measures one way without latency, with a reader that keeps up.
func BenchmarkStream(b *testing.B) {
	near, far := pair(b, New(1))
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(io.Discard, struct{ io.Reader }{far})
	}()
	buf := make([]byte, 1024)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		near.Write(buf)
	}
	near.Close()
	<-done
	far.Close()
}

// BenchmarkPingPong measures a round trip of one byte between two goroutines,
// beside the standard library's pipe.
func BenchmarkPingPong(b *testing.B) {
	b.Run("memnet", func(b *testing.B) {
		near, far := pair(b, New(1))
		pingPong(b, near, far)
	})
	b.Run("net.Pipe", func(b *testing.B) {
		near, far := net.Pipe()
		pingPong(b, near, far)
	})
}

func pingPong(b *testing.B, near, far net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1)
		for {
			if _, err := far.Read(buf); err != nil {
				return
			}
			far.Write(buf)
		}
	}()
	buf := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		near.Write(buf)
		near.Read(buf)
	}
	near.Close()
	<-done
	far.Close()
}

// BenchmarkPacket measures one packet there, without latency.
func BenchmarkPacket(b *testing.B) {
	from, to := sockets(b, New(1))
	buf := make([]byte, 512)
	b.ReportAllocs()
	for b.Loop() {
		from.WriteTo(buf, to.LocalAddr())
		to.ReadFrom(buf)
	}
}
