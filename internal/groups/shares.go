package groups

import (
	"github.com/praveenduddu/cachemesh/hotcache"
	"github.com/praveenduddu/cachemesh/internal/owner"
)

// What a group's MaxBytes is for, besides its store.
const (
	// hotShare is the part of MaxBytes, as 1/hotShare, that hot copies may take unless the user says how much.
	hotShare = 8

	// tagShare is the part of MaxBytes, as 1/tagShare, that lists of tags may take.
	tagShare = 16

	// smallGroup is the MaxBytes below which nothing is set aside for registrations and for what
	// loaders said of old values; there is room for a little all the same.
	smallGroup = 64 << 10
)

// Uses says what a group needs room for.
type Uses struct {
	Hot, Failures, Stale, Tags, Listens bool

	CopyBytes int64 // what hot copies may take, half of MaxBytes at most; 0: an eighth of that
}

// shares are what a group's MaxBytes is divided into.
type shares struct {
	hot    int64 // for hot copies; 0: none
	books  int64 // for registrations and keys that are known to be too large; a quarter for keys that are owed
	failed int64 // for failures that are remembered, and as much for those that explain old values
	tags   int64 // for the lists of tags; 0: none
	store  int64 // for the rest
}

func (u Uses) shares(maxBytes int64) shares {
	p := shares{failed: maxBytes / owner.FailedShare, books: max(maxBytes/owner.BookShare, owner.BookLeast), store: maxBytes}
	b := maxBytes / hotShare
	if u.CopyBytes > 0 {
		b = min(u.CopyBytes, maxBytes/2)
	}
	if u.Hot && b >= hotcache.MinBytes {
		p.hot = b
		p.store -= b
	}
	if u.Failures {
		p.store -= p.failed
	}
	if u.Tags {
		p.tags = maxBytes / tagShare
		p.store -= p.tags
	}
	if maxBytes >= smallGroup {
		p.store -= p.books
		if u.Stale {
			p.store -= p.failed
		}
	}
	return p
}

// room returns what a group's part has of it.
func (p shares) room(maxBytes int64) owner.Room {
	return owner.Room{All: maxBytes, Books: p.books * 3 / 4, Failed: p.failed, Tags: p.tags, Store: p.store}
}
