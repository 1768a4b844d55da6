package attacks

import (
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/hostile"
)

// Dropping messages is nothing that a check could refuse: it prevents sessions,
// and must do nothing else.
func TestDroppedMessages_PreventASessionAndNothingElse(t *testing.T) {
	w := newWorld(t, build(t), "")
	server := w.hostileServer()
	viewer := w.phone()
	s := w.site(siteOptions{signal: server.URL(), allow: []identity.PeerID{viewer.id}})
	for name, hook := range map[string]hostile.SendHook{
		"offers": hostile.Drop,
		"answers": func(from, to identity.PeerID, payload string) []hostile.Delivery {
			if from == s.id {
				return nil
			}
			return hostile.Pass(from, to, payload)
		},
	} {
		server.OnSend(hook)
		err := viewer.dial("", name, server.URL(), s.id)
		if err == nil || !strings.Contains(err.Error(), "wait for the publisher's answer") {
			t.Errorf("with %s dropped: %v", name, err)
		}
	}
	server.OnSend(nil)
	if err := viewer.watch("", "after", server.URL(), s.id); err != nil {
		t.Errorf("when nothing is dropped any more: %v", err)
	}
}
