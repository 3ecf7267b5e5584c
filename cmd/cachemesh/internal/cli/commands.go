package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

func (sh *shell) clientCommands() []*cobra.Command {
	cl := func() *client { return &client{sh: sh} }
	return []*cobra.Command{
		getCommand(cl()), setCommand(cl()), delCommand(cl()), ttlCommand(cl()), ownerCommand(cl()),
		listCommand[httpapi.Member](cl(), "members", "List the members of the mesh", "/v1/members",
			[]string{"NAME", "ADDRESS", "SELF", "LEAVING", "AGREES", "CANNOT CALL"},
			func(m httpapi.Member) []any {
				return []any{m.Name, m.Addr, m.Self, m.Leaving, m.Agrees, strings.Join(m.CannotCall, " ")}
			}),
		listCommand[httpapi.Group](cl(), "groups", "List the groups of a member, with what it counted", "/v1/groups",
			[]string{"NAME", "ENTRIES", "BYTES", "OF", "GETS", "HITS", "SETS", "DELETES", "EVICTIONS"},
			func(g httpapi.Group) []any {
				return []any{g.Name, g.Entries, g.Bytes, g.MaxBytes, g.Gets, g.OwnHits + g.HotHits + g.PeerHits, g.Sets, g.Deletes, g.Evictions}
			}),
		statsCommand(cl()), healthCommand(cl()), topCommand(cl()), sh.benchCommand(),
	}
}

func getCommand(cl *client) *cobra.Command {
	return cl.keyed("get KEY", "Print the value of a key", cobra.ExactArgs(1), func(c *cobra.Command, given []string) error {
		header, value, err := cl.do(c.Context(), http.MethodGet, cl.key(given[0]), nil, nil)
		if err != nil {
			return err
		}
		if cl.output == "json" {
			return cl.json(map[string]any{"key": given[0], "value": value, "ttl": header.Get("CacheMesh-TTL"),
				"version": strings.Trim(header.Get("ETag"), `"`), "owner": header.Get("CacheMesh-Owner")})
		}
		_, err = cl.sh.out.Write(append(value, '\n'))
		return err
	})
}

func setCommand(cl *client) *cobra.Command {
	var ttl time.Duration
	var absent bool
	c := cl.keyed("set KEY [VALUE]", "Set the value of a key, from standard input if it is not given", cobra.RangeArgs(1, 2), func(c *cobra.Command, given []string) error {
		header := http.Header{}
		if ttl < 0 {
			return usageError{errors.New("--ttl: a time to live is not negative")}
		}
		if ttl > 0 {
			header.Set("CacheMesh-TTL", ttl.String())
		}
		if absent {
			header.Set("If-None-Match", "*")
		}
		var value []byte
		if len(given) == 2 {
			value = []byte(given[1])
		} else {
			var err error
			if value, err = readAll(cl.sh.in, mostAnswer); err != nil {
				return err
			}
		}
		if _, _, err := cl.do(c.Context(), http.MethodPut, cl.key(given[0]), header, value); err != nil || cl.output == "table" {
			return err
		}
		return cl.json(map[string]any{"key": given[0], "set": true})
	})
	c.Flags().DurationVar(&ttl, "ttl", 0, "how long it lives (default: as the group says)")
	c.Flags().BoolVar(&absent, "absent", false, "only if the key has no value")
	return c
}

