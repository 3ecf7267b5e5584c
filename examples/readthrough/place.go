package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
)

// A Place is one row of the table.
type Place struct {
	ID         int64   `json:"id"` // GeoNames id
	Name       string  `json:"name"`
	Country    string  `json:"country"` // ISO 3166-1 alpha-2
	Latitude   float64 `json:"latitude"`
	Longitude  float64 `json:"longitude"`
	Population int64   `json:"population"`
	Timezone   string  `json:"timezone"`
}

// key returns the place's key in the cache.
func (p Place) key() string { return strconv.FormatInt(p.ID, 10) }

//go:embed data/places.csv.gz
var placesCSV []byte

// readPlaces returns the places that come with the program, the largest first.
func readPlaces() ([]Place, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(placesCSV))
	if err != nil {
		return nil, fmt.Errorf("places.csv.gz: %w", err)
	}
	rows, err := csv.NewReader(unzipped).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("places.csv.gz: %w", err)
	}
	places := make([]Place, 0, len(rows))
	for i, row := range rows[1:] {
		p, err := parsePlace(row)
		if err != nil {
			return nil, fmt.Errorf("places.csv.gz, line %d: %w", i+2, err)
		}
		places = append(places, p)
	}
	return places, nil
}

// parsePlace takes the columns in the order that the file's header gives.
func parsePlace(row []string) (p Place, err error) {
	p = Place{Name: row[1], Country: row[2], Timezone: row[6]}
	if p.ID, err = strconv.ParseInt(row[0], 10, 64); err != nil {
		return p, err
	}
	if p.Latitude, err = strconv.ParseFloat(row[3], 64); err != nil {
		return p, err
	}
	if p.Longitude, err = strconv.ParseFloat(row[4], 64); err != nil {
		return p, err
	}
	p.Population, err = strconv.ParseInt(row[5], 10, 64)
	return p, err
}
