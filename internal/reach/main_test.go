package reach_test

import (
	"testing"

	"github.com/praveenduddu/cachemesh/internal/meshtest/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }
