package proc

import "syscall"

// attr keeps a terminal's interrupt from the processes, which end in an orderly
// way instead, and makes the kernel end them with their parent. The parent's
// main goroutine must be locked to its thread.
func attr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
