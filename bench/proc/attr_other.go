//go:build !linux

package proc

import "syscall"

// attr leaves the processes as they are: they end when their input does.
func attr() *syscall.SysProcAttr { return nil }
