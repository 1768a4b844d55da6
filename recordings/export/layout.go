package export

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// layout is where everything goes in the export.
type layout struct {
	parts  []*part
	tracks tracks
	// head stands in front of the fragments.
	head []byte
	size int64
	// duration of all, in ticks of VideoClock.
	duration int64
	// damaged is how many fragments are left out because the beginning of their
	// segment cannot be understood, or because its end is missing.
	damaged int
}

// maxLate is by how much the sound of a segment may have run behind the pictures and
// is pulled forward; if it is more, the next pictures wait for it. A quarter second.
const maxLate = 4

// newLayout reads what describes the segments and lays the export out.
func newLayout(ctx context.Context, open Opener, segments []recordings.Segment, o Options) (*layout, error) {
	l := &layout{}
	title := ""
	for _, s := range segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := &part{seg: s}
		name, err := l.load(ctx, open, p, o)
		if damaged(err) && len(segments) > 1 {
			l.damaged += len(s.Fragments)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("export %v of %v: %w", s.Start, s.Stream, err)
		}
		if title == "" {
			title = name
		}
		l.parts = append(l.parts, p)
	}
	if len(l.parts) == 0 {
		return nil, fmt.Errorf("export %d segments, all of them damaged: %w", len(segments), ErrNothing)
	}
	l.place(o)
	var err error
	if l.head, err = l.appendHead(nil, title, o); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	offset, number := int64(len(l.head)), 0
	for _, p := range l.parts {
		p.offset, p.number = offset, number
		offset += p.size
		number += len(p.seg.Fragments)
	}
	l.size = offset
	return l, nil
}

// damaged reports whether an error says that a file is not what it should be: it is
// not a segment, or ends too early.
func damaged(err error) bool {
	return errors.Is(err, fmp4.ErrMalformed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// load reads what describes the part's segment, and returns the camera's name.
func (l *layout) load(ctx context.Context, open Opener, p *part, o Options) (name string, err error) {
	m, err := open(ctx, p.seg.Ref)
	if err != nil {
		return "", err
	}
	defer m.Close() //nolint:errcheck // only read
	name, err = p.load(m, &l.tracks, o)
	if err == nil {
		l.damaged += p.missing
	}
	return name, err
}

// place decides where each part begins.
func (l *layout) place(o Options) {
	for i, p := range l.parts {
		if i == 0 { // nothing is decoded before 0
			p.begin = max(p.pictures.Shown-p.pictures.Start-l.tracks[p.pictureTrack-1].Delay, 0)
		} else {
			l.follow(l.parts[i-1], p, o)
		}
		if t := l.soundTrack(p); t != nil {
			p.free = t.end
			t.end = max(p.correctedSoundAt(p.sound.End), t.end)
		}
		l.duration = max(l.duration, p.begin+p.length())
	}
	for _, t := range l.tracks {
		l.duration = max(l.duration, t.end*fmp4.VideoClock/int64(t.Clock))
	}
}

// soundTrack returns the track of the part's sound; nil without.
func (l *layout) soundTrack(p *part) *track {
	if p.soundTrack == 0 {
		return nil
	}
	return l.tracks[p.soundTrack-1]
}

// follow lays a part behind the one before.
func (l *layout) follow(before, p *part, o Options) {
	p.follow(before)
	gap := before.gapTo(p)
	if o.KeepGaps {
		first := l.parts[0].seg.Fragments[0].Start
		p.begin = max(p.begin, ticks(p.seg.Fragments[0].Start.Sub(first)))
	}
	if p.soundTrack == 0 || p.soundTrack != before.soundTrack {
		return
	}
	late := before.soundAt(before.sound.End) - p.soundAt(p.sound.Start)
	if late <= 0 {
		return
	}
	if gap.Empty() && late <= before.soundClock/maxLate {
		before.late = late
		t := l.soundTrack(before)
		t.end = max(before.free, before.correctedSoundAt(before.sound.End))
		return
	}
	p.begin += (late*fmp4.VideoClock + p.soundClock - 1) / p.soundClock
}
