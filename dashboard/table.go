package dashboard

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// A table is what a page shows of many things. It can be sorted by each column and filtered,
// by the query of the page's URL.
type table struct {
	ID, Caption string
	Columns     []column
	Rows        [][]cell
	Empty       string // said if there are no rows
	Hidden      int    // rows that the filter left out
	Fixed       bool   // it has few rows in an order of their own
}

type column struct {
	Key, Title string
	Number     bool
	Href       string // sorts by it
	Sorted     string // "ascending", "descending" or ""
}

// A cell is a text for people, and a value for programs and for sorting.
type cell struct {
	Text  string
	Value any // a string, float64 or nil; nil: Text
	Href  string
	Level level // shown as a shape beside the text, if any
}

func text(s string) cell { return cell{Text: s} }

// value returns what a program gets.
func (c cell) value() any {
	if c.Value != nil {
		return c.Value
	}
	return c.Text
}

// arrange filters and sorts a table as the query of its page says: q, sort and desc.
func (t *table) arrange(query url.Values) {
	if t.Fixed {
		return
	}
	if q := strings.ToLower(query.Get("q")); q != "" {
		all := len(t.Rows)
		t.Rows = slices.DeleteFunc(t.Rows, func(row []cell) bool {
			return !slices.ContainsFunc(row, func(c cell) bool { return strings.Contains(strings.ToLower(c.Text), q) })
		})
		t.Hidden = all - len(t.Rows)
	}
	by, desc := query.Get("sort"), query.Has("desc")
	for i := range t.Columns {
		c := &t.Columns[i]
		sorted := c.Key == by
		link := url.Values{}
		for key, values := range query {
			if key != "sort" && key != "desc" {
				link[key] = values
			}
		}
		link.Set("sort", c.Key)
		if sorted && !desc {
			link.Set("desc", "")
		}
		c.Href = "?" + link.Encode()
		if !sorted {
			continue
		}
		c.Sorted = "ascending"
		if desc {
			c.Sorted = "descending"
		}
		slices.SortStableFunc(t.Rows, func(a, b []cell) int {
			if desc {
				a, b = b, a
			}
			return compare(a[i].value(), b[i].value())
		})
	}
}

func compare(a, b any) int {
	x, isNumber := a.(float64)
	y, isToo := b.(float64)
	if isNumber && isToo {
		return cmp.Compare(x, y)
	}
	s, _ := a.(string)
	u, _ := b.(string)
	return cmp.Compare(s, u)
}

// MarshalJSON returns the table for programs: each row is an object.
func (t table) MarshalJSON() ([]byte, error) {
	rows := make([]map[string]any, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = make(map[string]any, len(row))
		for j, c := range row {
			rows[i][t.Columns[j].Key] = c.value()
		}
	}
	return json.Marshal(map[string]any{"id": t.ID, "caption": t.Caption, "rows": rows})
}
