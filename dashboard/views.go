package dashboard

import (
	"strings"
	"time"
)

// saidLately is how old what a member said may be before that is worth a look: members tell each other
// every second or so.
const saidLately = 15 * time.Second

// viewTable shows how each member sees the mesh.
func viewTable(last *seen) table {
	t := table{ID: "views", Caption: "How each member sees the mesh, as it told this one", Empty: notStarted, Columns: []column{
		{Key: "by", Title: "Said by"}, {Key: "agrees", Title: "Sees the same members"}, {Key: "cannot_call", Title: "Cannot call"}, {Key: "said", Title: "When", Number: true}}}
	for _, v := range last.views {
		agrees := cell{Text: "yes", Level: good}
		said := cell{Text: v.Age.Round(100*time.Millisecond).String() + " ago", Value: v.Age.Seconds()}
		switch {
		case v.Age < 0:
			agrees, said = cell{Text: "has not said", Level: warn}, cell{Text: "–", Value: -1.0}
		case !v.Agrees:
			agrees = cell{Text: "no", Level: warn}
		}
		if v.Age > saidLately {
			said.Level = warn
		}
		cannot := cell{Text: "nobody", Value: ""}
		if len(v.Unreachable) > 0 {
			all := strings.Join(v.Unreachable, ", ")
			cannot = cell{Text: all, Value: all, Level: warn}
		}
		t.Rows = append(t.Rows, []cell{text(v.Name), agrees, cannot, said})
	}
	return t
}
