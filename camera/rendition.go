package camera

import (
	"sync/atomic"

	"github.com/sightline-cam/sightline/codecs"
)

// rendition is one encoding of a camera: what keeps it connected, and its
// fan-out. It is the Output that the supervisor writes to.
type rendition struct {
	// Constant after construction.
	hub        *Hub
	supervisor *Supervisor
	changed    func() // called when the tracks changed

	units atomic.Uint64
}

func newRendition(source Source, o Options, changed func()) *rendition {
	r := &rendition{hub: NewHub(o.Hub), changed: changed}
	r.supervisor = NewSupervisor(source, r, o.Supervisor)
	return r
}

// SetTracks implements Output.
func (r *rendition) SetTracks(tracks []codecs.Track) {
	r.hub.SetTracks(tracks)
	r.changed()
}

// WriteUnit implements Output.
func (r *rendition) WriteUnit(u *codecs.Unit) {
	r.units.Add(1)
	r.hub.WriteUnit(u)
}

// Warn implements Output. The supervisor's status has the warnings already.
func (r *rendition) Warn(string, string) {}

// Interrupt is called by the supervisor when a connection ended.
func (r *rendition) Interrupt() { r.hub.Interrupt() }
