package member

import (
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/config"
	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

// clients returns how many clients are let in at once, of Redis and of HTTP. Where this process may open so few files that
// they could take all, other members would not reach this one: fewer are let in then.
func (m *Member) clients() (redis, http int) {
	redis, http = m.c.Redis.MaxClients, httpapi.MostConns
	if config.Off(m.c.Redis.Listen) && m.c.Redis.Socket == "" {
		redis = 0
	}
	if config.Off(m.c.HTTP.Listen) {
		http = 0
	}
	files := mostFiles()
	if files == 0 {
		return redis, http
	}
	fewer, fewerHTTP := fit(files, redis, http)
	if fewer < redis || fewerHTTP < http {
		m.log.Warn("this process may open too few files for as many clients: fewer are let in at once", "files", files, "redis", fewer, "http", fewerHTTP)
	}
	return fewer, fewerHTTP
}

// fit returns how many clients of both kinds there may be if so many files may be open: a quarter of them, and at least 32
// where there are 64, are for other members and what this one needs itself.
func fit(files uint64, redis, http int) (fewer, fewerHTTP int) {
	own := max(files/4, min(32, files/2))
	if most := files - own; most < uint64(redis+http) {
		if http > 0 {
			redis = min(redis, max(1, int(most)*5/6))
		}
		redis = min(redis, max(1, int(most)))
		return redis, min(http, max(1, int(most)-redis))
	}
	return redis, http
}
