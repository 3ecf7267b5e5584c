package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"
)

// echoTime is how long after a signal another one is the same word: some that end a process send it to its group, too, as
// timeout(1) does, or forward what the terminal has sent it already.
const echoTime = 500 * time.Millisecond

func isEcho(heard time.Time) bool { return time.Since(heard) < echoTime }

// A leaving is a member on its way out of the mesh.
type leaving struct {
	m interface {
		Shutdown(context.Context) error
		Close()
	}
	log     *slog.Logger
	most    time.Duration // for all of it
	signals <-chan os.Signal
	gone    <-chan struct{} // see parent
	heard   time.Time       // when a signal was heard; zero: there was none
	exit    func(code int)  // ends this process
}

// hear notes the first signal.
func (l *leaving) hear(s os.Signal) {
	l.log.Info("a signal came", "signal", s.String())
	l.heard = time.Now()
}

// leave takes the member out of the mesh in order. With a second signal it ends at once, and when its parent ends it
// has no more than orphans have.
func (l *leaving) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), l.most)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- l.m.Shutdown(ctx) }()
	for {
		select {
		case err := <-ended:
			if err == nil {
				l.log.Info("this member has left")
			}
			return err
		case <-l.gone:
			l.gone, l.signals = nil, nil // a signal that the parent sent, too, is no second word
			l.log.Info("the process that this member is a part of has ended")
			defer time.AfterFunc(orphanTime, cancel).Stop()
			time.AfterFunc(orphanMost, func() { l.exit(exitFailed) }) // whatever is stuck, the last lines of the log too
		case s := <-l.signals:
			switch {
			case l.heard.IsZero():
				l.hear(s)
			case !isEcho(l.heard):
				l.log.Warn("a second signal came: this member ends at once")
				l.m.Close()
				<-ended
				return errors.New("ended before the member had left the mesh")
			}
		}
	}
}
