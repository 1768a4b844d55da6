package remote

import (
	"slices"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
)

// follower puts together what came live and what the agent's list says: it decides
// what is whole, what has to be fetched, and what is not waited for any longer. It
// does no I/O, and time is an argument. Not safe for concurrent use.
type follower struct {
	// Constant.
	liveWait   time.Duration // how long what is listed may still come live
	inlineWait time.Duration // how long it may take to fetch it
	memory     int64         // bytes
	sound      bool          // it is wanted
	live       *collector    // nil where nothing comes live

	cursor uint64 // number of the last entry taken
	old    uint64 // number of the last entry from before the session
	items  []*item
	end    int64 // when the last item, written or not, ends; 0 while not known
	anchor anchor

	counts followerCounts
}

// followerCounts are what a follower decided.
type followerCounts struct {
	// Verified came live as the agent has them, Fetched were asked for, Skipped not
	// waited for, Unlisted written although the agent does not have them any more,
	// Silent written without their sound.
	Verified, Fetched, Skipped, Unlisted, Silent uint64
}

// anchor puts the times of a connection together with those of the agent.
type anchor struct {
	session  int
	livePTS  int64 // of a key frame, by the connection
	agentPTS int64 // the same one's, by the agent
	start    int64 // when it was captured, microseconds
	track    codecs.Track
}

// at is when a picture of the connection was captured, if the clocks went on
// evenly.
func (a *anchor) at(pts int64) int64 { return a.start + (pts-a.livePTS)*100/9 }

// outcome is an item that the follower is done with: to be written, or, with skip,
// not to be waited for.
type outcome struct {
	*item
	skip bool
}

const (
	// maxItems bounds the items: no more are asked for while there are so many.
	maxItems = 256
	// opened is how many items have their heads decoded at a time, the first ones.
	opened = 16
)

// full reports whether nothing more is to be listed for the moment.
func (f *follower) full() bool { return len(f.items) >= maxItems }

// listed takes new entries of the agent's list, with their heads, as far as there is
// room; the others have to be listed again.
func (f *follower) listed(now time.Time, entries []fragment.Entry) {
	for _, e := range entries {
		if e.Seq <= f.cursor {
			continue
		}
		if f.full() {
			return
		}
		f.cursor = e.Seq
		f.items = append(f.items, f.unlisted(now, e.StartUs)...)
		i := &item{entry: e, raw: slices.Clone(e.Head), since: now, heard: !f.sound || e.Sound == nil}
		i.entry.Head = nil
		f.items = append(f.items, i)
		f.end = e.EndUs()
	}
}

// near is how far the times of a connection may be from the agent's.
const near = 50_000 // microseconds

// unlisted returns what came live in the time between the last item and another,
// of which the agent does not know any more, since it was started anew for example.
func (f *follower) unlisted(now time.Time, until int64) (out []*item) {
	if f.live == nil || f.end == 0 || until-f.end < near {
		return nil
	}
	for _, g := range slices.Clone(f.live.groups) {
		if !g.complete || f.anchor.at(g.pts()) > until-near {
			continue
		}
		if fr := f.vouch(g, until); fr != nil {
			i := &item{since: now, unlisted: true, whole: fr, entry: fragment.Entry{
				StartUs: fr.Start(), DurationUs: fr.Duration.Microseconds(), Frames: len(fr.Video), Bytes: int(g.bytes),
			}}
			out = append(out, i)
			f.end = fr.End()
			f.live.remove(slices.Index(f.live.groups, g))
		}
	}
	return out
}

// vouch makes a fragment of a group that the agent cannot be asked about; nil if it
// is not clear when it was. It does not reach beyond until.
func (f *follower) vouch(g *group, until int64) *fragment.Fragment {
	a := &f.anchor
	start := a.at(g.pts())
	if a.start == 0 || g.session != a.session || start < f.end-near {
		return nil
	}
	for _, other := range f.live.groups {
		if other != g && len(other.units) > len(g.units) && sameUnit(other.units[0], g.units[0]) {
			return nil // it was sent again, and more of it came
		}
	}
	if start < f.end+near {
		start = f.end // it follows
	}
	fr := &fragment.Fragment{VideoTrack: a.track, Duration: time.Duration(min(g.span()*100/9, until-start)) * time.Microsecond}
	fr.VideoTrack.Codec = g.codec
	for _, u := range g.unbroken() {
		at := start + (u.PTS-g.pts())*100/9
		if at >= until {
			break
		}
		fr.Video = append(fr.Video, &codecs.Unit{
			PTS: a.agentPTS + u.PTS - a.livePTS, At: at, Key: u.Key, Discardable: u.Discardable, Payload: u.Payload,
		})
	}
	if len(fr.Video) == 0 || fr.Duration <= 0 {
		return nil
	}
	return fr
}

func sameUnit(a, b *codecs.Unit) bool {
	return fragment.DigestOf([]*codecs.Unit{a}) == fragment.DigestOf([]*codecs.Unit{b})
}

// salvage returns what came live after the last item, for the case that the agent
// never comes back, and forgets it.
func (f *follower) salvage() (out []*fragment.Fragment) {
	if f.live == nil || f.end == 0 {
		return nil
	}
	for _, g := range f.live.groups {
		if fr := f.vouch(g, maxTime); fr != nil {
			out = append(out, fr)
			f.end = fr.End()
		}
	}
	f.live.clear()
	return out
}

const maxTime = int64(1) << 62

