package resp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

var wide = Limits{Args: 1 << 20, Bulk: 16 << 20, Total: 64 << 20}

// read reads all commands of src, and returns them as text.
func read(src io.Reader, limits Limits, budget *Budget) (commands []string, err error) {
	r := NewReader(src, limits, budget)
	defer r.Close()
	for {
		args, ok, err := r.Next()
		if err != nil {
			return commands, err
		}
		if ok {
			if len(args) > 0 {
				commands = append(commands, fmt.Sprintf("%q", args))
			}
			continue
		}
		if err := r.Fill(); err != nil {
			return commands, err
		}
	}
}

func array(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

func TestCommandsArriveWhole(t *testing.T) {
	large := strings.Repeat("v", 3*fullBuffer+7)
	in := array("GET", "k") + "*0\r\n" + array("SET", "k\r\n", "") + "\r\n" + array("SET", "large", large) +
		"ping 'a b' \"c\\x41\\n\"\r\n" + "*-1\r\n" + array("ECHO", "end")
	want := []string{`["GET" "k"]`, `["SET" "k\r\n" ""]`, fmt.Sprintf("%q", []string{"SET", "large", large}),
		`["ping" "a b" "cA\n"]`, `["ECHO" "end"]`}
	budget := NewBudget(8 << 20)
	for name, src := range map[string]io.Reader{
		"at once": strings.NewReader(in), "by bytes": iotest.OneByteReader(strings.NewReader(in)), "by halves": iotest.HalfReader(strings.NewReader(in)),
	} {
		got, err := read(src, wide, budget)
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %d commands, want %d: %.200q", name, len(got), len(want), got)
		}
		if left := budget.Left(); left != 8<<20 {
			t.Errorf("%s: %d bytes of the budget were not given back", name, 8<<20-left)
		}
	}
}

func TestWhatIsNoCommand(t *testing.T) {
	small := Limits{Args: 10, Bulk: 100, Total: 300}
	for _, c := range []struct{ in, want string }{
		{"*11\r\n", "invalid multibulk length"},
		{"*1000000000\r\n$1\r\n", "invalid multibulk length"},
		{"*x\r\n", "invalid multibulk length"},
		{"*99999999999999999999\r\n", "invalid multibulk length"},
		{"*" + strings.Repeat("1", 64), "too big mbulk count string"},
		{"*1\r\n:1\r\n", "expected '$', got ':'"},
		{"*1\r\n\x00\r\n", "expected '$', got '?'"},
		{"*1\r\n$101\r\n", "invalid bulk length"},
		{"*1\r\n$-1\r\n", "invalid bulk length"},
		{"*1\r\n$" + strings.Repeat("1", 64), "too big bulk count string"},
		{"*1\r\n$1\rx", "invalid bulk length"},
		{strings.TrimSuffix(array("a", strings.Repeat("x", 99), strings.Repeat("x", 99), strings.Repeat("x", 99)), "\r\n"), "too large a command"},
		{"ping 'a\r\n", "unbalanced quotes in request"},
		{"ping \"a\"b\r\n", "unbalanced quotes in request"},
		{strings.Repeat("x", maxLine+1), "too big inline request"},
		{"a b c d e f g h i j k\r\n", "too many words in an inline request"},
	} {
		_, err := read(strings.NewReader(c.in), small, NewBudget(1<<20))
		var protocol ProtocolError
		if !errors.As(err, &protocol) || string(protocol) != c.want {
			t.Errorf("%.40q: %v, want %s", c.in, err, c.want)
		}
	}
}

