package attacks

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// webAttacks come from a page in the browser of somebody who is in the same
// network as the camera.
func webAttacks() []attack {
	return []attack{
		{"page-of-another-origin-at-the-server", check.Origin, "403", foreignOriginAtServer},
		{"page-of-another-origin-at-the-agent", check.Origin, "wrong_origin", foreignPageAtAgent(check.Origin, "Origin", "http://evil.example.org")},
		{"dns-rebinding-at-the-server", check.Host, "421", reboundAtServer},
		{"dns-rebinding-at-the-agent", check.Host, "wrong_host", foreignPageAtAgent(check.Host, "Host", "rebound.example.org")},
	}
}

// foreignOriginAtServer opens a WebSocket from a page of another origin.
func foreignOriginAtServer(w *world) act {
	s := w.server()
	return act{
		control: func() error { return asPage(w, s, http.Header{"Origin": {s.base}}) },
		attempt: func() error { return asPage(w, s, http.Header{"Origin": {"http://evil.example.org"}}) },
		refused: s.refused("origin"),
	}
}

// reboundAtServer opens a WebSocket from a page whose name the attacker's DNS
// has moved to the server's address: it is its own origin.
func reboundAtServer(w *world) act {
	s := w.server()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.base, "http://"), ":")
	rebound := "rebound.example.org:" + port
	return act{
		control: func() error {
			return asPage(w, s, http.Header{"Host": {"localhost:" + port}, "Origin": {"http://localhost:" + port}})
		},
		attempt: func() error { return asPage(w, s, http.Header{"Host": {rebound}, "Origin": {"http://" + rebound}}) },
		refused: s.refused("host"),
	}
}

// asPage connects and registers with the headers that a browser sends.
func asPage(w *world, s *server, header http.Header) error {
	x, err := w.connect(s.base, nil, header)
	var status statusError
	switch {
	case errors.As(err, &status) && (status == http.StatusForbidden || status == http.StatusMisdirectedRequest):
		return refusedBy(err)
	case err != nil:
		return err
	}
	defer x.hangUp()
	return x.register(w.ctx, w.newIdentity())
}

// foreignPageAtAgent reads from the agent's listener with a header that a
// browser sends for the page.
func foreignPageAtAgent(n check.Name, header, value string) func(w *world) act {
	return func(w *world) act {
		s := w.site(siteOptions{allow: []identity.PeerID{w.newIdentity().PeerID()}})
		ask := func(change func(*http.Request)) error {
			status, body, err := get(w.ctx, s.base+"/healthz", change)
			switch {
			case err != nil:
				return err
			case status == http.StatusForbidden || status == http.StatusMisdirectedRequest:
				return &refusal{says: body}
			case status != http.StatusOK:
				return fmt.Errorf("HTTP %d: %s", status, body)
			}
			return nil
		}
		return act{
			control: func() error { return ask(nil) },
			attempt: func() error {
				return ask(func(r *http.Request) {
					if header == "Host" {
						r.Host = value
						return
					}
					r.Header.Set(header, value)
				})
			},
			refused: s.refused(n),
		}
	}
}
