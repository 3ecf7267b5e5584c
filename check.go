package cachemesh

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/reach"
)

func checkName(o *Options) error {
	if len(o.Name) > MaxNameLen {
		return errs.Option("Name", o.Name, fmt.Errorf("it has %d bytes, the limit is %d", len(o.Name), MaxNameLen))
	}
	if strings.ContainsFunc(o.Name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '#' }) {
		return errs.Option("Name", o.Name, errors.New("control characters and '#' are not allowed"))
	}
	if (o.InjectContext == nil) != (o.ExtractContext == nil) {
		return errs.Option("InjectContext", o.InjectContext != nil, errors.New("it and ExtractContext need each other"))
	}
	if len(o.Mesh) > MaxNameLen {
		return errs.Option("Mesh", o.Mesh, fmt.Errorf("it has %d bytes, the limit is %d", len(o.Mesh), MaxNameLen))
	}
	return nil
}

func checkAddresses(o *Options) error {
	if err := checkHostPort(o.ListenAddr); err != nil {
		return errs.Option("ListenAddr", o.ListenAddr, err)
	}
	if o.AdvertiseAddr != "" {
		if err := checkHostPort(o.AdvertiseAddr); err != nil {
			return errs.Option("AdvertiseAddr", o.AdvertiseAddr, err)
		}
		if host, _, _ := net.SplitHostPort(o.AdvertiseAddr); host == "" {
			return errs.Option("AdvertiseAddr", o.AdvertiseAddr, errors.New("it needs a host that peers can dial"))
		}
	} else if o.ExternalServer {
		return errs.Option("AdvertiseAddr", "", errors.New("ExternalServer needs it"))
	}
	if o.ExternalServer && portOf(o.ListenAddr) != portOf(o.AdvertiseAddr) {
		return errs.Option("ListenAddr", o.ListenAddr, fmt.Errorf("with ExternalServer its port must be that of AdvertiseAddr, %s", o.AdvertiseAddr))
	}
	if isTypedNil(o.Network) {
		return errs.Option("Network", o.Network, errTypedNil)
	}
	for _, addr := range o.BootstrapNodes {
		if err := checkHostPort(addr); err != nil {
			return errs.Option("BootstrapNodes", addr, err)
		}
		if portOf(addr) == "0" {
			return errs.Option("BootstrapNodes", addr, errors.New("port 0 cannot be dialled"))
		}
	}
	return nil
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

func checkHostPort(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("want host:port: %w", err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return nil
}

func checkTimes(o *Options) error {
	for _, t := range []struct {
		option   string
		value    time.Duration
		min, max time.Duration
	}{
		{"JoinTimeout", o.JoinTimeout, 0, 0},
		{"MaxStale", o.MaxStale, minMaxStale, maxMaxStale},
		{"Lease", o.Lease, minLease, maxLease},
		{"Right", o.Right, minRight, o.MaxStale},
		{"ForgetAfter", o.ForgetAfter, time.Minute, 0},
		{"Patience", o.Patience, minPatience, reach.Silence},
		{"CallTimeout", o.CallTimeout, 0, 0},
	} {
		if t.value < t.min {
			return errs.Option(t.option, t.value, fmt.Errorf("it must be at least %v", t.min))
		}
		if t.max > 0 && t.value > t.max {
			return errs.Option(t.option, t.value, fmt.Errorf("it must be at most %v", t.max))
		}
	}
	if o.Lease > o.MaxStale {
		return errs.Option("Lease", o.Lease, fmt.Errorf("it must not exceed MaxStale, %v", o.MaxStale))
	}
	return nil
}

// isTypedNil reports whether an interface that is not nil holds a nil.
func isTypedNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Chan, reflect.Slice:
		return r.IsNil()
	}
	return false
}

func checkSizes(o *Options) error {
	if o.MaxBytes < 0 {
		return errs.Option("MaxBytes", o.MaxBytes, errors.New("it must not be negative"))
	}
	if o.TotalBytes != 0 && o.TotalBytes < minTotal {
		return errs.Option("TotalBytes", o.TotalBytes, fmt.Errorf("it must be at least %d, or 0 for none", minTotal))
	}
	if o.TotalBytes > 0 && o.MaxBytes > o.TotalBytes {
		return errs.Option("MaxBytes", o.MaxBytes, fmt.Errorf("it must not exceed TotalBytes, %d", o.TotalBytes))
	}
	if o.MaxValueBytes < 0 || o.MaxValueBytes > maxValueMax {
		return errs.Option("MaxValueBytes", o.MaxValueBytes, fmt.Errorf("it must be from 1 to %d", maxValueMax))
	}
	return nil
}
