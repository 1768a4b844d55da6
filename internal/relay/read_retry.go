package relay

import (
	"errors"
	"net"
	"os"
	"time"
)

const (
	// maxErrors is how many reads in a row may fail before a socket is given up: an
	// oversized datagram is an error on some systems, and a network that is away
	// for a moment one for each packet on others.
	maxErrors = 100
	// freeErrors is after how many of them a pause follows each.
	freeErrors = 10
)

// readRetry decides whether a socket is read again after an error.
type readRetry struct{ failed int }

// again reports whether to read on, after a pause if errors follow each other.
// Closing the socket, or a deadline, is how a reader is ended.
func (r *readRetry) again(s *Server, err error) bool {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || s.closing() {
		return false
	}
	switch r.failed++; {
	case r.failed == 1:
		if !s.toldRead.Swap(true) {
			s.log.Warn("reading a socket of the relay failed; it goes on, and the next such error is not logged", "error", err)
		}
	case r.failed >= maxErrors:
		s.log.Error("a socket of the relay is given up, as reading it fails again and again", "error", err)
		return false
	case r.failed > freeErrors:
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-s.done:
			return false
		case <-timer.C:
		}
	}
	return true
}
