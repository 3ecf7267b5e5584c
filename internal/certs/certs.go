// Package certs makes mutual TLS of files, and reads a certificate again that was renewed.
//
// What holds: a handshake begins with a certificate that its files had a second ago at most, or, as
// long as they cannot be read or do not fit each other, with the one before.
//
// Caveats: files are looked at when somebody shakes hands, and by nobody else: there is no goroutine.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/praveenduddu/cachemesh/internal/errs"
)

// lookEvery bounds how often files are looked at.
const lookEvery = time.Second

// mostBytes bounds what is read of a file: bundles of all the web's authorities have a quarter of a megabyte.
const mostBytes = 4 << 20

// New returns a configuration for both ends of a connection: cachemesh.TLSFromFiles.
func New(cert, key, ca string) (*tls.Config, error) {
	roots, err := readRoots(ca)
	if err != nil {
		return nil, errs.Option("ca", ca, err)
	}
	f := &files{cert: cert, key: key}
	now, err := f.read()
	if err != nil {
		return nil, err
	}
	f.last.Store(now)
	f.looked.Store(time.Now().UnixNano())
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		RootCAs:    roots, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.certificate() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return f.certificate() },
	}, nil
}

func readRoots(path string) (*x509.CertPool, error) {
	pem, err := readFile(path)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("it has no certificate in PEM")
	}
	return roots, nil
}

// files are where a certificate and its key are.
type files struct {
	cert, key string

	looked atomic.Int64 // when, in Unix nanoseconds; whoever moves it looks
	last   atomic.Pointer[issue]
}

// An issue is what files had when they were read. It is immutable.
type issue struct {
	pair  tls.Certificate
	stamp [2]stamp
}

// A stamp says whether a file is another than before.
type stamp struct {
	changed time.Time
	size    int64
}

// certificate returns the certificate, read again if the files have changed.
func (f *files) certificate() (*tls.Certificate, error) {
	now, looked := time.Now(), f.looked.Load()
	had := f.last.Load()
	if age := now.UnixNano() - looked; age >= 0 && age < int64(lookEvery) || !f.looked.CompareAndSwap(looked, now.UnixNano()) {
		return had.certificate(now, nil)
	}
	st, err := f.stamps()
	if err == nil && st != had.stamp {
		var next *issue
		if next, err = f.read(); err == nil {
			f.last.Store(next)
			had = next
		}
	}
	return had.certificate(now, err)
}

// certificate returns the certificate, unless it has expired and err says why there is no other.
func (i *issue) certificate(now time.Time, err error) (*tls.Certificate, error) {
	if end := i.pair.Leaf.NotAfter; err != nil && now.After(end) {
		return nil, fmt.Errorf("the certificate has expired at %v, and there is no other: %w", end, err)
	}
	return &i.pair, nil
}

// read reads both files. The stamps are those of before, so that a change meanwhile is read the next
// time. Errors: *OptionError.
func (f *files) read() (*issue, error) {
	st, err := f.stamps()
	if err != nil {
		return nil, err
	}
	cert, err := readFile(f.cert)
	if err != nil {
		return nil, errs.Option("cert", f.cert, err)
	}
	key, err := readFile(f.key)
	if err != nil {
		return nil, errs.Option("key", f.key, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, errs.Option("cert", f.cert, fmt.Errorf("with the key %s: %w", f.key, err))
	}
	return &issue{pair, st}, nil
}

// readFile reads a file, but none without end, as a device can be.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err == nil && len(data) > mostBytes {
		err = fmt.Errorf("it is larger than %d bytes", mostBytes)
	}
	return data, err
}

func (f *files) stamps() (st [2]stamp, err error) {
	for i, path := range []string{f.cert, f.key} {
		info, err := os.Stat(path)
		if err != nil {
			return st, errs.Option([]string{"cert", "key"}[i], path, err)
		}
		st[i] = stamp{info.ModTime(), info.Size()}
	}
	return st, nil
}
