package playback

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// Bounds of an HLS playlist.
const (
	maxHLS         = 12 * time.Hour
	maxHLSEntries  = 20_000
	hlsTarget      = 10 * time.Second // of a growing playlist: it must not change
	hlsAtLeast     = 4 * time.Second  // then the next key frame begins a new entry
	hlsRefresh     = 500 * time.Millisecond
	hlsMapPrefix   = "init-"
	hlsMediaSuffix = ".mp4"
)

// hlsFile is one segment's file as a player may see it: the bytes from first to end.
type hlsFile struct {
	ref        recordings.Ref
	initBytes  int64
	tracked    bool // there is sound
	sound      bool // that HLS has a name for
	clock      int  // of the sound, in ticks a second; 0 without
	first, end int64
	shift      time.Duration // what its media is shown later by; see shifted
}

// hlsEntry is one media segment of the playlist (RFC 8216bis §3): some fragments
// next to each other.
type hlsEntry struct {
	start    recordings.Time
	duration time.Duration
	offset   int64 // in the segment's file
	bytes    int64
	file     int32 // in hlsStream.files
	key      bool  // begins with a key frame
}

// hlsStream is what one token shows: a playlist to which is only ever appended, as
// RFC 8216bis §6.2.1 wants, whatever else is recorded or deleted meanwhile.
type hlsStream struct {
	// Constant after construction.
	stream recordings.Stream
	event  bool // it grows

	// turn has one place; whoever has taken it owns what follows.
	turn      chan struct{}
	rest      recordings.Range // what has not been looked at
	refreshed time.Time
	files     []hlsFile
	entries   []hlsEntry
	mediaEnd  time.Duration // when the media shown so far ends
	ended     bool
	full      bool // it ended because it has maxHLSEntries
}

// newHLSStream returns the playlist of a time; it grows if event.
func newHLSStream(stream recordings.Stream, span recordings.Range, event bool) *hlsStream {
	return &hlsStream{stream: stream, event: event, turn: make(chan struct{}, 1), rest: span}
}

