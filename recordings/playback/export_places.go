package playback

import (
	"net/http"
	"net/netip"
	"sync"

	"github.com/sightline-cam/sightline/internal/gate"
	"github.com/sightline-cam/sightline/internal/trust"
)

// Bounds of exports under way. There are fewer than of other long answers, since
// the places of all fragments of an export are in memory.
const (
	maxExports      = 8
	maxExportsOfOne = 3
	// ownersExports of maxExports are for those whose recorder it is.
	ownersExports = 1
)

// exporter is who exports something.
type exporter struct {
	// id is that of a peer, or where somebody without an identity comes from; empty
	// at the console, which has no limit of its own.
	id string
	// reigns says that the recorder is theirs.
	reigns bool
}

// exporterOf says who exports something. Those without an identity are told apart by
// their addresses, with IPv6 by the /64 that they are in: a household.
func exporterOf(r *http.Request, p *trust.Principal) exporter {
	e := exporter{id: string(p.Peer), reigns: reigns(p)}
	if e.id != "" || p.Role == trust.RoleConsole {
		return e
	}
	e.id = "from " + r.RemoteAddr
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		e.id = "from " + gate.Prefix(from.Addr()).String()
	}
	return e
}

// exportPlaces bounds exports under way, in all and of each peer. Safe for
// concurrent use.
type exportPlaces struct {
	mu  sync.Mutex // guards what follows
	all int
	// others are those of all but the owners.
	others int
	of     map[string]int
}

func newExportPlaces() *exportPlaces { return &exportPlaces{of: make(map[string]int)} }

// enter takes a place and reports whether there was one; leave gives it back.
func (e *exportPlaces) enter(who exporter) (leave func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.all >= maxExports, !who.reigns && e.others >= maxExports-ownersExports, who.id != "" && e.of[who.id] >= maxExportsOfOne:
		return nil, false
	}
	e.count(who, 1)
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.count(who, -1)
	}, true
}

func (e *exportPlaces) count(who exporter, n int) {
	e.all += n
	if !who.reigns {
		e.others += n
	}
	if e.of[who.id] += n; e.of[who.id] == 0 {
		delete(e.of, who.id)
	}
}
