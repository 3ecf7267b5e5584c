package httppool

// A line holds calls whose requests wait to be written, in the order in which they came.
// Any of them can leave. It is guarded by callConn.mu, as are the calls' links.
type line struct {
	first, last *call
	n           int
}

// join puts cl, which is in no line, at the end.
func (l *line) join(cl *call) {
	cl.in, cl.ahead, cl.behind = l, l.last, nil
	if l.last == nil {
		l.first = cl
	} else {
		l.last.behind = cl
	}
	l.last = cl
	l.n++
}

// leave takes cl out.
func (l *line) leave(cl *call) {
	if cl.ahead == nil {
		l.first = cl.behind
	} else {
		cl.ahead.behind = cl.behind
	}
	if cl.behind == nil {
		l.last = cl.ahead
	} else {
		cl.behind.ahead = cl.ahead
	}
	cl.in, cl.ahead, cl.behind = nil, nil, nil
	l.n--
}

// next takes out the first, if there is one.
func (l *line) next() *call {
	cl := l.first
	if cl != nil {
		l.leave(cl)
	}
	return cl
}
