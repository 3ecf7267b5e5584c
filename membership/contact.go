package membership

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// contactAll contacts addrs, a few at a time, and returns those that answered and the errors of the others.
func (m *Membership) contactAll(ctx context.Context, addrs []netip.AddrPort) (answered []netip.AddrPort, errs []error) {
	results := make([]error, len(addrs))
	each(len(addrs), func(i int) { results[i] = m.contact(ctx, addrs[i]) })
	for i, err := range results {
		if err == nil {
			answered = append(answered, addrs[i])
		} else {
			errs = append(errs, err)
		}
	}
	return answered, errs
}

// contact exchanges full state with the member at addr. When ctx is done it returns at once, and leaves the exchange to
// end by StreamTimeout.
func (m *Membership) contact(ctx context.Context, addr netip.AddrPort) error {
	select {
	case m.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-m.ctx.Done():
		return ErrClosed
	}
	result := make(chan error, 1)
	exchange := func() {
		defer func() { <-m.slots }()
		result <- m.exchange(addr)
	}
	if !m.spawn(exchange) {
		<-m.slots
		return ErrClosed
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-m.ctx.Done():
		return ErrClosed
	}
}

// exchange does one exchange of state, and another if the member there is still not alive in the table: two members
// that hold each other for dead both refute it by the first, and believe it by the second. One that was lost may have
// to be told first, and takes a moment to begin another life.
func (m *Membership) exchange(addr netip.AddrPort) error {
	m.transport.streams.watch(addr.String())
	defer m.transport.streams.unwatch(addr.String())
	for attempt := range 4 {
		if attempt > 1 && (!m.table.lostAt(addr) || !wait(m.ctx, reviveTime)) {
			return nil
		}
		if _, err := m.list.Join([]string{addr.String()}); err != nil {
			if mismatch(err) {
				return fmt.Errorf("%v: %w: %w", addr, ErrRefused, ErrSecretMismatch)
			}
			if dial := m.transport.streams.unwatch(addr.String()); errors.Is(dial, ErrRefused) {
				m.journal.put(line{level: slog.LevelWarn, class: "refused by " + addr.String(), quiet: strangerQuiet,
					msg: "a member refuses this one, or this one it", attrs: []slog.Attr{slog.Any("addr", addr), slog.Any("err", dial)}})
				return fmt.Errorf("%v: %w", addr, dial)
			}
			return fmt.Errorf("%v: %s", addr, plain(err, addr))
		}
		if _, alive := m.table.at(addr); alive {
			return nil
		}
	}
	return nil
}

// plain takes the text of a failed exchange out of memberlist's list of errors of one address.
func plain(err error, addr netip.AddrPort) string {
	if list, ok := err.(interface{ WrappedErrors() []error }); ok && len(list.WrappedErrors()) > 0 {
		err = list.WrappedErrors()[0]
	}
	return strings.TrimPrefix(err.Error(), fmt.Sprintf("failed to join %v: ", addr))
}

// without returns addrs that are not in known.
func without(addrs, known []netip.AddrPort) []netip.AddrPort {
	return slices.DeleteFunc(slices.Clone(addrs), func(a netip.AddrPort) bool { return slices.Contains(known, a) })
}

// maxTell is how many peers a leaving member tells by itself; gossip tells the others.
const maxTell = 32

const (
	maxJoinErrors = 8                     // reported by one Join
	reviveTime    = 25 * time.Millisecond // for a member that was told of its death to begin another life
)
