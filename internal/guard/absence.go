package guard

import (
	"errors"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// IsAbsence reports whether a user's error says that there is no such value, and
// nothing else. Of errors that are joined all must say so: a loader that asked two
// shards, one of which is down, does not know. The error has been sealed.
func IsAbsence(err error) bool {
	switch err := err.(type) {
	case nil, *PanicError, *sealedError:
		return false
	case interface{ Unwrap() []error }:
		found := false
		for _, wrapped := range err.Unwrap() {
			if wrapped != nil && !IsAbsence(wrapped) {
				return false
			}
			found = found || wrapped != nil
		}
		return found
	case interface{ Unwrap() error }:
		if wrapped := err.Unwrap(); wrapped != nil {
			return IsAbsence(wrapped)
		}
	}
	return errors.Is(err, errs.ErrNotFound)
}

// PerKey finds the KeyErrors in what LoadMany returned, and what it says of all
// other keys: nil if it is a KeyErrors, wrapped or not, and nothing else. The error
// has not been sealed yet.
func PerKey(err error) (keys errs.KeyErrors, others error) {
	wrapped := err
	for range wrapDepth {
		if keys, ok := wrapped.(errs.KeyErrors); ok {
			return keys, nil
		}
		parts := unwrap(wrapped)
		if len(parts) == 1 {
			wrapped = parts[0]
			continue
		}
		var rest []error
		for _, part := range parts {
			if found, ok := part.(errs.KeyErrors); ok && keys == nil {
				keys = found
			} else {
				rest = append(rest, part)
			}
		}
		if keys != nil {
			return keys, errors.Join(rest...)
		}
		break
	}
	return nil, err
}
