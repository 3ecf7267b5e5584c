package httppool

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSecrets(t *testing.T) {
	const right, wrong = "0123456789abcdef", "fedcba9876543210"
	for _, test := range []struct {
		name, server, client string
		clientSays, log      string
	}{
		{"none", "", "", "", ""},
		{"same", right, right, "", ""},
		{"different", right, wrong, "does not know this member's shared secret", "does not know the shared secret (Options.Secret)"},
		{"only the server", right, "", "wants proof of the shared secret", "does not know the shared secret (Options.Secret)"},
		{"only the client", "", right, "has no shared secret", "this member has none (Options.Secret)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log logLines
			streams := make(chan net.Conn, 1)
			server, addr := serverPool(t, Config{
				Handler: echoFast, Secret: []byte(test.server), Logger: log.logger(),
				OnStream: func(c net.Conn, _ string) { streams <- c },
			})
			client := newPool(t, Config{Secret: []byte(test.client), BackoffMin: time.Nanosecond, BackoffMax: time.Nanosecond})
			q := client.Peer(addr)
			if test.clientSays == "" {
				checkEcho(t, q, "", Request{Key: "k"})
				c, err := client.DialStream(within(t), addr)
				if err != nil {
					t.Fatal(err)
				}
				c.Write([]byte("x"))
				(<-streams).Close()
				c.Close()
				return
			}
			for range 3 {
				err := q.Call(within(t), new(Request), new(Response))
				wantCallError(t, err, ErrRefused, false)
				if !strings.Contains(err.Error(), test.clientSays) {
					t.Errorf("got %v, want it to say %q", err, test.clientSays)
				}
			}
			if _, err := client.DialStream(within(t), addr); !errors.Is(err, ErrRefused) {
				t.Errorf("DialStream: got %v, want ErrRefused", err)
			}
			eventually(t, "four refusals counted", func() bool { return server.Stats().Refused[refusedSecret] == 4 })
			eventually(t, "a refusal logged", func() bool { return log.String() != "" })
			want := "refused a peer connection from 127.0.0.1: it"
			if got := log.String(); strings.Count(got, want) != 1 || !strings.Contains(got, test.log) {
				t.Errorf("the server logged %q, want once %q", got, test.log)
			}
		})
	}
}

// upgradeRequest is a correct opening by a client; changes replace parts of it.
func upgradeRequest(auth bool, changes ...string) string {
	h := hello{id: "c", nonce: make([]byte, nonceSize), lim: limits{100, 100}}
	s := "GET " + pathPeer + " HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: " + protocol + "\r\n" + h.header()
	if auth {
		s += headerAuth + ": " + authScheme + "\r\n"
	}
	return strings.NewReplacer(changes...).Replace(s + "\r\n")
}

func TestRefusedRequests(t *testing.T) {
	_, addr := serverPool(t, Config{Handler: echoFast})
	for _, test := range []struct {
		name    string
		changes []string
		code    int
	}{
		{"plain GET", []string{"keep-alive, Upgrade", "keep-alive"}, 426},
		{"other version", []string{protocol, "cachemesh/9"}, 426},
		{"other path", []string{pathPeer, "/_cachemesh/nothing"}, 404},
		{"stream that nobody wants", []string{pathPeer, pathStream}, 404},
		{"POST", []string{"GET", "POST"}, 405},
		{"HTTP/1.0", []string{"HTTP/1.1", "HTTP/1.0"}, 505},
		{"no nonce", []string{headerNonce, "X-Nonce"}, 400},
		{"bad id", []string{headerID + ": ", headerID + ": !"}, 400},
		{"long id", []string{headerID + ": ", headerID + ": " + strings.Repeat("aaaa", MaxSelf)}, 400},
		{"no limits", []string{headerLimits, "X-Limits"}, 400},
		{"negative limits", []string{"100 100", "100 -1"}, 400},
		{"huge limits", []string{"100 100", "100 99999999999999999999"}, 400},
		{"asks for a secret", []string{"Host:", headerAuth + ": " + authScheme + "\r\nHost:"}, 403},
		{"unknown proof", []string{"Host:", headerAuth + ": md5\r\nHost:"}, 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, upgradeRequest(false, test.changes...))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || resp.StatusCode != test.code {
				t.Fatalf("got %v, %v, want status %d", resp, err, test.code)
			}
			if body, _ := io.ReadAll(io.LimitReader(resp.Body, 200)); len(body) < 5 {
				t.Errorf("the refusal says only %q", body)
			}
			if test.code == 426 && resp.Header.Get("Upgrade") != protocol {
				t.Errorf("the refusal offers %q, want %q", resp.Header.Get("Upgrade"), protocol)
			}
		})
	}
}

