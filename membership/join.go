package membership

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

const (
	acceptTimeout = 10 * time.Second // for seeds to accept this member; longer than detecting a crash takes
	introduceTime = 1 * time.Second  // for telling the others, which gossip does too
	acceptPause   = 20 * time.Millisecond
	pingAttempts  = 3
)

// Join contacts every address of every seed once, a few at a time, and returns how many answered. Before it returns, at
// least one of them is known to have taken this member in, up to 32 members that they know have been told of it if they
// could be reached within a second, and the view that holds all those was delivered.
//
// Without seeds, or if all of them are this member, it returns 0 and nil. If none answered it returns an error that
// names each seed; if ctx was done, its error. If one refused this member and none took it in, the error wraps
// ErrRefused; if one is another process that advertises this member's address, ErrAddrTaken, whatever the others did.
// A member at a loopback address that has seeds on other machines gets a *LoopbackError. If another live process uses this member's name the error is a
// *NameTakenError, and this member should be closed. If the holder of the name does not answer, Join waits until the
// others have declared it dead. It must not be called from OnView.
func (m *Membership) Join(ctx context.Context) (contacted int, err error) {
	if err := m.state(); err != nil {
		return 0, err
	}
	if len(m.cfg.Seeds) == 0 {
		return 0, nil
	}
	m.delegate.conflict.Store(nil)
	echoes := m.delegate.echoes.Load()
	addrs, errs := m.seeds.findAll(ctx)
	if err := m.seeds.own.loopback(m.cfg.Addr, addrs); err != nil {
		return 0, err
	}
	answered, contactErrs := m.contactAll(ctx, addrs)
	errs = append(errs, contactErrs...)
	if m.table.alone() && m.delegate.conflict.Load() == nil {
		answered = nil // only this member did, by an address that it did not know for its own
	}
	if err := refusal(errs, len(answered) > 0); err != nil {
		return len(answered), err
	}
	if len(answered) > 0 {
		err = m.awaitAcceptance(ctx, answered, echoes)
	} else if err = ctx.Err(); err == nil && len(errs) > 0 {
		err = fmt.Errorf("membership: no seed answered: %w", errors.Join(errs[:min(len(errs), maxJoinErrors)]...))
	}
	if err == nil && len(answered) > 0 {
		m.introduce(ctx, answered)
		err = m.sync(ctx)
	}
	return len(answered), err
}

// refusal returns the errors of seeds that answered and refused, if they count: another process at this member's address
// always does, anything else only if no seed took this member in.
func refusal(errs []error, accepted bool) error {
	var refused []error
	for _, err := range errs {
		if errors.Is(err, ErrAddrTaken) {
			return err
		}
		if errors.Is(err, ErrRefused) && len(refused) < maxJoinErrors {
			refused = append(refused, err)
		}
	}
	if accepted {
		return nil
	}
	return errors.Join(refused...)
}

// introduce tells the members that the seeds know of this one. Gossip would do it too, a little later and most times.
func (m *Membership) introduce(ctx context.Context, answered []netip.AddrPort) {
	ctx, cancel := context.WithTimeout(ctx, introduceTime)
	defer cancel()
	others := without(m.table.peerAddrs(), answered)
	m.contactAll(ctx, others[:min(len(others), maxTell)])
}

// awaitAcceptance exchanges state with the seeds that answered until one of them was heard to know this run of this
// member. A seed that holds another for it, or an earlier run, takes a few exchanges or until that one is declared dead.
func (m *Membership) awaitAcceptance(ctx context.Context, answered []netip.AddrPort, echoes uint64) error {
	limited, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	pause := time.Duration(0)
	for i := 0; ; i++ {
		if c := m.delegate.conflict.Swap(nil); c != nil {
			if m.answers(limited, c.other.gossip) {
				return &NameTakenError{Name: m.cfg.Name, Addr: m.cfg.Addr, Other: c.other.Addr}
			}
			pause = max(pause, 4*acceptPause) // its holder has to be found dead first
		} else if m.delegate.echoes.Load() > echoes {
			return nil
		}
		if pause > 0 && !wait(limited, pause) || limited.Err() != nil {
			break
		}
		if i > 1 {
			pause = min(max(2*pause, acceptPause), 500*time.Millisecond)
		}
		_ = m.contact(limited, answered[i%len(answered)])
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := m.state(); err != nil {
		return err
	}
	return fmt.Errorf("%w within %v", ErrNotAccepted, acceptTimeout)
}

// answers says whether a live member of this member's own name is at addr.
func (m *Membership) answers(ctx context.Context, addr netip.AddrPort) bool {
	for range pingAttempts {
		if ctx.Err() != nil || m.state() != nil {
			return false
		}
		if _, err := m.list.Ping(m.cfg.Name, net.UDPAddrFromAddrPort(addr)); err == nil {
			return true
		}
	}
	return false
}
