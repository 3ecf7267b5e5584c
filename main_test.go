package cachemesh_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/meshtest/leaks"
)

// TestMain is also the member that a benchmark starts.
func TestMain(m *testing.M) {
	if seed := os.Getenv(benchMemberEnv); seed != "" {
		if err := benchMember(seed); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	leaks.Main(m)
}
