package wire

import "testing"

// TestCopyAnswerWithALimit: what is in the way of a value travels with the answer, and no part of it is an answer.
func TestCopyAnswerWithALimit(t *testing.T) {
	for _, op := range []byte{CopyStore, CopyFetch} {
		whole := AppendCopyAnswer(nil, op, &CopyAnswer{Result: CopyTooLarge, Of: 2, Most: 1 << 40})
		a, rest, ok := CutCopyAnswer(append(whole[:len(whole):len(whole)], 9), op)
		if !ok || a.Result != CopyTooLarge || a.Of != 2 || a.Most != 1<<40 || len(rest) != 1 {
			t.Errorf("op %d: %+v, %d bytes left, %v", op, a, len(rest), ok)
		}
		for n := range whole {
			if _, _, ok := CutCopyAnswer(whole[:n], op); ok {
				t.Errorf("op %d: %d of %d bytes are taken", op, n, len(whole))
			}
		}
	}
}
