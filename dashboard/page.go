package dashboard

import "time"

// A page is what is shown of one thing at one moment.
type page struct {
	Title  string    `json:"title"`
	Name   string    `json:"-"` // last part of its path
	Query  string    `json:"-"` // of its URL, encoded
	Filter string    `json:"-"` // what tables are filtered by
	Member string    `json:"member"`
	At     time.Time `json:"at"`
	Live   bool      `json:"-"` // it is sent again as it changes

	Verdict *verdict `json:"verdict,omitempty"`
	Charts  []chart  `json:"-"`
	Tables  []table  `json:"tables"`
	Notes   []string `json:"notes,omitempty"`
	Form    *keyForm `json:"-"`
	Filters bool     `json:"-"` // a field to filter by is shown
}

// JSON returns where the page is for programs.
func (p *page) JSON() string {
	if p.Query == "" {
		return "?format=json"
	}
	return "?" + p.Query + "&format=json"
}

// A verdict says in a sentence how things are.
type verdict struct {
	Level level  `json:"level"`
	Text  string `json:"text"`
}

// A keyForm asks for a key.
type keyForm struct {
	Groups []option
	Key    string
}

type option struct {
	Value, Name string
	Selected    bool
}
