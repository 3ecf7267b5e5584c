package handover

import (
	"errors"
	"time"

	"github.com/praveenduddu/cachemesh/internal/owner"
	"github.com/praveenduddu/cachemesh/internal/store"
	"github.com/praveenduddu/cachemesh/internal/wire"
)

// parcelOverhead is what a value takes in a list besides key and data, at most.
const parcelOverhead = 48

// A parcel is a value that another member owns now. Only values that nobody
// could load again are handed over.
type parcel struct {
	part *owner.Part
	hash uint64
	e    *store.Entry
}

// packParcels makes a list of what has not expired, and counts the values in it, not
// the traces of Deletes.
func packParcels(parcels []parcel, now int64) (body []byte, values int) {
	for _, it := range parcels {
		e, left := it.e, time.Duration(0)
		if e.Expires != 0 {
			if left = time.Duration(e.Expires - now); left <= 0 {
				continue
			}
		}
		if !e.Negative {
			values++
		}
		body = wire.AppendParcel(body, e.Key, &wire.Packed{Data: e.Data, Version: e.Version, Left: left,
			Trace: e.Negative, Encoding: it.part.EncodingOf(e)})
	}
	return body, values
}

var errMalformedList = errors.New("malformed list of values")