// What was announced takes no memory before it arrives, and what arrives no more than the budget.
func TestMemoryFollowsWhatArrives(t *testing.T) {
	huge := Limits{Args: 1e9, Bulk: 1e9, Total: 2e9}
	if allocated := testing.AllocsPerRun(10, func() {
		read(strings.NewReader("*1000000000\r\n$1000000000\r\nabc"), huge, NewBudget(1<<20))
	}); allocated > 20 {
		t.Errorf("%v allocations for lengths alone", allocated)
	}
	for name, in := range map[string]io.Reader{
		"bulk": io.MultiReader(strings.NewReader("*1\r\n$1000000000\r\n"), zeros{}),
		"args": io.MultiReader(strings.NewReader("*1000000000\r\n"), &repeated{text: "$0\r\n\r\n"}),
	} {
		budget := NewBudget(4 << 20)
		if _, err := read(in, huge, budget); !errors.Is(err, ErrBudget) {
			t.Errorf("%s: %v, want %v", name, err, ErrBudget)
		}
		if left := budget.Left(); left != 4<<20 {
			t.Errorf("%s: %d bytes of the budget were not given back", name, 4<<20-left)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r.text[r.at%len(r.text)]
		r.at++
	}
	return len(b), nil
}

// FuzzReader holds the reader to its limits, and to reading the same whatever the pieces.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{array("SET", "k", "v"), "*1000000000\r\n$1\r\n", "*2\r\n$3\r\nGET\r\n$1", "ping 'a\\'b' \"\\x00\"\r\n",
		"*-1\r\n*0\r\n\r\n", "*1\r\n$-1\r\n", array("", "") + "x\n" + array(strings.Repeat("a", 600))} {
		f.Add([]byte(seed))
	}
	limits := Limits{Args: 20, Bulk: 1000, Total: 4000}
	f.Fuzz(func(t *testing.T, in []byte) {
		budget := NewBudget(1 << 20)
		whole, err := read(bytes.NewReader(in), limits, budget)
		pieces, err2 := read(iotest.OneByteReader(bytes.NewReader(in)), limits, budget)
		if fmt.Sprint(whole, err) != fmt.Sprint(pieces, err2) {
			t.Errorf("at once %q, %v\nby bytes %q, %v", whole, err, pieces, err2)
		}
		if budget.Left() != 1<<20 {
			t.Error("the budget was not given back")
		}
	})
}

func TestAnswers(t *testing.T) {
	for proto, want := range map[int]string{
		2: "+OK\r\n-ERR a  b\r\n:-1\r\n$1\r\nb\r\n$-1\r\n*1\r\n*2\r\n*1\r\n$3\r\n1.5\r\n$2\r\nhi\r\n",
		3: "+OK\r\n-ERR a  b\r\n:-1\r\n$1\r\nb\r\n_\r\n*1\r\n%1\r\n~1\r\n,1.5\r\n=6\r\ntxt:hi\r\n",
	} {
		var out bytes.Buffer
		w := NewWriter(&out, NewBudget(1<<20))
		w.Proto = proto
		w.Simple("OK")
		w.Error("ERR a\r\nb")
		w.Int(-1)
		w.Bulk([]byte("b"))
		w.Null()
		w.Array(1)
		w.Map(1)
		w.Set(1)
		w.Double(1.5)
		w.Verbatim("hi")
		if err := w.Flush(); err != nil || out.String() != want {
			t.Errorf("version %d: %q, %v, want %q", proto, out.String(), err, want)
		}
	}
}

// Answers larger than the buffer arrive whole, with a budget or without.
func TestLargeAnswers(t *testing.T) {
	for _, bytesLeft := range []int64{1 << 20, 0} {
		budget := NewBudget(bytesLeft)
		var out, want bytes.Buffer
		w := NewWriter(&out, budget)
		for _, n := range []int{0, 1, idleBuffer, fullBuffer - 1, fullBuffer, 3*fullBuffer + 5, 7} {
			text := strings.Repeat("ab", n/2+1)[:n]
			w.Text(text)
			fmt.Fprintf(&want, "$%d\r\n%s\r\n", n, text)
		}
		if err := w.Flush(); err != nil || !bytes.Equal(out.Bytes(), want.Bytes()) {
			t.Errorf("%d bytes, %v, want %d", out.Len(), err, want.Len())
		}
		if budget.Left() != bytesLeft {
			t.Error("the budget was not given back")
		}
	}
}
