package cachemesh

import "github.com/praveenduddu/cachemesh/internal/faultinject"

// hooks are where this package's own tests reach in. All are off by default.
type hooks struct {
	transport func(transport) transport // wraps the transport, to put faults in
	faults    faultinject.Faults        // switches a protection off, to see that a checker notices
}
