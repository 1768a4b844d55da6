package playback

import (
	"net/http/httptest"
	"testing"

	"github.com/sightline-cam/sightline/internal/trust"
)

func TestExportPlaces_AreBounded(t *testing.T) {
	e := newExportPlaces()
	var leave []func()
	enter := func(id string, reigns bool) bool {
		l, ok := e.enter(exporter{id, reigns})
		if ok {
			leave = append(leave, l)
		}
		return ok
	}
	for _, who := range []string{"ann", "bob"} {
		for i := range maxExportsOfOne + 1 {
			if ok := enter(who, false); ok != (i < maxExportsOfOne) {
				t.Errorf("export %d of %s: %v", i+1, who, ok)
			}
		}
	}
	if !enter("carl", false) || enter("dora", false) {
		t.Error("others may not have all places but one")
	}
	if !enter("owner", true) || enter("owner", true) || enter("", true) {
		t.Error("the last place is not the owner's, or not the last")
	}
	for _, l := range leave {
		l()
	}
	if e.all != 0 || e.others != 0 || len(e.of) != 0 {
		t.Errorf("places are lost: %+v", e)
	}
	for i := range maxExports + 1 {
		if ok := enter("", true); ok != (i < maxExports) {
			t.Errorf("export %d at the console: %v", i+1, ok)
		}
	}
}

func TestExporterOf_ThoseWithoutAnIdentityAreToldApartByTheirAddress(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:1234": "from 192.0.2.1/32", "[::ffff:192.0.2.1]:99": "from 192.0.2.1/32",
		"[2001:db8:1:2:3::4]:5": "from 2001:db8:1:2::/64", "pipe": "from pipe",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = address
		if got := exporterOf(r, &trust.Principal{}); got != (exporter{id: want}) {
			t.Errorf("%s: %+v", address, got)
		}
		if got := exporterOf(r, &trust.Principal{Peer: "ann"}); got != (exporter{id: "ann"}) {
			t.Errorf("with an identity: %+v", got)
		}
		if got := exporterOf(r, &trust.Principal{Role: trust.RoleConsole}); got != (exporter{reigns: true}) {
			t.Errorf("at the console: %+v", got)
		}
	}
}
