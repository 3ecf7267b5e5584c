package main

import (
	"slices"
	"testing"
)

func TestReadPlaces(t *testing.T) {
	places, err := readPlaces()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(places), 24_323; got != want {
		t.Errorf("%d places, want %d", got, want)
	}
	ids := make(map[int64]bool)
	for i, p := range places {
		if ids[p.ID] || p.ID <= 0 {
			t.Fatalf("id %d of %s is not its own", p.ID, p.Name)
		}
		ids[p.ID] = true
		if p.Name == "" || len(p.Country) != 2 || p.Timezone == "" || p.Population < 15_000 {
			t.Fatalf("incomplete: %+v", p)
		}
		if i > 0 && p.Population > places[i-1].Population {
			t.Fatalf("%s is larger than %s before it", p.Name, places[i-1].Name)
		}
	}
	paris := Place{2988507, "Paris", "FR", 48.85341, 2.3488, 2138551, "Europe/Paris"}
	if !slices.Contains(places, paris) {
		t.Errorf("%+v is missing", paris)
	}
}
