package membership

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/meshtest/leaks"
)

// TestMain fails if goroutines are left when all members are closed. memberlist does not wait for its own, so they get
// a few seconds to end by themselves; those of this package must be gone before Close returns, which the tests in
// bubbles check.
func TestMain(m *testing.M) { leaks.Main(m, "hashicorp/memberlist") }
