package membership

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned by calls on a Membership that was closed.
	ErrClosed = errors.New("membership: closed")
	// ErrLeft is returned by calls that make no sense once Leave was called.
	ErrLeft = errors.New("membership: left the mesh")
	// ErrNameTaken matches every *NameTakenError.
	ErrNameTaken = errors.New("membership: name is taken by another live member")
	errTooMany   = errors.New("too many members")
	// ErrNotAccepted is wrapped by Join when seeds answered but did not take this member in, although it waited.
	ErrNotAccepted = errors.New("membership: seeds answered but did not accept this member")
	// ErrSecretMismatch is wrapped by Join when a seed answered but one side could not read the other's gossip.
	ErrSecretMismatch = errors.New("membership: the seed uses another secret, or only one side uses one")
	// ErrRefused is wrapped by what Config.DialStream returns when the peer answered and the two do not fit together:
	// waiting will not help. Join returns it if no seed accepted this member and one refused it.
	ErrRefused = errors.New("membership: refused")
	// ErrAddrTaken is wrapped by what Config.DialStream returns when another process answered that advertises this
	// member's own address. Join returns it whatever the other seeds did.
	ErrAddrTaken = errors.New("membership: another process advertises this member's address")
	// ErrLeaving is wrapped by what Config.DialStream returns when the peer answered that it is shutting down: that
	// gossip fails with it for a moment is no trouble.
	ErrLeaving = errors.New("membership: the member is leaving")
	// ErrUnresolved is wrapped by GossipAddr when a host has no address yet.
	ErrUnresolved = errors.New("membership: host cannot be resolved")
)

// ConfigError names the field of Config that is wrong, and why.
type ConfigError struct {
	Field  string
	Reason string
}

// Error says what is wrong.
func (e *ConfigError) Error() string { return "membership: Config." + e.Field + ": " + e.Reason }

func configErrorf(field, format string, args ...any) error {
	return &ConfigError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// LoopbackError says that a member at a loopback address has a seed on another machine, which cannot reach it there.
type LoopbackError struct{ Addr, Seed string }

// Error says what is wrong.
func (e *LoopbackError) Error() string {
	return fmt.Sprintf("%s is a loopback address, and the bootstrap node %s is on another machine, which could not reach it: listen at an address "+
		"that it can reach, and advertise that", e.Addr, e.Seed)
}

// NameTakenError says that another live process uses this member's name. It matches ErrNameTaken.
type NameTakenError struct {
	Name  string
	Addr  string // this member's address
	Other string // the address of the member that holds the name, and that answered
}

// Error says what is wrong.
func (e *NameTakenError) Error() string {
	return fmt.Sprintf("membership: name %q of the member at %s is taken by a live member at %s", e.Name, e.Addr, e.Other)
}

// Is makes errors.Is(err, ErrNameTaken) true.
func (e *NameTakenError) Is(target error) bool { return target == ErrNameTaken }
