package membership

import (
	"log/slog"
	"net"
	"strings"
	"time"
)

const (
	maxLogText    = 400         // bytes of one line; peers choose part of the text
	strangerQuiet = time.Minute // between two complaints about one sender
)

// bridge is where memberlist writes its log lines. It drops debug noise and puts the lines about secrets into plain
// words.
type bridge struct {
	journal *journal
	secret  bool // this member has one
}

// Write takes one line. It never blocks and never fails.
func (b *bridge) Write(p []byte) (int, error) {
	level, msg := parseLine(string(p))
	// So that a restart in order warns of nothing: who is held for dead hears it otherwise, and who leaves has said so.
	if strings.HasPrefix(msg, "Refuting") || strings.Contains(msg, ErrLeaving.Error()) {
		level = slog.LevelInfo
	}
	if level < slog.LevelInfo || strings.Contains(msg, net.ErrClosed.Error()) { // this member closed it itself
		return len(p), nil
	}
	if l, ok := b.aboutSecret(msg); ok {
		b.journal.put(l)
	} else if !hasAnyPrefix(msg, retold) {
		b.journal.put(line{level: level, class: classOf(msg), quiet: journalQuiet, msg: "gossip: " + msg})
	}
	return len(p), nil
}

// retold are the beginnings of lines whose matter the delegate tells better.
var retold = []string{"ignoring alive message", "Conflicting address for"}

// parseLine splits "[WARN] memberlist: text\n". What memberlist calls an error is a peer or a packet that failed, so
// it is a warning here.
func parseLine(s string) (slog.Level, string) {
	level := slog.LevelWarn
	s = strings.TrimSpace(s)
	if tag, rest, ok := strings.Cut(s, "] "); ok && strings.HasPrefix(tag, "[") {
		s = rest
		switch tag {
		case "[DEBUG":
			level = slog.LevelDebug
		case "[INFO":
			level = slog.LevelInfo
		}
	}
	s = strings.TrimPrefix(s, "memberlist: ")
	return level, s[:min(len(s), maxLogText)]
}

// secretTexts are the beginnings of what memberlist says when the two ends do not share a secret, streams first.
var secretTexts = []string{
	"failed to receive: encryption is configured but remote state is not encrypted",
	"failed to receive: remote state is encrypted and encryption is not configured",
	"failed to receive: no installed keys could decrypt the message",
	"Decrypt packet failed",
}

// garbledTexts are what an encrypted packet looks like to a member without a secret.
var garbledTexts = []string{"Failed to decode", "msg type (", "Got invalid checksum"}

func (b *bridge) aboutSecret(msg string) (line, bool) {
	text := ""
	switch {
	case hasAnyPrefix(msg, secretTexts):
		text = "gossip of another member cannot be read: it uses another secret, or only one of the two uses one"
	case !b.secret && hasAnyPrefix(msg, garbledTexts):
		text = "gossip of another member cannot be read: it may use a secret, and this member has none"
	default:
		return line{}, false
	}
	_, from, _ := strings.Cut(msg, "from=")
	host, _, err := net.SplitHostPort(from) // streams come from a new port each time
	if err != nil {
		host = from
	}
	return line{
		level: slog.LevelWarn,
		class: "secret of " + host,
		quiet: strangerQuiet,
		msg:   text,
		attrs: []slog.Attr{slog.String("addr", from)},
	}, true
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// mismatch says whether an error of a push/pull means that the two ends do not share a secret.
func mismatch(err error) bool {
	s := err.Error()
	return strings.Contains(s, "encryption is configured but remote state is not encrypted") ||
		strings.Contains(s, "remote state is encrypted and encryption is not configured") ||
		strings.Contains(s, "no installed keys could decrypt the message")
}
