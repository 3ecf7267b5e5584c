package member

import "testing"

func TestFewerClientsWhereFilesAreFew(t *testing.T) {
	for _, c := range []struct {
		files               uint64
		redis, http         int
		wantRedis, wantHTTP int
	}{
		{1 << 20, 10000, 2000, 10000, 2000},
		{16000, 10000, 2000, 10000, 2000},
		{4096, 10000, 2000, 2560, 512},
		{1024, 10000, 2000, 640, 128},
		{1024, 10, 2000, 10, 758},
		{64, 10000, 2000, 26, 6},
		{1024, 0, 2000, 0, 768},
		{1024, 10000, 0, 768, 0},
		{0, 10, 10, 1, 1},
		{1<<64 - 1, 10000, 2000, 10000, 2000}, // no limit
	} {
		if redis, http := fit(c.files, c.redis, c.http); redis != c.wantRedis || http != c.wantHTTP {
			t.Errorf("%d files, %d and %d clients: %d and %d, want %d and %d", c.files, c.redis, c.http, redis, http, c.wantRedis, c.wantHTTP)
		}
	}
}
