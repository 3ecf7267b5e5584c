module github.com/praveenduddu/cachemesh/internal/mutants

go 1.26.0
