//go:build unix

package member

import "syscall"

// mostFiles returns how many files this process may have open, 0 if that is not known.
func mostFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return uint64(limit.Cur)
}
