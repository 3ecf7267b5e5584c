package httppool

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
)

// closeNow closes conn without TLS's parting message, which could wait for a peer that
// does not read.
func closeNow(conn net.Conn) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	conn.Close()
}

// faultOfTLS reports whether a failed handshake failed for what the ends showed each
// other, and not because the connection ended or time was up.
func faultOfTLS(err error) bool {
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return isAlert(err)
	}
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, os.ErrDeadlineExceeded,
		context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return false
		}
	}
	return true
}

// isAlert reports whether one end told the other by TLS why it refuses it.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error")
}
