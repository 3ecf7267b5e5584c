package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/praveenduddu/cachemesh/cmd/cachemesh/internal/httpapi"
)

// A screen is top in a terminal: a bubbletea.Model, so its methods are called one after the other.
type screen struct {
	look  func() (*seen, error)
	every time.Duration
	left  int // looks that are still to come; negative: no end

	now, before *seen
	err         error // of the last look
	paused      bool
	by          int // what groups are sorted by, of orders
	from        int // lines that are scrolled away
	height      int // of the terminal; 0: not known yet
	width       int
}

// orders are what groups can be sorted by, the largest first but for the name.
var orders = []struct {
	name    string
	compare func(a, b httpapi.Group) int
}{
	{"registration", func(a, b httpapi.Group) int { return 0 }},
	{"name", func(a, b httpapi.Group) int { return cmp.Compare(a.Name, b.Name) }},
	{"bytes", func(a, b httpapi.Group) int { return cmp.Compare(b.Bytes, a.Bytes) }},
	{"gets", func(a, b httpapi.Group) int { return cmp.Compare(b.Gets, a.Gets) }},
	{"sets", func(a, b httpapi.Group) int { return cmp.Compare(b.Sets, a.Sets) }},
	{"evictions", func(a, b httpapi.Group) int { return cmp.Compare(b.Evictions, a.Evictions) }},
}

type (
	looked struct {
		now *seen
		err error
	}
	lookAgain struct{}
)

// run fills the terminal until a key or ctx ends it, or there are no looks left.
func (s *screen) run(ctx context.Context, sh *shell) error {
	if s.left == 0 {
		s.left = -1
	}
	_, err := tea.NewProgram(s, tea.WithContext(ctx), tea.WithInput(sh.in), tea.WithOutput(sh.out), tea.WithoutSignalHandler()).Run()
	if ctx.Err() != nil {
		return nil
	}
	if err == nil && s.now == nil {
		err = s.err // it never had an answer
	}
	return err
}

func (s *screen) Init() tea.Cmd { return s.ask }

func (s *screen) ask() tea.Msg {
	now, err := s.look()
	return looked{now, err}
}

func (s *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case looked:
		return s, s.take(msg)
	case lookAgain:
		if s.paused {
			return s, s.wait()
		}
		return s, s.ask
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return s, s.press(msg.String())
	}
	return s, nil
}

func (s *screen) wait() tea.Cmd {
	return tea.Tick(s.every, func(time.Time) tea.Msg { return lookAgain{} })
}

// take keeps a look, and begins to wait for the next one. A member that never answered ends it.
func (s *screen) take(l looked) tea.Cmd {
	if s.err = l.err; l.err == nil {
		s.now, s.before = l.now, s.now
	}
	if s.left > 0 {
		s.left--
	}
	if s.left == 0 || s.now == nil {
		return tea.Quit
	}
	return s.wait()
}

func (s *screen) press(key string) tea.Cmd {
	page := max(s.height-4, 1)
	switch key {
	case "q", "esc", "ctrl+c":
		return tea.Quit
	case "p", "space":
		s.paused = !s.paused
	case "s":
		s.by = (s.by + 1) % len(orders)
	case "down", "j":
		s.from++
	case "up", "k":
		s.from--
	case "pgdown":
		s.from += page
	case "pgup":
		s.from -= page
	case "home":
		s.from = 0
	}
	s.from = max(s.from, 0)
	return nil
}

func (s *screen) View() tea.View {
	v := tea.NewView(s.text())
	v.AltScreen = true
	return v
}

// text returns what fits into the terminal: how things are, the tables as far as they are scrolled, and the
// keys.
func (s *screen) text() string {
	if s.now == nil {
		return "waiting for the member"
	}
	shown := *s.now
	shown.Groups = slices.Clone(shown.Groups)
	slices.SortStableFunc(shown.Groups, orders[s.by].compare)
	var out strings.Builder
	shown.show(&out, s.before)
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	foot := fmt.Sprintf("q end · p pause · s sort (by %s) · ↑ ↓ scroll", orders[s.by].name)
	switch {
	case s.err != nil:
		foot = "no answer since " + s.now.At.Format(time.TimeOnly) + ": " + s.err.Error()
	case s.paused:
		foot = "PAUSED · " + foot
	}
	head, body := lines[:1], lines[1:]
	if room := s.height - 3; s.height > 0 && len(body) > max(room, 1) {
		room = max(room, 1)
		s.from = min(s.from, len(body)-room)
		body = body[s.from : s.from+room]
	} else {
		s.from = 0
	}
	all := slices.Concat(head, body, []string{"", foot})
	for i, line := range all {
		if runes := []rune(line); s.width > 0 && len(runes) > s.width {
			all[i] = string(runes[:s.width])
		}
	}
	return strings.Join(all, "\n")
}
