package redis

import (
	"errors"
	"math/big"
	"strings"

	"github.com/praveenduddu/cachemesh"
)

var (
	errFloat    = errors.New("ERR value is not a valid float")
	errInfinity = errors.New("ERR increment would produce NaN or Infinity")
)

const (
	mantissa = 64    // bits, as the long double that Redis has
	mostExp  = 16384 // of 2, likewise
)

// float reads a number with a fraction.
func float(b []byte) (*big.Float, error) {
	s := string(cut(b, 256))
	if len(b) > 256 || strings.ContainsAny(s, "_xXpPbBoO") {
		return nil, errFloat
	}
	f, _, err := big.ParseFloat(s, 10, mantissa, big.ToNearestEven)
	if err != nil || f.IsInf() {
		return nil, errFloat
	}
	if f.MantExp(nil) > mostExp || f.MantExp(nil) < -mostExp {
		return nil, errFloat
	}
	return f, nil
}

// human writes a number without an exponent, with 17 digits after the point at most.
func human(f *big.Float) string {
	s := f.Text('f', 17)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "" || s == "-" || s == "-0" {
		return "0"
	}
	return s
}

func incrByFloat(c *conn, args [][]byte) {
	delta, err := float(args[2])
	if err != nil {
		if is(args[2], "inf") || is(args[2], "+inf") || is(args[2], "-inf") {
			err = errInfinity
		}
		c.w.Error(err.Error())
		return
	}
	g, key := c.s.of(args[1])
	v, err := g.Update(c.context(), key, cachemesh.KeepTTL, func(old []byte, found bool) ([]byte, cachemesh.Action, error) {
		is := new(big.Float).SetPrec(mantissa)
		if found {
			var err error
			if is, err = float(old); err != nil {
				return nil, cachemesh.Keep, err
			}
		}
		sum := new(big.Float).SetPrec(mantissa).Add(is, delta)
		if sum.MantExp(nil) > mostExp {
			return nil, cachemesh.Keep, errInfinity
		}
		return []byte(human(sum)), cachemesh.Replace, nil
	})
	switch {
	case errors.Is(err, errFloat), errors.Is(err, errInfinity):
		c.w.Error(err.Error())
	case err != nil:
		c.fail(err)
	default:
		c.w.Bulk(v)
	}
}
