package member

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/praveenduddu/cachemesh"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
)

// listenRedis opens what Redis clients connect to, so that a port that is taken is known
// before the member joins.
func (m *Member) listenRedis() error {
	c := m.c.Redis
	if !config.Off(c.Listen) {
		l, err := net.Listen("tcp", c.Listen)
		if err != nil {
			return fmt.Errorf("redis-listen: %w", err)
		}
		m.RedisAddr = l.Addr()
		if c.Cert != "" {
			o, err := loadTLS(c.Cert, c.Key, c.ClientCA)
			if err != nil {
				l.Close()
				return fmt.Errorf("redis-cert: %w", err)
			}
			l = tls.NewListener(l, o)
		}
		m.listeners = append(m.listeners, l)
	}
	if c.Socket != "" {
		l, err := listenSocket(c.Socket)
		if err != nil {
			return fmt.Errorf("redis-socket: %w", err)
		}
		m.listeners = append(m.listeners, l)
	}
	return nil
}

// listenSocket listens at a path, for this user and group alone. A socket that a member left
// there that does not run any more makes room; no other does, and nothing else.
func listenSocket(path string) (net.Listener, error) {
	if at, err := os.Stat(path); err == nil {
		if at.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("%s is there, and no socket", path)
		}
		if !deserted(path) {
			return nil, fmt.Errorf("%s is another process's", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EINVAL) && len(path) > shortPath {
		return nil, fmt.Errorf("%s is too long: systems take about a hundred bytes", path)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

const (
	shortPath        = 90                   // bytes that each system takes as a socket's path
	refusedOnWindows = syscall.Errno(10061) // WSAECONNREFUSED
)

// deserted reports whether nobody listens at a socket, which is known only of a connection that is refused: who is
// stopped, or too busy to take one, is there all the same, and so is a socket of another kind.
func deserted(path string) bool {
	nc, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		nc.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, refusedOnWindows)
}

// loadTLS reads a certificate with its key, and who signs those of the other side, which
// must have one then. A certificate that is renewed is read again, see cachemesh.TLSFromFiles.
func loadTLS(cert, key, ca string) (*tls.Config, error) {
	files, err := cachemesh.TLSFromFiles(cert, key, cmp.Or(ca, cert))
	if err != nil {
		return nil, err
	}
	c := &tls.Config{GetCertificate: files.GetCertificate, GetClientCertificate: files.GetClientCertificate, MinVersion: tls.VersionTLS12}
	if ca != "" {
		c.ClientCAs, c.ClientAuth = files.ClientCAs, tls.RequireAndVerifyClientCert
	}
	return c, nil
}
