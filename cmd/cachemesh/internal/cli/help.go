package cli

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// A page is what --help and the manual say of a command beside its flags.
type page struct{ long, example string }

// asking is what is said of all commands that ask a member.
const asking = `

The member is asked over HTTP, at --server or CACHEMESH_SERVER; a token comes from
CACHEMESH_HTTP_TOKEN or the file that CACHEMESH_HTTP_TOKEN_FILE names. -o json prints
JSON. It ends with 0, with 1 if it could not be done, with 2 if it was asked wrongly.`

// pages are what is said of commands, by their path.
var pages = map[string]page{
	"cachemesh": {`A cache without a server: members find each other and share their memory. "member" runs
one, which Redis clients, HTTP clients and browsers can use; the other commands ask a
member that runs.

They end with 0, with 1 if what was asked could not be done (a key without a value
included), with 2 if it was asked wrongly.`, `
  # a member of its own, then a second one that joins it
  cachemesh member
  cachemesh member --listen 127.0.0.1:4000 --bootstrap 127.0.0.1:3000 --redis-listen 127.0.0.1:6380 --http-listen off

  # use it
  redis-cli SET greeting hello EX 60
  cachemesh get greeting
  cachemesh members`},
	"cachemesh member": {``, `
  # alone, for this machine only: mesh 127.0.0.1:3000, Redis 127.0.0.1:6379, HTTP 127.0.0.1:8080
  cachemesh member

  # beside others, on a network; secrets come from files or the environment, not from flags
  CACHEMESH_REDIS_PASSWORD_FILE=/run/secrets/redis cachemesh member --mesh shop --name cache-1 --listen :3000 --advertise 10.0.0.7:3000 --bootstrap 10.0.0.8:3000,10.0.0.9:3000 --secret-file /run/secrets/mesh --redis-listen :6379

  # from a file, but for one setting
  cachemesh member --config /etc/cachemesh.yaml --log-level debug

  # sessions that survive a member: each value in two
  cachemesh member --replicas 2 --max-bytes 1GiB --ttl 30m`},
	"cachemesh config": {`Works with settings: those of "member", from flags, the environment and a YAML file.`, `
  cachemesh config check --config /etc/cachemesh.yaml`},
	"cachemesh config check": {`Takes what "member" takes, checks it, and prints what a member would run with, as a YAML
file that "member --config" takes. Secrets are not printed. It ends with 2, and says which
setting is wrong and why, if a member would not start.`, `
  cachemesh config check --config /etc/cachemesh.yaml
  CACHEMESH_MAX_BYTES=1GiB cachemesh config check --ttl 1h`},
	"cachemesh get": {`Prints the value of a key and a line end. Without a value it ends with 1.`, `
  cachemesh get greeting
  cachemesh get session:7 --group sessions -o json`},
	"cachemesh set": {`Sets the value of a key. When it ends with 0, no member serves what was there before.`, `
  cachemesh set greeting hello --ttl 1m
  cachemesh set lock:7 mine --absent
  cachemesh set page:/ --group pages < page.html`},
	"cachemesh del": {`Forgets keys, whether or not they have a value. When it ends with 0, no member serves what
they had.`, `
  cachemesh del greeting
  cachemesh del session:7 session:8 --group sessions`},
	"cachemesh ttl": {`Prints how long a key lives, or "forever". Without a value it ends with 1.`, `
  cachemesh ttl greeting`},
	"cachemesh owner": {`Says which member owns a key, and what that knows of its value: how long it lives, how old
and how large it is, its version. Nothing is loaded or read for it.`, `
  cachemesh owner greeting
  cachemesh owner session:7 --group sessions -o json`},
	"cachemesh members": {`Lists the members of the mesh as one of them sees them: which are leaving, which see the same
members, and whom they cannot call, as they told it.`, `
  cachemesh members
  cachemesh members --server http://10.0.0.7:8080 -o json`},
	"cachemesh groups": {`Lists the groups of a member: what they hold there, of which limit, and what it counted since
it started. What other members hold and count, they say themselves.`, `
  cachemesh groups`},
	"cachemesh stats": {`Prints what a member counted over all groups, by what right it answers, and whom it misses.`, `
  cachemesh stats
  cachemesh stats -o json`},
	"cachemesh health": {`Says whether a member is ready: it has joined, or the time for that is over, and it does not
leave. No token is needed. It ends with 1 if it is not.`, `
  cachemesh health --timeout 1s`},
	"cachemesh top": {`Shows what a member does, again and again: Gets, hits, writes and evictions a second of each
group, and who is in the mesh. In a terminal it fills the screen and takes keys: q ends it,
p pauses, s sorts by the next column, and the arrow keys scroll. Elsewhere it prints one look after the other; as
JSON each is a line.`, `
  cachemesh top
  cachemesh top --every 1s --count 60 -o json > minute.jsonl`},
	"cachemesh bench": {``, `
  cachemesh bench
  cachemesh bench -c 10 -n 1000000 --reads 0.5 -P 16
  cachemesh bench --redis /run/cachemesh/redis --for 30s -o json`},
	"cachemesh version": {`Prints the version of this program, the commit that it was built of and the Go it was built with.`, `
  cachemesh version`},
}

// explain gives a command and those below it their pages.
func explain(c *cobra.Command) {
	p := pages[c.CommandPath()]
	if p.long != "" {
		c.Long = p.long
	}
	if c.Flags().Lookup("server") != nil {
		c.Long += asking
	}
	c.Example = strings.Trim(p.example, "\n")
	for _, sub := range c.Commands() {
		explain(sub)
	}
}

// manCommand writes the manual.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man DIRECTORY", Short: "Write the pages of the manual, for man(1)", Hidden: true, Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			if given[0] == "" {
				return usageError{errors.New("man: no directory")}
			}
			if err := os.MkdirAll(given[0], 0o755); err != nil {
				return err
			}
			root := c.Root()
			root.DisableAutoGenTag = true // the same pages whenever they are made
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "CacheMesh", Manual: "CacheMesh"}, given[0])
		},
	}
}
