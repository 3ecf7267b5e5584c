package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/praveenduddu/cachemesh"
)

// A Page is what is cached. Age is how old it was in caches on the way here.
type Page struct {
	Body         string
	CacheControl string
	Age          time.Duration
}

// A fetcher loads pages.
type fetcher struct {
	client *http.Client
	base   string
}

const maxPage = 1 << 20 // bytes

// load is the loader: the key is a path.
func (f fetcher) load(ctx context.Context, path string) (Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+path, nil)
	if err != nil {
		return Page{}, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return Page{}, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return Page{}, fmt.Errorf("%s: %w", resp.Status, cachemesh.ErrNotFound)
	default:
		return Page{}, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err == nil && len(body) > maxPage {
		err = fmt.Errorf("GET %s: more than %d bytes", path, maxPage)
	}
	age, _ := strconv.Atoi(resp.Header.Get("Age"))
	return Page{string(body), strings.Join(resp.Header.Values("Cache-Control"), ", "), time.Duration(max(age, 0)) * time.Second}, err
}

// lifetime returns how long a shared cache may serve a response without asking
// again (RFC 9111, sections 4.2.1 and 5.2.2): s-maxage, else max-age, less the
// age that it came with. It returns -1, not to be kept, if it may not, or if the
// origin does not say.
func lifetime(cacheControl string, age time.Duration) time.Duration {
	const notKept = -1
	seconds, shared := -1, false
	for directive := range strings.SplitSeq(cacheControl, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name = strings.ToLower(name); name {
		case "no-store", "no-cache", "private":
			return notKept
		case "max-age", "s-maxage":
			n, err := strconv.Atoi(strings.Trim(value, `"`))
			if err != nil || n < 0 {
				return notKept
			}
			if name == "s-maxage" || !shared {
				seconds, shared = n, name == "s-maxage"
			}
		}
	}
	const longest = 365 * 24 * time.Hour
	left := min(time.Duration(min(seconds, int(longest/time.Second)))*time.Second, longest) - age
	if seconds < 0 || left <= 0 {
		return notKept
	}
	return left
}
