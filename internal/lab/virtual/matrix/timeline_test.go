package matrix

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/virtual"
)

// timeline notes when each kind of message first got through, after the offer
// was sent.
type timeline struct {
	m      *meeting
	oneWay time.Duration

	mu     sync.Mutex
	events []event
}

type event struct {
	name string
	at   time.Duration
}

// see is for virtual.World.Drop; it loses nothing.
func (l *timeline) see(p virtual.Packet) bool {
	at, ok := l.m.sinceOffer()
	name := message(p.Payload)
	if !ok || name == "" {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	known := func(e event) bool { return e.name == name }
	if !slices.ContainsFunc(l.events, known) {
		l.events = append(l.events, event{name, at})
	}
	return false
}

// String gives the times in one-way delays.
func (l *timeline) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s []string
	for _, e := range l.events {
		s = append(s, fmt.Sprintf("%s %.1f", e.name, float64(e.at)/float64(l.oneWay)))
	}
	return strings.Join(s, ", ")
}

// message names what a packet begins with; empty for what does not matter here
// (RFC 7983 tells the protocols apart, RFC 8489 §5 and RFC 6347 the messages).
func message(p []byte) string {
	const handshake, plaintext = 22, 0
	switch {
	case len(p) < 20:
		return ""
	case p[0] == 0 && p[1] == 1:
		return "check"
	case p[0] == 1 && p[1] == 1:
		return "check answered"
	case p[0] == handshake && p[4] == plaintext:
		return map[byte]string{1: "client hello", 2: "server hello", 11: "client certificate"}[p[13]]
	case p[0] >= 128 && p[0] < 192 && (p[1] < 192 || p[1] > 223):
		return "media"
	}
	return ""
}
