package cachemesh

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh/internal/endpoint"
	"github.com/praveenduddu/cachemesh/internal/errs"
	"github.com/praveenduddu/cachemesh/internal/reach"
)

// validate checks what can be checked without binding anything and returns the
// options with their defaults filled in.
func (o Options) validate() (Options, error) {
	o.copy()
	o.setDefaults()
	for _, check := range []func(*Options) error{checkName, checkAddresses, checkTLS, checkSecrets, checkTimes, checkSizes} {
		if err := check(&o); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (o *Options) setDefaults() {
	setDefault(&o.ListenAddr, "127.0.0.1:0")
	setDefault(&o.JoinTimeout, 5*time.Second)
	setDefault(&o.MaxStale, 10*time.Second)
	setDefault(&o.Lease, time.Second)
	setDefault(&o.Right, min(3*time.Second, o.MaxStale))
	setDefault(&o.ForgetAfter, 15*time.Minute)
	setDefault(&o.Patience, 250*time.Millisecond)
	setDefault(&o.CallTimeout, 10*time.Second)
	if o.TotalBytes > 0 {
		setDefault(&o.MaxBytes, min(64<<20, o.TotalBytes/16))
	}
	setDefault(&o.MaxBytes, 64<<20)
	setDefault(&o.MaxValueBytes, 16<<20)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Network == nil {
		o.Network = endpoint.System{}
	}
}

// copy makes what the options point to this node's own: the caller may go on to
// change it, or wipe it.
func (o *Options) copy() {
	o.BootstrapNodes = slices.Clone(o.BootstrapNodes)
	o.Secret = bytes.Clone(o.Secret)
	o.AcceptSecrets = slices.Clone(o.AcceptSecrets)
	for i, s := range o.AcceptSecrets {
		o.AcceptSecrets[i] = bytes.Clone(s)
	}
	if o.TLS = o.TLS.Clone(); o.TLS != nil {
		o.TLS.Certificates = slices.Clone(o.TLS.Certificates)
		o.TLS.NextProtos = slices.Clone(o.TLS.NextProtos)
		o.TLS.CipherSuites = slices.Clone(o.TLS.CipherSuites)
		o.TLS.CurvePreferences = slices.Clone(o.TLS.CurvePreferences)
	}
}

// endpoint returns what of the options a node's endpoint needs.
func (o *Options) endpoint() endpoint.Options {
	return endpoint.Options{
		Name: o.Name, ListenAddr: o.ListenAddr, AdvertiseAddr: o.AdvertiseAddr, Mesh: o.Mesh,
		BootstrapNodes: o.BootstrapNodes, JoinTimeout: o.JoinTimeout, RequireJoin: o.RequireJoin,
		InjectContext: o.InjectContext, ExtractContext: o.ExtractContext,
		TLS: o.TLS, Secret: o.Secret, AcceptSecrets: o.AcceptSecrets,
		Patience: o.Patience, CallTimeout: o.CallTimeout, MaxValueBytes: o.MaxValueBytes,
		ExternalServer: o.ExternalServer, Network: o.Network,
	}
}

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

func checkTLS(o *Options) error {
	c := o.TLS
	if c == nil || o.ExternalServer || len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil {
		return nil
	}
	return errs.Option("TLS", "(no certificate)", errors.New("peers connect to this member too, so it needs Certificates"))
}

func checkSecrets(o *Options) error {
	if o.Secret != nil {
		if err := checkSecret("Secret", o.Secret); err != nil {
			return err
		}
	} else if o.TLS != nil {
		return errs.Option("Secret", "(none)", errors.New("TLS needs it: gossip packets are UDP, where TLS does not reach, "+
			"and one forged packet would add a member"))
	} else if len(o.AcceptSecrets) > 0 {
		return errs.Option("AcceptSecrets", "(set)", errors.New("it needs Secret, which this member itself uses"))
	}
	if n := len(o.AcceptSecrets); n > maxAccepted {
		return errs.Option("AcceptSecrets", fmt.Sprintf("(%d secrets)", n), fmt.Errorf("the limit is %d", maxAccepted))
	}
	for _, s := range o.AcceptSecrets {
		if err := checkSecret("AcceptSecrets", s); err != nil {
			return err
		}
	}
	return nil
}

func checkSecret(option string, secret []byte) error {
	n := len(secret)
	if n >= minSecret {
		return nil
	}
	err := fmt.Errorf("at least %d bytes are needed", minSecret)
	if n == 0 {
		err = fmt.Errorf("it is empty, as an environment variable that is not set would be; %w, and no secret is nil", err)
	}
	return errs.Option(option, fmt.Sprintf("(%d bytes)", n), err)
}
