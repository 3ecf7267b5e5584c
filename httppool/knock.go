package httppool

import (
	"context"
	"net"
)

// Knock connects to the member at addr, shakes hands, and hangs up. A nil error means
// that a member answered that fits this one, or is this one. Errors match ErrUnreachable,
// ErrRefused or ErrClosed.
func (p *Pool) Knock(ctx context.Context, addr string) error {
	if p.ctx.Err() != nil {
		return ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.DialTimeout)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	o, err := p.open(ctx, addr, "", pathPeer, nil)
	if err == nil {
		o.conn.Write(appendHeader(nil, framePing, 0, 0)) // without a secret it shows that a peer was there
		o.conn.Close()
	}
	return err
}

// DialStream opens a raw stream to the OnStream of the member at addr. The stream
// belongs to the caller; Pool.Close does not close it. It neither heeds nor moves the
// backoff of calls. Errors match ErrUnreachable, ErrRefused or ErrClosed.
func (p *Pool) DialStream(ctx context.Context, addr string) (net.Conn, error) {
	return p.DialStreamAs(ctx, addr, "")
}

// DialStreamAs is DialStream to an address that was found by the name host: TLS verifies
// the peer's certificate against it. An empty host is that of addr, and TLS.ServerName
// comes before both.
func (p *Pool) DialStreamAs(ctx context.Context, addr, host string) (net.Conn, error) {
	if p.ctx.Err() != nil {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.DialTimeout)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	o, err := p.open(ctx, addr, host, pathStream, nil)
	if err != nil {
		if p.ctx.Err() != nil {
			err = ErrClosed
		}
		return nil, err
	}
	return o.stream(), nil
}