func delCommand(cl *client) *cobra.Command {
	return cl.keyed("del KEY...", "Forget keys", cobra.MinimumNArgs(1), func(c *cobra.Command, given []string) error {
		for _, key := range given {
			if _, _, err := cl.do(c.Context(), http.MethodDelete, cl.key(key), nil, nil); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		if cl.output == "table" {
			return nil
		}
		return cl.json(map[string]any{"deleted": given})
	})
}

func ownerCommand(cl *client) *cobra.Command {
	return cl.keyed("owner KEY", "Say which member owns a key, and what it knows of the value", cobra.ExactArgs(1), func(c *cobra.Command, given []string) error {
		_, data, err := cl.do(c.Context(), http.MethodGet, cl.key(given[0])+"/owner", nil, nil)
		if err != nil {
			return err
		}
		if cl.output == "json" {
			return cl.json(json.RawMessage(data))
		}
		var o httpapi.Owner
		if err := json.Unmarshal(data, &o); err != nil {
			return unreadable(err)
		}
		lines := []line{{"owner", o.Owner}, {"address", o.Addr}, {"has a value", o.HasValue}}
		if o.HasValue {
			age := time.Duration(o.Age * float64(time.Second)).Round(time.Millisecond)
			lines = append(lines, line{"time left", o.TTL}, line{"age", age}, line{"bytes", o.Size}, line{"version", o.Version})
		}
		return cl.lines(lines)
	})
}

// A line is a name and its value.
type line struct {
	name  string
	value any
}

// lines prints a table of names and values.
func (cl *client) lines(all []line) error {
	table := tabwriter.NewWriter(cl.sh.out, 0, 0, 2, ' ', 0)
	for _, l := range all {
		fmt.Fprintf(table, "%s\t%v\n", l.name, plain(l.value))
	}
	return table.Flush()
}

func ttlCommand(cl *client) *cobra.Command {
	return cl.keyed("ttl KEY", "Print how long a key lives", cobra.ExactArgs(1), func(c *cobra.Command, given []string) error {
		header, _, err := cl.do(c.Context(), http.MethodHead, cl.key(given[0]), nil, nil)
		var failed apiError
		if errors.As(err, &failed) && failed.Status == http.StatusNotFound {
			return errors.New("the key has no value")
		}
		if err == nil && header.Get("CacheMesh-TTL") == "" {
			err = errors.New("what answers is no member")
		}
		if err != nil {
			return err
		}
		if cl.output == "json" {
			return cl.json(map[string]string{"key": given[0], "ttl": header.Get("CacheMesh-TTL")})
		}
		_, err = fmt.Fprintln(cl.sh.out, header.Get("CacheMesh-TTL"))
		return err
	})
}

// listCommand makes a command that prints a list of T.
func listCommand[T any](cl *client, name, short, path string, titles []string, row func(T) []any) *cobra.Command {
	return cl.command(name, short, cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		_, data, err := cl.do(c.Context(), http.MethodGet, path, nil, nil)
		if err != nil {
			return err
		}
		if cl.output == "json" {
			return cl.json(json.RawMessage(data))
		}
		var list map[string][]T
		if err := json.Unmarshal(data, &list); err != nil {
			return unreadable(err)
		}
		table := tabwriter.NewWriter(cl.sh.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, strings.Join(titles, "\t"))
		for _, t := range list[name] {
			cells := row(t)
			for i := range cells {
				cells[i] = plain(cells[i])
			}
			fmt.Fprintln(table, strings.TrimSuffix(fmt.Sprintf(strings.Repeat("%v\t", len(titles)), cells...), "\t"))
		}
		return table.Flush()
	})
}

func statsCommand(cl *client) *cobra.Command {
	return cl.command("stats", "Print what a member counted", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		_, data, err := cl.do(c.Context(), http.MethodGet, "/v1/stats", nil, nil)
		if err != nil {
			return err
		}
		if cl.output == "json" {
			return cl.json(json.RawMessage(data))
		}
		var s httpapi.Stats
		if err := json.Unmarshal(data, &s); err != nil {
			return unreadable(err)
		}
		return cl.lines([]line{
			{"name", s.Name}, {"version", s.Version}, {"members", s.Members}, {"they agree", s.Settled}, {"mode", s.Mode},
			{"waits for", strings.Join(s.WaitsFor, " ")}, {"unreachable", strings.Join(s.Unreachable, " ")}, {"calls", s.Calls},
			{"calls that failed", s.CallErrors}, {"calls answered", s.Served}, {"bytes", s.Bytes}, {"of", s.MaxBytes},
			{"values handed over", s.HandedOver}, {"values lost", s.Lost},
		})
	})
}

func healthCommand(cl *client) *cobra.Command {
	return cl.command("health", "Say whether a member is ready", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		_, data, err := cl.do(c.Context(), http.MethodGet, "/readyz", nil, nil)
		if err != nil {
			return err
		}
		var said struct{ Status string }
		if json.Unmarshal(data, &said); said.Status != "ready" {
			return errors.New("what answers is no member that is ready")
		}
		if cl.output == "json" {
			return cl.json(json.RawMessage(data))
		}
		_, err = fmt.Fprintln(cl.sh.out, "ready")
		return err
	})
}

// json prints a value as JSON.
func (cl *client) json(v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	var wrong *json.MarshalerError // a json.RawMessage, what a member said, is none
	if errors.As(err, &wrong) {
		return unreadable(wrong.Unwrap())
	}
	if err == nil {
		_, err = cl.sh.out.Write(append(data, '\n'))
	}
	return err
}
