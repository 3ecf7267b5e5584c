//go:build !unix

package resp

import "io"

// A socket is a connection of which one waits without a buffer; here none is.
type socket struct{}

func (socket) open(io.Reader, func() []byte, func()) {}

func (socket) is() bool { return false }

func (socket) read() (int, error) { return 0, io.ErrNoProgress }
