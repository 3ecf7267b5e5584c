package member_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/member"
)

// ask sends an HTTP request to a member, and returns the status and body of its answer.
func ask(t *testing.T, m *member.Member, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+m.HTTPAddr.String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data)
}

// mesh starts members of one mesh.
func mesh(t *testing.T, n int, c config.Config) (all []*member.Member) {
	t.Helper()
	c.HTTP.Listen, c.RequireJoin = "127.0.0.1:0", true
	for range n {
		m := start(t, c)
		c.Bootstrap = []string{m.Node.Addr()}
		all = append(all, m)
	}
	for _, m := range all {
		for deadline := time.Now().Add(20 * time.Second); len(m.Node.Members()) < n || !m.Node.Stats().Settled; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the members do not form a mesh")
			}
		}
	}
	return all
}

// A group that was never configured is there on all members once a client of one used it, up to
// the bound, if the configuration allows it.
func TestOtherGroups(t *testing.T) {
	c := local()
	c.OtherGroups.Allow, c.OtherGroups.Most, c.OtherGroups.TTL = true, 2, time.Hour
	all := mesh(t, 3, c)
	for i := range 30 {
		key := fmt.Sprint("/v1/groups/new/keys/k", i)
		if status, body := ask(t, all[i%3], "PUT", key, "v"); status != 204 {
			t.Fatal(status, body)
		}
		if status, body := ask(t, all[(i+1)%3], "GET", key, ""); status != 200 || body != "v" {
			t.Fatal(status, body)
		}
	}
	for _, m := range all {
		if status, body := ask(t, m, "GET", "/v1/groups/new", ""); status != 200 || strings.Contains(body, `"entries":0`) {
			t.Errorf("%d %s", status, body)
		}
	}
	for i, want := range []int{204, 507, 507} {
		if status, body := ask(t, all[0], "PUT", fmt.Sprint("/v1/groups/other", i, "/keys/k"), "v"); status != want {
			t.Errorf("group %d: %d %s, want %d", i, status, body, want)
		}
	}
	if status, body := ask(t, all[0], "PUT", "/v1/groups/"+strings.Repeat("x", 256)+"/keys/k", "v"); status != 404 {
		t.Errorf("a long name: %d %s", status, body)
	}
	closed := mesh(t, 1, local())[0]
	if status, body := ask(t, closed, "PUT", "/v1/groups/new/keys/k", "v"); status != 404 {
		t.Errorf("not allowed: %d %s", status, body)
	}
}

// Values of a group with replicas outlive a member that ends without a word.
func TestReplicasOfConfiguredGroups(t *testing.T) {
	c := local()
	c.Groups = []config.Group{{Name: "kept", Replicas: 2}}
	all := mesh(t, 3, c)
	for i := range 60 {
		if status, body := ask(t, all[0], "PUT", fmt.Sprint("/v1/groups/kept/keys/k", i), "v"); status != 204 {
			t.Fatal(status, body)
		}
	}
	all[2].Close()
	for i := range 60 {
		for deadline := time.Now().Add(30 * time.Second); ; {
			status, body := ask(t, all[i%2], "GET", fmt.Sprint("/v1/groups/kept/keys/k", i), "")
			if status == 200 {
				break
			}
			if status == 404 || time.Now().After(deadline) {
				t.Fatalf("k%d: %d %s", i, status, body)
			}
		}
	}
}
