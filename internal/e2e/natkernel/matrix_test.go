package natkernel

import (
	"math/rand/v2"
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/netns"
)

// Every kind of camera, seen from every kind of place, without help.
func TestMatrix_WithoutARelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	matrix(t, w, "plain", append(places(), mappedPlaces()...), places(), false)
}

// And with one.
func TestMatrix_WithARelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, relayFlags()...)
	matrix(t, w, "turn", places(), places(), true)
}

// matrix watches every camera from every place.
func matrix(t *testing.T, w *world, name string, cameras, viewers []place, turn bool) {
	t.Helper()
	var options []netns.SiteOptions
	for _, p := range append(cameras, viewers...) {
		options = append(options, p.options())
	}
	hosts := w.Sites(t, options...)
	states := w.viewers(t, len(cameras)*len(viewers))
	agents := make([]*agent, len(cameras))
	for i, p := range cameras {
		if p.mapped {
			hosts[i].Site.MapPorts(t, netns.PCP)
		}
		agents[i] = w.camera(t, p, hosts[i])
	}
	var cells []cell
	for i, a := range agents {
		a.ready(t)
		for j, p := range viewers {
			cells = append(cells, cell{
				name: name, camera: a, at: p.String(), host: hosts[len(cameras)+j], state: states[i*len(viewers)+j], want: expected(a.place, p, turn),
			})
		}
	}
	// A camera's viewers do not all come at once.
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(cells), func(i, j int) { cells[i], cells[j] = cells[j], cells[i] })
	table(t, w, cells)
}
