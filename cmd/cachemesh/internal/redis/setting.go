package redis

import (
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A setting is what SET was told beside key and value.
type setting struct {
	ttl  time.Duration
	cond cachemesh.Condition
	keep bool
	when string // EX, PX, EXAT or PXAT, if one was given
}

func parseSet(args [][]byte) (s setting, wrong string) {
	for i := 0; i < len(args); i++ {
		word := strings.ToLower(string(cut(args[i], 8)))
		k, timed := clocks[word]
		switch {
		case timed && i+1 < len(args) && s.when == "" && !s.keep:
			if s.ttl, wrong = ttlOf(k, args[i+1], "set"); wrong != "" {
				return s, wrong
			}
			s.when = word
			i++
		case word == "keepttl" && s.when == "":
			s.keep = true
		case word == "nx" && !s.cond.Present:
			s.cond.Absent = true
		case word == "xx" && !s.cond.Absent:
			s.cond.Present = true
		case word == "get":
			s.cond.Former = true
		default:
			return s, errSyntax
		}
	}
	return s, ""
}

// ttlOf reads a time that must be positive; one that is over becomes over.
func ttlOf(k clock, arg []byte, name string) (ttl time.Duration, wrong string) {
	n, good := integer(arg)
	if !good {
		return 0, errInteger
	}
	ttl, good = k.left(n)
	if !good || n <= 0 {
		return 0, "ERR invalid expire time in '" + name + "' command"
	}
	return max(ttl, over), ""
}