// own takes the turn, or gives up with the context.
func (s *hlsStream) own(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// disown gives the turn on.
func (s *hlsStream) disown() { <-s.turn }

// refresh appends what was recorded meanwhile. The turn is the caller's.
func (s *hlsStream) refresh(ctx context.Context, a *API, now time.Time) error {
	if s.ended || now.Sub(s.refreshed) < hlsRefresh && !s.refreshed.IsZero() {
		return nil
	}
	s.refreshed = now
	for !s.ended && !s.rest.Empty() {
		segments, more, err := a.segments(ctx, s.stream, s.rest, answerBounds())
		if err != nil {
			return err
		}
		from := s.rest.From
		for i := range segments {
			s.append(&segments[i], more && i == len(segments)-1)
		}
		if !more || s.rest.From <= from {
			break
		}
	}
	s.ended = s.ended || !s.event || s.rest.Empty()
	return nil
}

// append adds the entries of a segment, those of a growing one only as far as they
// are complete; cut says that it has more fragments than are given.
func (s *hlsStream) append(seg *recordings.Segment, cut bool) {
	fragments := seg.Fragments
	for len(fragments) > 0 && fragments[0].Start < s.rest.From && len(s.entries) > 0 {
		fragments = fragments[1:] // shown already
	}
	single := isG711(seg.Format.Audio) // then the sound between the fragments must be left out
	file := int32(-1)
	if n := len(s.files); n > 0 && s.files[n-1].ref == seg.Ref {
		file = int32(n - 1)
	}
	for len(fragments) > 0 {
		n := entryLength(fragments, single)
		complete := n < len(fragments) || !cut && !seg.Open
		if !complete && (cut || s.event) {
			return // it may grow yet
		}
		if len(s.entries) >= maxHLSEntries {
			s.ended, s.full = true, true
			return
		}
		if file < 0 {
			file = int32(len(s.files))
			s.files = append(s.files, s.fileOf(seg, fragments[0].Offset))
		}
		e := entryOf(fragments[:n], single)
		e.file = file
		s.entries = append(s.entries, e)
		s.files[file].end = e.offset + e.bytes
		last := &fragments[n-1]
		s.rest.From = last.End()
		s.mediaEnd = s.files[file].shift + mediaTime(last) + last.Duration
		fragments = fragments[n:]
	}
}

// fileOf returns a segment's file, of which the bytes from first on are shown. Its
// media begins as much later than that of the first file as it was captured later,
// and after what is shown already.
func (s *hlsStream) fileOf(seg *recordings.Segment, first int64) hlsFile {
	f := hlsFile{
		ref: seg.Ref, initBytes: seg.InitBytes, tracked: seg.Format.Audio != "", sound: seg.Format.Audio != "" && !isG711(seg.Format.Audio),
		clock: seg.Format.SampleRate, first: first,
	}
	if len(s.files) > 0 {
		f.shift = max(seg.Start.Sub(s.files[0].ref.Start), s.mediaEnd)
	}
	return f
}

// mediaTime is when a fragment begins by the camera's clock, in its segment.
func mediaTime(f *recordings.Fragment) time.Duration {
	const clock = fmp4.VideoClock
	return time.Duration(f.MediaStart/clock)*time.Second + time.Duration(f.MediaStart%clock)*time.Second/clock
}

// isG711 reports whether it is sound that HLS has no name for.
func isG711(audio string) bool { return audio == "ulaw" || audio == "alaw" }

// entryLength returns how many of the fragments make the next entry.
func entryLength(fragments []recordings.Fragment, single bool) int {
	if single {
		return 1
	}
	length := fragments[0].Duration
	for i := 1; i < len(fragments); i++ {
		f := &fragments[i]
		if f.Key && length >= hlsAtLeast || length+f.Duration > hlsTarget {
			return i
		}
		length += f.Duration
	}
	return len(fragments)
}

// entryOf makes an entry of fragments.
func entryOf(fragments []recordings.Fragment, single bool) hlsEntry {
	first, last := &fragments[0], &fragments[len(fragments)-1]
	e := hlsEntry{start: first.Start, duration: last.End().Sub(first.Start), offset: first.Offset, bytes: last.Offset + last.Bytes - first.Offset, key: first.Key}
	if single {
		e.bytes = first.VideoBytes
	}
	return e
}

// find returns the file of that name in the playlist, and whether its beginning is
// meant. The turn is the caller's.
func (s *hlsStream) find(name string) (f hlsFile, init, ok bool) {
	id, init := strings.CutPrefix(name, hlsMapPrefix)
	id, isMedia := strings.CutSuffix(id, hlsMediaSuffix)
	ref, err := parseSegmentID(s.stream.Camera, id)
	if err != nil || !isMedia {
		return hlsFile{}, false, false
	}
	i := slices.IndexFunc(s.files, func(f hlsFile) bool { return f.ref == ref })
	if i < 0 {
		return hlsFile{}, false, false
	}
	return s.files[i], init, true
}

// playlist writes the playlist (RFC 8216bis §4). The turn is the caller's.
func (s *hlsStream) playlist() []byte {
	target, independent := hlsTarget, !s.event
	for _, e := range s.entries {
		target = max(target, e.duration.Round(time.Second))
		independent = independent && e.key
	}
	b := make([]byte, 0, 256+128*len(s.entries))
	b = append(b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:"...)
	b = strconv.AppendInt(b, int64(target/time.Second), 10)
	b = append(b, "\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:"...)
	if s.event {
		b = append(b, "EVENT\n"...)
	} else {
		b = append(b, "VOD\n"...)
	}
	if independent && len(s.entries) > 0 {
		b = append(b, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	file := int32(-1)
	name := ""
	for _, e := range s.entries {
		if e.file != file {
			name = segmentID(s.files[e.file].ref) + hlsMediaSuffix
			b = appendFile(b, s.files[e.file], name, e.start, file >= 0)
			file = e.file
		}
		b = append(b, "#EXTINF:"...)
		b = strconv.AppendFloat(b, e.duration.Seconds(), 'f', 6, 64)
		b = append(b, ",\n#EXT-X-BYTERANGE:"...)
		b = strconv.AppendInt(b, e.bytes, 10)
		b = append(b, '@')
		b = strconv.AppendInt(b, e.offset-s.files[e.file].first, 10)
		b = append(b, '\n')
		b = append(b, name...)
		b = append(b, '\n')
	}
	if s.ended {
		b = append(b, "#EXT-X-ENDLIST\n"...)
	}
	return b
}

// appendFile begins another file: its times begin anew, so what comes before it does
// not go on in it.
func appendFile(b []byte, f hlsFile, name string, start recordings.Time, after bool) []byte {
	if after {
		b = append(b, "#EXT-X-DISCONTINUITY\n"...)
	}
	b = append(b, `#EXT-X-MAP:URI="`...)
	b = append(b, hlsMapPrefix...)
	b = append(b, name...)
	b = append(b, '"')
	if f.sound == f.tracked {
		// It is all of that file. ffmpeg 5 wants to be told: on a connection that it
		// uses again it takes the length of the file before for that of this one.
		b = append(b, `,BYTERANGE="`...)
		b = strconv.AppendInt(b, f.initBytes, 10)
		b = append(b, `@0"`...)
	}
	b = append(b, "\n#EXT-X-PROGRAM-DATE-TIME:"...)
	b = start.Std().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, '\n')
}
