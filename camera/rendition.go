package camera

import (
	"sync/atomic"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/timebase"
)

// Signer adds to the video of a rendition what proves where it comes from. Its
// methods are called from one goroutine at a time.
type Signer interface {
	// Sign returns the unit to publish instead of u, which it may change but for
	// its payload's bytes: the units of a payload are shared.
	Sign(t codecs.Track, u *codecs.Unit) *codecs.Unit
	// Interrupt says that the next unit does not follow the one before.
	Interrupt()
	// Close ends what it does beside. It is called once nothing comes any more.
	Close()
}

// rendition is one encoding of a camera: what keeps it connected, and its
// fan-out. It is the Output that the supervisor writes to.
type rendition struct {
	// Constant after construction.
	hub        *Hub
	supervisor *Supervisor
	changed    func() // called when the tracks changed
	signer     Signer // nil: nothing is signed

	// Owned by the source's goroutine.
	tracks []codecs.Track
	video  bool // there is a video track
	clock  *timebase.Mapper

	units atomic.Uint64
}

func newRendition(source Source, n int, o Options, changed func()) *rendition {
	r := &rendition{changed: changed, clock: timebase.New()}
	o.Hub.OnWatched = func() { r.supervisor.SetWatched(r.hub.Watched()) }
	r.hub = NewHub(o.Hub)
	if o.Signer != nil {
		r.signer = o.Signer(n)
	}
	r.supervisor = NewSupervisor(source, r, o.Supervisor)
	return r
}

// SetTracks implements Output.
func (r *rendition) SetTracks(tracks []codecs.Track) {
	r.tracks = tracks
	_, r.video = find(tracks, codecs.Codec.Video)
	r.hub.SetTracks(tracks)
	r.changed()
}

// WriteUnit implements Output.
func (r *rendition) WriteUnit(u *codecs.Unit) {
	r.units.Add(1)
	if u.Track >= 0 && u.Track < len(r.tracks) {
		t := r.tracks[u.Track]
		u.At = r.at(t, u)
		if r.signer != nil && t.Codec.Video() {
			u = r.signer.Sign(t, u)
		}
	}
	r.hub.WriteUnit(u)
}

// at returns when a unit was captured. The clock follows the video, and the sound
// where there is none.
func (r *rendition) at(t codecs.Track, u *codecs.Unit) int64 {
	if t.Codec.Video() || !r.video {
		return r.clock.Reference(u.PTS, t.ClockRate, u.Key, u.Arrived)
	}
	return r.clock.Follow(u.PTS, t.ClockRate, u.Arrived)
}

// Warn implements Output. The supervisor's status has the warnings already.
func (r *rendition) Warn(string, string) {}

// Interrupt is called by the supervisor when a connection ended.
func (r *rendition) Interrupt() {
	r.clock.Reconnect()
	r.hub.Interrupt()
	if r.signer != nil {
		r.signer.Interrupt()
	}
}

// close ends all subscriptions.
func (r *rendition) close() {
	r.hub.Close()
	if r.signer != nil {
		r.signer.Close()
	}
}
