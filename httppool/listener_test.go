package httppool

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
)

// listenerPool returns a Pool that serves behind its own Listener, and its address.
func listenerPool(t *testing.T, cfg Config, secure *tls.Config) (*Pool, string) {
	p := newPool(t, cfg)
	ln, addr := listen(t)
	serveOn(t, p, p.Listener(ln, secure))
	return p, addr
}

// TestRefusedForTLS: whoever refuses counts it, and says so once for a peer, and so does
// the other end where TLS tells it.
func TestRefusedForTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	server := &tls.Config{
		Certificates: []tls.Certificate{ours.issue(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool(),
	}
	for _, test := range []struct {
		name           string
		server, client *tls.Config
		serverLog      string
		clientLog      string // empty: the client fails, but not for TLS
	}{
		{"no certificate", server, &tls.Config{RootCAs: ours.pool()}, "client didn't provide a certificate", "certificate required"},
		{"a stranger's certificate", server, &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{theirs.issue(t)}},
			"", "handshake with a peer failed"},
		{"a server of strangers", server, &tls.Config{RootCAs: theirs.pool()}, "bad certificate", "unknown authority"},
		{"a client without TLS", server, nil, "it does not speak TLS", ""},
		{"a server without TLS", nil, &tls.Config{RootCAs: ours.pool()}, "it speaks TLS and this member does not", "not look like a TLS handshake"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var serverLog, clientLog logLines
			server, addr := listenerPool(t, Config{Handler: echoFast, Logger: serverLog.logger(), OnStream: func(net.Conn, string) {}}, test.server)
			client := newPool(t, Config{TLS: test.client, Logger: clientLog.logger()})
			call := client.Peer(addr).Call(within(t), new(Request), new(Response))
			if call == nil {
				t.Fatal("the call was answered")
			}
			_, err := client.DialStream(within(t), addr)
			if err == nil {
				t.Fatal("a stream was opened")
			}
			eventually(t, "two refusals counted", func() bool { return server.Stats().Refused[refusedTLS] == 2 })
			eventually(t, "one logged", func() bool { return serverLog.String() != "" })
			if log := serverLog.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "127.0.0.1") || !strings.Contains(log, test.serverLog) {
				t.Errorf("the server logged %q, want one line with %q", log, test.serverLog)
			}
			if test.clientLog == "" {
				if len(client.Stats().Refused) > 0 || !strings.Contains(call.Error(), "speaks TLS and the caller does not") {
					t.Errorf("the client says %v", call)
				}
				return
			}
			if got := client.Stats().Refused[refusedTLS]; got != 2 {
				t.Errorf("the client counted %d, want 2", got)
			}
			if log := clientLog.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, addr) || !strings.Contains(log, test.clientLog) {
				t.Errorf("the client logged %q, want one line with %q", log, test.clientLog)
			}
		})
	}
}

// TestListener carries calls and streams, with and without TLS.
func TestListener(t *testing.T) {
	ours := newAuthority(t)
	for name, secure := range map[string]*tls.Config{"plain": nil, "TLS": {
		Certificates: []tls.Certificate{ours.issue(t)}, NextProtos: []string{"h2"},
	}} {
		t.Run(name, func(t *testing.T) {
			var log logLines
			streams := make(chan net.Conn, 1)
			server, addr := listenerPool(t, Config{Handler: echoFast, Logger: log.logger(), OnStream: func(c net.Conn, _ string) { streams <- c }}, secure)
			var mine *tls.Config
			if secure != nil {
				mine = &tls.Config{RootCAs: ours.pool()}
			}
			client := newPool(t, Config{TLS: mine})
			for _, size := range []int{0, 100, inlineMax + 1, 1 << 20} {
				checkEcho(t, client.Peer(addr), "", Request{Key: "k", Value: make([]byte, size)})
			}
			conn, err := client.DialStream(within(t), addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.Write([]byte("x"))
			s := <-streams
			defer s.Close()
			if _, wrapped := s.(*newcomer); wrapped {
				t.Error("a proved connection is still a newcomer, which costs its fast paths")
			}
			silent, err := net.Dial("tcp", addr) // a probe of the port is nobody's fault
			if err != nil {
				t.Fatal(err)
			}
			silent.Close()
			eventually(t, "the books are empty", func() bool { return server.strangers.open() == 0 })
			if s := server.Stats(); len(s.Refused) > 0 || log.String() != "" {
				t.Errorf("refused %v, logged %q", s.Refused, log.String())
			}
		})
	}
}
