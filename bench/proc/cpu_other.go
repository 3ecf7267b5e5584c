//go:build !linux

package proc

import "time"

// cpuTime is not known here; it is reported as zero.
func cpuTime(int) time.Duration { return 0 }

// residentSet is not known here; it is reported as zero.
func residentSet(int) int64 { return 0 }
