package member

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"os"
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
// there that does not run any more makes room; one that answers does not.
func listenSocket(path string) (net.Listener, error) {
	if at, err := os.Stat(path); err == nil && at.Mode()&os.ModeSocket != 0 {
		if nc, err := net.DialTimeout("unix", path, time.Second); err == nil {
			nc.Close()
			return nil, fmt.Errorf("%s is another process's", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
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
