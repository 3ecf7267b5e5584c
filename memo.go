package cachemesh

import (
	"errors"
	"reflect"
	"strings"
)

const (
	failedText  = 1 << 10 // bytes of an error's text that are kept
	failedMost  = 2 << 10 // bytes of an error that is kept as it is
	failedNodes = 256     // parts of it that are looked at
)

// A memo is what is remembered of a failed load, and what that takes.
type memo struct {
	err  *LoadError
	size int64
}

// memoOf returns what may be remembered of a failure, nil if err is none or the group
// remembers nothing. An error that is large, or might be, is remembered by its text,
// clipped, and by what members recognise in each other's errors. It asks the error,
// so it must not be called under a lock.
func (c *groupCore) memoOf(err error) *memo {
	le, ok := err.(*LoadError)
	if !ok || c.setbacks == nil && c.reasons == nil {
		return nil
	}
	le = withoutStack(le)
	r := ruler{nodes: failedNodes, frozen: true}
	n, ok := r.measure(reflect.ValueOf(&le.Err).Elem())
	if !ok || n > failedMost {
		text := textOf(le.Err)
		short := *le
		short.Err = &remoteError{text: strings.Clone(text[:min(len(text), failedText)]), is: c.identityOf(le.Err)}
		le, n = &short, failedText
	}
	return &memo{le, failedBytes + n + int64(len(le.Key))}
}

// identityOf returns what members recognise in an error of a user's function.
func (c *groupCore) identityOf(err error) (identity error) {
	for _, known := range identities {
		if is(err, known.err) {
			identity = errors.Join(identity, known.err)
		}
	}
	for _, s := range c.sentinels {
		if is(err, s.err) {
			identity = errors.Join(identity, s.err)
		}
	}
	return identity
}

// withoutStack returns an error that does not keep a stack of many kilobytes.
func withoutStack(le *LoadError) *LoadError {
	p, ok := le.Err.(*panicError)
	if !ok || len(p.text) <= failedText {
		return le
	}
	short := *le
	short.Err = &panicError{text: p.text[:failedText] + "…", cause: p.cause}
	return &short
}
