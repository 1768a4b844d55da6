package remote

import (
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
)

// item is a fragment on its way to the tape.
type item struct {
	// Constant.
	entry fragment.Entry
	head  *fragment.Head // nil if the agent did not tell, or of whole
	since time.Time      // when it was listed
	// unlisted says that the agent does not know it: it was received live, and what
	// the agent had of it is gone.
	unlisted bool

	video []*codecs.Unit // nil: not there yet
	audio []*codecs.Unit
	heard bool               // audio is all there is to be
	whole *fragment.Fragment // fetched, or unlisted; nil otherwise

	due      time.Time // since when it is clear that it has to be fetched; zero: it is not
	fetching bool
	got      []byte    // of what is being fetched
	wrong    int       // how often that was not what is listed
	retry    time.Time // not before
}

// part is what has to be fetched of an item.
type part uint8

const (
	nothing part = iota
	everything
	onlySound
)

// ready reports whether the item can be written.
func (i *item) ready() bool { return i.whole != nil || i.video != nil && i.heard }

// lacks returns what it lacks.
func (i *item) lacks() part {
	switch {
	case i.ready():
		return nothing
	case i.video != nil:
		return onlySound
	}
	return everything
}

// bytes is what it holds in memory.
func (i *item) bytes() int64 {
	if i.whole == nil && i.video == nil {
		return 0
	}
	return int64(i.entry.Bytes)
}

// make returns the fragment; without sound where that did not come.
func (i *item) make() (*fragment.Fragment, error) {
	if i.whole != nil {
		return i.whole, nil
	}
	h := i.head
	if !i.heard {
		h = h.WithoutSound()
	}
	return h.Make(i.video, i.audio)
}
