// Command cachemesh is a member of a mesh that programs in any language can use: it owns keys
// and holds copies like every other member, and answers Redis clients and HTTP. See README.md.
package main

import (
	"os"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}
