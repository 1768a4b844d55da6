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
	since time.Time // when it was listed
	// unlisted says that the agent does not know it: it was received live, and what
	// the agent had of it is gone.
	unlisted bool

	raw    []byte         // the head as it was listed; nil once it was looked at
	opened bool           // it was
	head   *fragment.Head // nil if the agent did not tell, or of whole

	video []*codecs.Unit // nil: not there yet
	audio []*codecs.Unit
	heard bool               // audio is all there is to be
	whole *fragment.Fragment // fetched, or unlisted; nil otherwise

	due      time.Time // since when it is clear that it has to be fetched; zero: it is not
	fetching bool
	stop     func()    // gives up fetching it; nil before
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

// perItem and perUnit are what an item, and a unit of it, take in memory beside what
// was captured.
const (
	perItem = 1 << 10
	perUnit = 256
)

// bytes is what it holds in memory, about.
func (i *item) bytes() int64 {
	n := perItem + len(i.raw) + len(i.got)
	if i.head != nil {
		n += i.head.Memory()
	}
	if i.whole != nil || i.video != nil {
		n += i.entry.Bytes + perUnit*i.entry.Frames
		if i.entry.Sound != nil {
			n += perUnit * i.entry.Sound.Frames
		}
	}
	return int64(n)
}

// open reads the head, once: it takes many times the room that it takes in a list.
func (i *item) open(now time.Time) {
	if i.opened {
		return
	}
	i.opened = true
	raw, e := i.raw, &i.entry
	i.raw = nil
	h, err := fragment.DecodeHead(raw)
	if err != nil || h.Start() != e.StartUs || h.Pictures() != e.Frames || h.Duration.Microseconds() != e.DurationUs || !headCanBe(now, h, e) {
		return // it is fetched, and looked at then
	}
	if e.Sound != nil && h.Sounds() != e.Sound.Frames {
		return
	}
	i.head = h
	if i.heard {
		i.head = h.WithoutSound()
	}
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