// wrapped hides the server's ResponseWriter as middleware does.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestBehindMiddleware(t *testing.T) {
	p := newPool(t, Config{Handler: echoFast})
	mux := http.NewServeMux()
	mux.Handle("/_cachemesh/", p)
	ln, addr := listen(t)
	serveOn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { mux.ServeHTTP(wrapped{w}, r) }), ln)
	checkEcho(t, newPool(t, Config{}).Peer(addr), "", Request{Key: "k"})
}

func TestServerThatCannotUpgrade(t *testing.T) {
	p := newPool(t, Config{Handler: echoFast})
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(upgradeRequest(false))))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	if w.Code != 500 || p.Stats().Refused[refusedHijack] != 1 || p.strangers.open() != 0 {
		t.Errorf("got status %d and %v, want 500 and one refusal", w.Code, p.Stats().Refused)
	}
}

// TestNoCallBeforeProof sends a request frame in place of the proof.
func TestNoCallBeforeProof(t *testing.T) {
	server, addr := serverPool(t, Config{Secret: []byte("secret"), Handler: handlerFuncs{fast: func(string, *Request, *Response) bool {
		t.Error("a handler ran")
		return true
	}}})
	for _, first := range []string{"", string(make([]byte, verdictSize)), "\x01" + strings.Repeat("x", verdictSize-1)} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, upgradeRequest(true)+first)
		conn.Write(appendRequest(nil, 1, &Request{Key: "k", Value: make([]byte, 100)}, 0))
		rest, _ := io.ReadAll(conn) // the server hangs up
		if !strings.HasPrefix(string(rest), "HTTP/1.1 101") || !strings.HasSuffix(string(rest), "\r\n\r\n") {
			t.Errorf("got %q, want a 101 and nothing after it", rest)
		}
		conn.Close()
	}
	eventually(t, "three refusals counted", func() bool { return server.Stats().Refused[refusedSecret] == 3 })
}

func TestHandshakesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemNet()
		server := newPool(t, Config{Secret: []byte("secret"), Handler: echoFast})
		serveOn(t, server, mem)
		open := func() (net.Conn, int) {
			conn, err := mem.Dial(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			go io.WriteString(conn, upgradeRequest(true))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			return conn, resp.StatusCode
		}
		first, _ := open()
		for range maxStrangers {
			if _, code := open(); code != 101 {
				t.Fatalf("got status %d, want 101", code)
			}
		}
		if _, err := first.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the oldest of too many: got %v, want it closed", err)
		}
		time.Sleep(3*time.Second + 1) // DialTimeout: those who prove nothing are dropped
		synctest.Wait()
		if s := server.Stats(); s.Refused[refusedHandshake] != maxStrangers+1 || server.strangers.open() != 0 {
			t.Errorf("got refusals %v and %d strangers, want %d unfinished and none", s.Refused, server.strangers.open(), maxStrangers+1)
		}
		conn, code := open()
		if code != 101 {
			t.Errorf("got status %d afterwards, want 101", code)
		}
		conn.Close()
	})
}

// TestServersThatAreNoMembers dials what answers something else.
func TestServersThatAreNoMembers(t *testing.T) {
	good := hello{id: "s", nonce: make([]byte, nonceSize), lim: limits{1, 1}}.header()
	for name, test := range map[string]struct {
		answer string
		want   error
	}{
		"closes":        {"", ErrUnreachable},
		"garbage":       {"SSH-2.0-x\r\n", ErrUnreachable},
		"a website":     {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", ErrRefused},
		"other upgrade": {"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n" + good + "\r\n", ErrRefused},
		"no id":         {"HTTP/1.1 101 X\r\nUpgrade: " + protocol + "\r\n\r\n", ErrRefused},
		"no proof":      {"HTTP/1.1 101 X\r\nUpgrade: " + protocol + "\r\n" + good + "\r\n", ErrRefused},
		"wrong proof":   {"HTTP/1.1 101 X\r\nUpgrade: " + protocol + "\r\n" + good + headerProof + ": " + base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + "\r\n\r\n", ErrRefused},
		"endless head":  {"HTTP/1.1 101 X\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1000)+"\r\n", 100), ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			client := newPool(t, Config{Secret: []byte("secret")})
			p1, p2 := net.Pipe()
			client.cfg.Dial = oneConn(p1)
			go func() {
				http.ReadRequest(bufio.NewReader(p2))
				io.WriteString(p2, test.answer)
				if name != "no proof" && name != "wrong proof" {
					p2.Close()
				} else {
					io.Copy(io.Discard, p2)
				}
			}()
			wantCallError(t, client.Peer("x").Call(within(t), new(Request), new(Response)), test.want, false)
		})
	}
}

func TestDialThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p1, p2 := net.Pipe()
		go io.Copy(io.Discard, p2) // takes the request and never answers
		client := newPool(t, Config{Dial: oneConn(p1)})
		start := time.Now()
		wantCallError(t, client.Peer("x").Call(t.Context(), new(Request), new(Response)), ErrUnreachable, false)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("the call failed after %v, want the 3s of DialTimeout", took)
		}
	})
}
