package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

const mostAnswer = 512 << 20 // bytes of an answer

// A client asks a member over HTTP.
type client struct {
	sh      *shell
	server  string
	group   string
	output  string
	timeout time.Duration
	token   string
}

// addFlags adds what all commands have that ask a member.
func (cl *client) addFlags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVarP(&cl.server, "server", "s", "", "URL of a member (CACHEMESH_SERVER; default: http://127.0.0.1:8080)")
	flags.StringVarP(&cl.output, "output", "o", "table", "table or json")
	flags.DurationVar(&cl.timeout, "timeout", 10*time.Second, "how long the member may take")
}

// prepare reads the environment and checks the flags.
func (cl *client) prepare() error {
	if cl.server == "" {
		cl.server, _ = cl.sh.getenv("CACHEMESH_SERVER")
	}
	if cl.server == "" {
		cl.server = "http://127.0.0.1:8080"
	}
	if u, err := url.Parse(cl.server); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usageError{fmt.Errorf("--server: %q is no URL such as http://127.0.0.1:8080", cl.server)}
	}
	if cl.timeout <= 0 {
		return usageError{fmt.Errorf("--timeout: %v is no time to wait", cl.timeout)}
	}
	if cl.output != "table" && cl.output != "json" {
		return usageError{fmt.Errorf("--output: %q is neither table nor json", cl.output)}
	}
	var err error
	if cl.token, err = cl.sh.secret("CACHEMESH_HTTP_TOKEN"); err != nil {
		return usageError{err}
	}
	return nil
}

// An apiError is a problem that a member answered with.
type apiError struct{ httpapi.Problem }

func (e apiError) Error() string { return fmt.Sprint(plain(e.Detail)) }

// do sends a request, and returns the answer's headers and body. An answer that says that it
// failed is an apiError.
func (cl *client) do(ctx context.Context, method, path string, header http.Header, body []byte) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cl.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(cl.server, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if cl.token != "" {
		req.Header.Set("Authorization", "Bearer "+cl.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, cl.unanswered("no answer", errors.Unwrap(err))
	}
	defer resp.Body.Close()
	data, err := readAll(resp.Body, mostAnswer)
	if err != nil {
		return nil, nil, cl.unanswered("no whole answer", err)
	}
	if resp.StatusCode >= 300 {
		failed := apiError{httpapi.Problem{Status: resp.StatusCode, Detail: resp.Status}}
		json.Unmarshal(data, &failed.Problem)
		return nil, nil, failed
	}
	return resp.Header, data, nil
}

// unanswered says why there is no answer of the member.
func (cl *client) unanswered(what string, err error) error {
	at := cl.server
	if u, err := url.Parse(at); err == nil {
		at = u.Redacted()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s from %s within %v (--timeout)", what, at, cl.timeout)
	}
	return fmt.Errorf("%s from %s: %w", what, at, err)
}

// readAll reads all, but no more than so many bytes: a part of a value is none.
func readAll(from io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("it is larger than %d bytes", most)
	}
	return data, err
}

// unreadable says that what answered is no member, or one of another version.
func unreadable(err error) error { return fmt.Errorf("the member's answer cannot be read: %w", err) }

// key returns the path of a key.
func (cl *client) key(key string) string {
	return "/v1/groups/" + part(cl.group) + "/keys/" + part(key)
}

// part returns a name as a part of a path. One of dots alone must not be taken for a way up.
func part(name string) string {
	escaped := url.PathEscape(name)
	if strings.Trim(name, ".") == "" {
		escaped = strings.ReplaceAll(escaped, ".", "%2E")
	}
	return escaped
}

// command makes a command that asks a member.
func (cl *client) command(use, short string, check cobra.PositionalArgs, run func(c *cobra.Command, given []string) error) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: args(check), RunE: func(c *cobra.Command, given []string) error {
		if err := cl.prepare(); err != nil {
			return err
		}
		return run(c, given)
	}}
	cl.addFlags(c)
	return c
}

// keyed makes a command about a key.
func (cl *client) keyed(use, short string, check cobra.PositionalArgs, run func(c *cobra.Command, given []string) error) *cobra.Command {
	c := cl.command(use, short, check, func(c *cobra.Command, given []string) error {
		if given[0] == "" || cl.group == "" {
			return usageError{errors.New("a key and a group have a byte or more")}
		}
		return run(c, given)
	})
	c.Flags().StringVarP(&cl.group, "group", "g", "default", "the key's group")
	return c
}
