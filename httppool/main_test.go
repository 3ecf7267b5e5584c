package httppool

import (
	"os"
	"testing"

	"github.com/praveenduddu/cachemesh/internal/meshtest/leaks"
)

// TestMain is also the server of the two-process benchmarks, with benchServerEnv set.
func TestMain(m *testing.M) {
	if os.Getenv(benchServerEnv) != "" {
		benchServer()
		return
	}
	leaks.Main(m)
}
