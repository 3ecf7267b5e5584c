package cli

import (
	"strconv"
	"strings"
)

// plain returns what a terminal may show: a text that has what is no text for people, such as the escape sequences that
// terminals take as orders, in quotes.
func plain(v any) any {
	text, ok := v.(string)
	if !ok || !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return v
	}
	return strconv.Quote(text)
}