// step looks what can be decided now. What is returned is in order.
func (f *follower) step(now time.Time, online bool) (out []outcome) {
	for n, i := range f.items {
		if n < opened {
			f.look(now, i)
		}
		if i.due.IsZero() && i.lacks() != nothing && online && f.isDue(now, i) {
			i.due = now
		}
	}
	held := f.held()
	for len(f.items) > 0 {
		i := f.items[0]
		if !i.opened {
			f.look(now, i)
			held = f.held()
		}
		late := !i.due.IsZero() && online && now.Sub(i.due) >= f.inlineWait || held > f.memory
		if !i.ready() && !late {
			break
		}
		f.items[0] = nil
		f.items = f.items[1:]
		held -= i.bytes()
		out = append(out, f.done(i))
	}
	return out
}

// held is what all of it takes in memory.
func (f *follower) held() (n int64) {
	for _, i := range f.items {
		n += i.bytes()
	}
	if f.live != nil {
		n += f.live.bytes
	}
	return n
}

// look looks whether what an item lacks has come.
func (f *follower) look(now time.Time, i *item) {
	i.open(now)
	f.match(i)
	f.matchSound(i)
}

// flush is step for when nothing more is waited for.
func (f *follower) flush(now time.Time) (out []outcome) {
	for _, i := range f.items {
		f.look(now, i)
		out = append(out, f.done(i))
	}
	f.items = nil
	return out
}

// done counts an item.
func (f *follower) done(i *item) outcome {
	switch {
	case i.unlisted:
		f.counts.Unlisted++
	case i.whole == nil && i.video == nil:
		f.counts.Skipped++
		i.head, i.raw = nil, nil
		return outcome{i, true}
	case !i.heard && i.whole == nil:
		f.counts.Silent++
	}
	return outcome{i, false}
}

// match looks for the item's pictures among those that came live.
func (f *follower) match(i *item) {
	if f.live == nil || i.video != nil || i.whole != nil || i.head == nil {
		return
	}
	n := i.entry.Frames
	for _, g := range f.live.groups {
		if len(g.units) < n || len(g.units) > n && !i.entry.Cut || !i.head.FitsVideo(g.units[:n]) || fragment.DigestOf(g.units[:n]) != i.entry.Digest {
			continue
		}
		i.video = g.units[:n]
		f.counts.Verified++
		f.anchor = anchor{session: g.session, livePTS: g.pts(), agentPTS: i.head.PTS(), start: i.entry.StartUs, track: i.head.VideoTrack}
		if i.entry.Cut && !g.complete {
			return // more of it comes, and nobody needs it: it goes with the next
		}
		f.live.removeTo(g)
		return
	}
}

// maxSearch is how many units of sound are looked through for an item's first.
const maxSearch = 400

// matchSound looks for the item's sound among what came live. As a rule it is what
// comes next.
func (f *follower) matchSound(i *item) {
	if f.live == nil || i.heard || i.head == nil || i.whole != nil {
		return
	}
	n := i.entry.Sound.Frames
	for at := 0; at+n <= len(f.live.sounds) && at < maxSearch; at++ {
		units := f.live.sounds[at : at+n]
		if !i.head.FitsAudio(units) || fragment.DigestOf(units) != i.entry.Sound.Digest {
			continue
		}
		i.audio, i.heard = slices.Clone(units), true
		f.live.forget(at + n)
		return
	}
}

// soundWait is how long sound may still come: what is lost of it is not sent again,
// and of the first pictures of a session a part was never sent.
const soundWait = 2 * time.Second

// isDue reports whether it is clear that what the item lacks does not come live any
// more.
func (f *follower) isDue(now time.Time, i *item) bool {
	waited := now.Sub(i.since) >= f.liveWait || i.entry.Seq <= f.old
	switch {
	case f.live == nil || i.opened && i.head == nil:
		return true
	case !i.opened:
		return waited
	case i.lacks() == onlySound:
		return waited || now.Sub(i.since) >= soundWait || i.head.AudioTrack == nil || i.head.AudioTrack.Codec != f.live.codec // WebRTC does not carry it
	case now.Sub(i.since) >= f.liveWait:
		return true
	}
	came := false
	for _, g := range f.live.groups {
		if i.head.BeginsWith(g.units[0]) {
			if !g.complete {
				return false
			}
			came = true
		}
	}
	return came || waited // what came is not what the agent has
}

// fetch returns the first item that something has to be fetched of now.
func (f *follower) fetch(now time.Time) (*item, part) {
	for _, i := range f.items {
		if p := i.lacks(); p != nothing && !i.due.IsZero() {
			if i.fetching || now.Before(i.retry) {
				return nil, nothing // one at a time, in order
			}
			return i, p
		}
	}
	return nil, nothing
}

// fetched takes what came of it: a whole fragment, or the units of sound, or neither
// if it failed.
func (f *follower) fetched(i *item, whole *fragment.Fragment, sound []*codecs.Unit, retry time.Time) {
	i.fetching, i.retry = false, retry
	switch {
	case whole != nil:
		i.whole = whole
		f.counts.Fetched++
		if f.live == nil {
			return
		}
		// What came of it live is of no use any more.
		f.live.groups = slices.DeleteFunc(f.live.groups, func(g *group) bool {
			same := g.complete && sameUnit(g.units[0], whole.Video[0])
			if same {
				f.live.bytes -= g.bytes
			}
			return same
		})
	case sound != nil:
		i.audio, i.heard = sound, true
	}
}

// gone says that an item does not exist any more.
func (f *follower) gone(i *item) {
	i.fetching = false
	if i.video != nil {
		i.heard = true // only the sound is gone
		i.head = i.head.WithoutSound()
		f.counts.Silent++
		return
	}
	f.items = slices.DeleteFunc(f.items, func(other *item) bool { return other == i })
	f.counts.Skipped++
}
