package playback

import (
	"testing"

	"github.com/sightline-cam/sightline/internal/identity"
)

func TestExportPlaces_AreBounded(t *testing.T) {
	e := newExportPlaces()
	var leave []func()
	enter := func(peer string) bool {
		l, ok := e.enter(identity.PeerID(peer))
		if ok {
			leave = append(leave, l)
		}
		return ok
	}
	for i := range maxExportsOfOne + 1 {
		if ok := enter("ann"); ok != (i < maxExportsOfOne) {
			t.Errorf("export %d of one peer: %v", i+1, ok)
		}
	}
	for i := range maxExports {
		if ok := enter(""); ok != (i < maxExports-maxExportsOfOne) {
			t.Errorf("export %d of those who are nobody: %v", i+1, ok)
		}
	}
	if enter("bob") {
		t.Error("more than there may be in all")
	}
	for _, l := range leave {
		l()
	}
	if e.all != 0 || len(e.of) != 0 {
		t.Errorf("places are lost: %+v", e)
	}
}
