package export

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// maxReferences is how many entries an index in the file has room for.
const maxReferences = math.MaxUint16

// ticks converts a duration to ticks of VideoClock.
func ticks(d time.Duration) int64 { return int64(d/time.Microsecond) * 9 / 100 }

// appendHead appends ftyp, moov and, if there is only one track of video and it is
// shown in the order in which it is decoded, the index by which players seek.
func (l *layout) appendHead(dst []byte, title string, o Options) ([]byte, error) {
	movie := fmp4.Movie{Start: l.parts[0].seg.Fragments[0].Start, Duration: l.duration, Title: title, Writer: o.Writer}
	videos := 0
	for _, t := range l.tracks {
		movie.Tracks = append(movie.Tracks, t.MovieTrack)
		if t.Video {
			videos++
		}
	}
	dst, err := fmp4.AppendType(dst)
	if err != nil {
		return nil, err
	}
	if dst, err = fmp4.AppendMovie(dst, movie); err != nil {
		return nil, err
	}
	if videos > 1 {
		return dst, nil
	}
	index := l.index()
	if index == nil {
		return dst, nil
	}
	var b bytes.Buffer
	if err := index.Encode(&b); err != nil {
		return nil, fmt.Errorf("write the index: %w", err)
	}
	return append(dst, b.Bytes()...), nil
}

// reference is an entry of the index.
type reference struct {
	size, duration int64
	key            bool
}

// index returns a sidx box (ISO/IEC 14496-12 §8.16.3) with an entry for each key
// frame, or for several, if there are too many of them; nil if there can be none.
func (l *layout) index() *mp4.SidxBox {
	video := l.parts[0].pictureTrack
	if l.tracks[video-1].Delay > 0 {
		return nil // players do not agree on whether its times are of decoding or showing
	}
	all := l.references()
	each := (len(all) + maxReferences - 1) / maxReferences
	box := &mp4.SidxBox{
		Version: 1, ReferenceID: video, Timescale: fmp4.VideoClock,
		EarliestPresentationTime: uint64(l.parts[0].begin),
	}
	for len(all) > 0 {
		sum := reference{key: all[0].key}
		n := min(each, len(all))
		for _, r := range all[:n] {
			sum.size += r.size
			sum.duration += r.duration
		}
		if sum.size > math.MaxInt32 || sum.duration > math.MaxUint32 || sum.duration < 0 {
			return nil
		}
		ref := mp4.SidxRef{ReferencedSize: uint32(sum.size), SubSegmentDuration: uint32(sum.duration)}
		if sum.key {
			ref.StartsWithSAP, ref.SAPType = 1, 1
		}
		box.SidxRefs = append(box.SidxRefs, ref)
		all = all[n:]
	}
	return box
}

// references returns one for each fragment with a key frame, with those that follow.
func (l *layout) references() (all []reference) {
	var starts []int64
	for _, p := range l.parts {
		for _, f := range p.seg.Fragments {
			size := p.bytes(f) - fmp4.CheckBytes
			if !f.Key && len(all) > 0 {
				all[len(all)-1].size += size
				continue
			}
			all = append(all, reference{size: size, key: f.Key})
			starts = append(starts, f.MediaStart+p.shift())
		}
	}
	last := l.parts[len(l.parts)-1]
	starts = append(starts, last.begin+last.length())
	for i := range all {
		all[i].duration = starts[i+1] - starts[i]
	}
	return all
}
