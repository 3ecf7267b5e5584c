package resp

import "bytes"

// inline reads a command that somebody typed: words in a line, in quotes if need be. Its
// arguments are of their own, since quotes go away.
func (r *Reader) inline() (args [][]byte, ok bool, err error) {
	line := r.buf[r.r:r.w]
	end := bytes.IndexByte(line, '\n')
	if end < 0 && len(line) > maxLine || end > maxLine {
		return nil, false, ProtocolError("too big inline request")
	}
	if end < 0 {
		return nil, false, nil
	}
	r.r += end + 1
	args, ok = SplitLine(bytes.TrimSuffix(line[:end], []byte("\r")))
	if !ok {
		return nil, false, ProtocolError("unbalanced quotes in request")
	}
	if len(args) > r.limits.Args {
		return nil, false, ProtocolError("too many words in an inline request")
	}
	return args, true, nil
}

// SplitLine splits a line into words. In double quotes \n, \r, \t, \b, \a and \xHH stand for
// bytes; in single quotes only \' does. ok is false if a quote is not closed, or something
// stands right behind one that is.
func SplitLine(line []byte) (words [][]byte, ok bool) {
	for {
		line = bytes.TrimLeft(line, " \t\r\n\v\f\x00")
		if len(line) == 0 {
			return words, true
		}
		var word []byte
		word, line, ok = cutWord(line)
		if !ok {
			return nil, false
		}
		words = append(words, word)
	}
}

func cutWord(line []byte) (word, rest []byte, ok bool) {
	word = []byte{}
	for len(line) > 0 {
		switch c := line[0]; c {
		case ' ', '\t', '\r', '\n', 0:
			return word, line, true
		case '"', '\'':
			quoted, rest, ok := cutQuoted(line[1:], c)
			if !ok || len(rest) > 0 && !space(rest[0]) {
				return nil, nil, false
			}
			return append(word, quoted...), rest, true
		default:
			word, line = append(word, c), line[1:]
		}
	}
	return word, nil, true
}

// cutQuoted returns what stands before the closing quote, and what comes after it.
func cutQuoted(s []byte, quote byte) (word, rest []byte, ok bool) {
	for len(s) > 0 {
		switch {
		case s[0] == quote:
			return word, s[1:], true
		case quote == '"' && len(s) >= 4 && s[0] == '\\' && s[1] == 'x' && hex(s[2]) >= 0 && hex(s[3]) >= 0:
			word, s = append(word, byte(hex(s[2])<<4|hex(s[3]))), s[4:]
		case quote == '"' && len(s) >= 2 && s[0] == '\\':
			word, s = append(word, escaped(s[1])), s[2:]
		case quote == '\'' && len(s) >= 2 && s[0] == '\\' && s[1] == '\'':
			word, s = append(word, '\''), s[2:]
		default:
			word, s = append(word, s[0]), s[1:]
		}
	}
	return nil, nil, false
}

func escaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

func space(c byte) bool { return bytes.IndexByte([]byte(" \t\r\n\v\f\x00"), c) >= 0 }

func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
