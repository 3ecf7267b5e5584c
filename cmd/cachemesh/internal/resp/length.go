package resp

// length reads the line of a length at an offset: a byte that says of what, a number, and a
// line end. It returns the offset after it.
func (r *Reader) length(at int, invalid, long ProtocolError) (n int64, end int, ok bool, err error) {
	line := r.buf[r.r+at : r.w]
	for i := 1; i < len(line); i++ {
		if line[i] != '\r' {
			if i > maxHeader {
				return 0, 0, false, long
			}
			continue
		}
		if i+1 == len(line) {
			return 0, 0, false, nil
		}
		n, good := parseInt(line[1:i])
		if !good || line[i+1] != '\n' {
			return 0, 0, false, invalid
		}
		return n, at + i + 2, true, nil
	}
	return 0, 0, false, nil
}

// parseInt reads a decimal number of at most 18 digits.
func parseInt(b []byte) (n int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

func printable(c byte) byte {
	if c < ' ' || c > '~' {
		return '?'
	}
	return c
}
