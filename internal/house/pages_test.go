package house_test

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are those whose Go must be code that is compiled: the front page and the users' pages.
func pages(t *testing.T) []string {
	found, err := filepath.Glob("docs/*.md")
	must(t, err)
	return append(found, "README.md")
}

// TestPagesShowCompiledCode: every block of Go on a page stands, line for line, in a file of
// Go of this repository, all of which is compiled and vetted, and most of it run, by its tests.
// A line "…" leaves lines out. Indentation does not count.
func TestPagesShowCompiledCode(t *testing.T) {
	atRoot(t)
	code := goLines(t)
	for _, page := range pages(t) {
		blocks := goBlocks(t, page)
		for _, block := range blocks {
			if !slices.ContainsFunc(code, func(file []string) bool { return shows(file, block) }) {
				t.Errorf("%s shows Go that is in no file:\n%s", page, strings.Join(block, "\n"))
			}
		}
		t.Logf("%s: %d blocks", page, len(blocks))
	}
}

// TestShows: what holds the pages to the code sees a line that differs.
func TestShows(t *testing.T) {
	file := []string{"a", "b", "c", "d"}
	for block, want := range map[string]bool{"b c": true, "a … d": true, "a … c": true, "a c": false, "d … a": false, "b x": false, "…": true, "a a": false} {
		if got := shows(file, strings.Fields(block)); got != want {
			t.Errorf("%q is shown: %v, want %v", block, got, want)
		}
	}
}

// shows reports whether a file has the lines of a block, in order and without gaps but where
// the block says so.
func shows(file, block []string) bool {
	head, rest := block, []string(nil)
	gap := slices.Index(block, "…")
	if gap >= 0 {
		head, rest = block[:gap], block[gap+1:]
	}
	for at := 0; at+len(head) <= len(file); at++ {
		if slices.Equal(file[at:at+len(head)], head) && (gap < 0 || shows(file[at+len(head):], rest)) {
			return true
		}
	}
	return false
}

// trimmed returns the lines of a text that are not empty, without their indentation.
func trimmed(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// goLines returns the lines of every Go file of this repository.
func goLines(t *testing.T) (files [][]string) {
	must(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") {
			return err
		}
		text, err := os.ReadFile(file)
		files = append(files, trimmed(string(text)))
		return err
	}))
	return files
}

// goBlocks returns the blocks of Go on a page.
func goBlocks(t *testing.T, page string) (blocks [][]string) {
	text, err := os.ReadFile(page)
	must(t, err)
	var block []string
	inside := false
	for line := range strings.Lines(string(text)) {
		switch line = strings.TrimSpace(line); {
		case !inside && line == "```go":
			inside, block = true, nil
		case inside && line == "```":
			inside = false
			blocks = append(blocks, block)
		case inside && line != "":
			block = append(block, line)
		}
	}
	if inside {
		t.Errorf("%s: a block of Go does not end", page)
	}
	return blocks
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#{1,6} +(.+?)\s*$`)
	quotePattern   = regexp.MustCompile("`[^`]*`")
)

// TestLinksLead: what pages link to in this repository is there, headings too.
func TestLinksLead(t *testing.T) {
	atRoot(t)
	for _, page := range append(pages(t), "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md") {
		text, err := os.ReadFile(page)
		must(t, err)
		for _, found := range linkPattern.FindAllStringSubmatch(quotePattern.ReplaceAllString(string(text), ""), -1) {
			link, err := url.Parse(found[1])
			if err != nil || link.Scheme != "" {
				continue
			}
			target := page
			if link.Path != "" {
				target = path.Join(path.Dir(filepath.ToSlash(page)), link.Path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, found[1])
			} else if link.Fragment != "" && !slices.Contains(headings(t, target), link.Fragment) {
				t.Errorf("%s links to %s, and there is no such heading", page, found[1])
			}
		}
	}
}

// headings returns the names by which links lead to the headings of a page.
func headings(t *testing.T, page string) (names []string) {
	text, err := os.ReadFile(page)
	must(t, err)
	for _, found := range headingPattern.FindAllStringSubmatch(string(text), -1) {
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127 && r != '…' && r != '’':
				return r
			}
			return -1
		}, strings.ToLower(found[1])))
	}
	return names
}

// TestLogLines: the lines of the log that docs/operating.md explains are said somewhere.
func TestLogLines(t *testing.T) {
	atRoot(t)
	page, err := os.ReadFile("docs/operating.md")
	must(t, err)
	_, table, ok := strings.Cut(string(page), "| the line begins with |")
	if !ok {
		t.Fatal("docs/operating.md has no table of log lines")
	}
	var code strings.Builder
	for _, file := range goLines(t) {
		code.WriteString(strings.Join(file, "\n"))
	}
	lines := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) < 4 {
			if lines > 0 {
				break
			}
			continue
		}
		for _, said := range quotePattern.FindAllString(cells[1], -1) {
			lines++
			if !strings.Contains(code.String(), `"`+strings.Trim(said, "`")) {
				t.Errorf("docs/operating.md explains the line %s, which nothing says", said)
			}
		}
	}
	if lines < 10 {
		t.Errorf("docs/operating.md explains %d lines of the log", lines)
	}
}
