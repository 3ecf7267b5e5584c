package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

// looks returns what is seen of a member with groups, another time each.
func looks(groups int) func() (*seen, error) {
	n := 0
	return func() (*seen, error) {
		n++
		s := &seen{At: time.Unix(int64(n), 0), Stats: httpapi.Stats{Name: "shop", Members: 2, Settled: true, Mode: "majority"}}
		for i := range groups {
			s.Groups = append(s.Groups, httpapi.Group{Name: fmt.Sprintf("group-%02d", groups-i), Bytes: int64(i), Gets: uint64(n * i)})
		}
		return s, nil
	}
}

// presses sends keys to a screen, as bubbletea does.
func (s *screen) presses(keys ...rune) *screen {
	for _, key := range keys {
		s.Update(tea.KeyPressMsg(tea.Key{Code: key, Text: string(key)}))
	}
	return s
}

// What does not fit is scrolled to; the sentence at the top and the keys below stay.
func TestScreenFits(t *testing.T) {
	s := &screen{look: looks(60), every: time.Second, left: -1}
	s.Update(tea.WindowSizeMsg{Width: 60, Height: 20})
	s.Update(s.ask())
	s.Update(s.ask())
	for _, from := range []int{0, 1, 500} {
		s.from = from
		lines := strings.Split(s.text(), "\n")
		if len(lines) > 20 || !strings.HasPrefix(lines[0], "shop") || !strings.HasPrefix(lines[len(lines)-1], "q end") {
			t.Errorf("from %d: %d lines, %q … %q", from, len(lines), lines[0], lines[len(lines)-1])
		}
		for _, line := range lines {
			if len([]rune(line)) > 60 {
				t.Errorf("too wide: %q", line)
			}
		}
	}
	if text := s.text(); strings.Contains(text, "group-60") || !strings.Contains(text, "MEMBER") {
		t.Errorf("the end is not shown:\n%s", text)
	}
	s.from = 0
	if text := s.presses('s').text(); !strings.Contains(text, "by name") || strings.Index(text, "group-01") > strings.Index(text, "group-02") {
		t.Errorf("not sorted by name:\n%s", text)
	}
	if text := s.presses('s').text(); !strings.Contains(text, "by bytes") || strings.Index(text, "group-01") > strings.Index(text, "group-02") {
		t.Errorf("not sorted by bytes:\n%s", text)
	}
	if text := s.presses('p').text(); !strings.Contains(text, "PAUSED") {
		t.Error(text)
	}
	s.Update(looked{nil, errors.New("it is gone")})
	if text := s.text(); !strings.Contains(text, "no answer since") || !strings.Contains(text, "group-01") {
		t.Errorf("of a member that is gone:\n%s", text)
	}
}
