package guard

import "strings"

// A Known is one of GroupOptions.Errors.
type Known struct {
	Err  error
	Name string // what stands for it in an answer: its text, clipped
}

// KnownOf returns what is known of GroupOptions.Errors.
func KnownOf(errs []error) []Known {
	sentinels := make([]Known, len(errs))
	for i, err := range errs {
		sentinels[i] = Known{err, nameOf(err)}
	}
	return sentinels
}

// MaxNamesBytes bounds the names in an answer, so that names and text fit a message.
const MaxNamesBytes = 2000

// nameOf returns what stands for one of GroupOptions.Errors in an answer.
func nameOf(err error) string {
	text := strings.ReplaceAll(TextOf(err), "\x00", " ")
	return text[:min(len(text), MaxNamesBytes/2)]
}
