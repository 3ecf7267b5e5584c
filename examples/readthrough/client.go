package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A client asks one member over HTTP. Its methods are called concurrently.
type client struct {
	name string
	base string // "http://host:port"
	http *http.Client
}

const (
	callersPerMember = 4
	requestTimeout   = 10 * time.Second
)

func newClient(name, addr string) *client {
	t := &http.Transport{MaxIdleConnsPerHost: callersPerMember + 1, DisableCompression: true}
	return &client{name: name, base: "http://" + addr, http: &http.Client{Transport: t, Timeout: requestTimeout}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// A lookup is an answer to GET /place/{id}.
type lookup struct {
	place    Place
	answered string        // who was asked
	loadedBy string        // who had read the row
	loaded   bool          // the request waited for the database
	get      time.Duration // of Get, inside the member
	total    time.Duration // of the whole HTTP request
}

// errAbsent is the answer 404.
var errAbsent = errors.New("not found")

// place looks a place up. Its errors are errAbsent and whatever went wrong.
func (c *client) place(ctx context.Context, id int64) (lookup, error) {
	start := time.Now()
	h, body, err := c.do(ctx, http.MethodGet, "/place/"+strconv.FormatInt(id, 10), nil)
	l := lookup{total: time.Since(start)}
	if err != nil {
		return l, err
	}
	l.answered, l.loadedBy, l.loaded = h.Get(headerMember), h.Get(headerLoader), h.Get(headerCache) == "load"
	ms, err := strconv.ParseFloat(strings.TrimPrefix(h.Get(headerTiming), "get;dur="), 64)
	if err != nil {
		return l, fmt.Errorf("header %s: %w", headerTiming, err)
	}
	l.get = time.Duration(ms * float64(time.Millisecond))
	return l, json.Unmarshal(body, &l.place)
}

func (c *client) putPlace(ctx context.Context, p Place) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, _, err = c.do(ctx, http.MethodPut, "/place/"+p.key(), body)
	return err
}

func (c *client) deletePlace(ctx context.Context, id int64) error {
	_, _, err := c.do(ctx, http.MethodDelete, "/place/"+strconv.FormatInt(id, 10), nil)
	return err
}

func (c *client) note(ctx context.Context, id string) (string, error) {
	_, body, err := c.do(ctx, http.MethodGet, "/note/"+id, nil)
	return string(body), err
}

func (c *client) putNote(ctx context.Context, id, note string) error {
	_, _, err := c.do(ctx, http.MethodPut, "/note/"+id, []byte(note))
	return err
}

func (c *client) stats(ctx context.Context) (s memberStats, err error) {
	_, body, err := c.do(ctx, http.MethodGet, "/stats", nil)
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	return s, err
}

// do sends one request and reads its answer to the end.
func (c *client) do(ctx context.Context, method, path string, body []byte) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.name, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %s %s: %w", c.name, method, path, err)
	case resp.StatusCode == http.StatusNotFound:
		return nil, nil, errAbsent
	case resp.StatusCode >= 300:
		return nil, nil, fmt.Errorf("%s: %s %s: %s: %s", c.name, method, path, resp.Status, bytes.TrimSpace(answer))
	}
	return resp.Header, answer, nil
}
