package playback

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// Bounds of a list of key frames.
const (
	defaultKeyFrames = 500
	maxKeyFrames     = 5000
)

// getKeyFrames answers GET /v1/recordings/{camera}/keyframes: when they are, from
// the index alone.
func (a *API) getKeyFrames(w http.ResponseWriter, r *http.Request, camera string, _ *trust.Principal) *apiError {
	q := parseQuery(r, "from", "to", "max", "rendition")
	span, stream := q.span(0, ""), q.stream(camera)
	most := q.number("max", defaultKeyFrames, 1, maxKeyFrames)
	if q.err != nil {
		return q.err
	}
	times, err := a.opts.Library.KeyFrames(r.Context(), stream, span, int(most))
	if err != nil {
		return a.failed(r.Context(), "list key frames", err)
	}
	out := make([]int64, 0, len(times))
	for _, t := range times {
		out = append(out, millis(t))
	}
	writeJSON(w, http.StatusOK, struct {
		KeyFramesMs []int64 `json:"keyFramesMs"`
	}{out})
	return nil
}

// getKeyFrame answers GET /v1/recordings/{camera}/keyframe: the picture nearest to a
// time that can be decoded alone, in Annex B form (ITU-T H.264, H.265) with its
// parameter sets. The client decodes it.
func (a *API) getKeyFrame(w http.ResponseWriter, r *http.Request, camera string, _ *trust.Principal) *apiError {
	q := parseQuery(r, "at", "rendition")
	at, stream := q.time("at"), q.stream(camera)
	if q.err != nil {
		return q.err
	}
	seg, f, err := a.opts.Library.NearestKey(r.Context(), stream, at)
	if err != nil {
		return a.failed(r.Context(), "find a key frame", err)
	}
	picture, err := a.keyFrame(r, seg, f)
	if err != nil {
		return a.failed(r.Context(), "read a key frame", err)
	}
	h := w.Header()
	h.Set("Content-Type", typeBytes)
	h.Set("Content-Length", strconv.Itoa(len(picture)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Sightline-Time-Ms", strconv.FormatInt(millis(f.Start), 10))
	h.Set("Sightline-Codec", seg.Format.Video)
	h.Set("Sightline-Width", strconv.Itoa(seg.Format.Width))
	h.Set("Sightline-Height", strconv.Itoa(seg.Format.Height))
	_, _ = bytes.NewReader(picture).WriteTo(w) // the client is gone
	return nil
}

// keyFrame reads the first picture of a fragment.
func (a *API) keyFrame(r *http.Request, seg recordings.Segment, f recordings.Fragment) ([]byte, error) {
	media, err := a.opts.Library.Open(r.Context(), seg.Ref)
	if err != nil {
		return nil, err
	}
	defer func() { _ = media.Close() }() // it was only read
	file, err := fmp4.Open(media, media.Size())
	if err != nil {
		return nil, err
	}
	data, err := read(media, seg.Ref, f.Offset, f.Bytes)
	if err != nil {
		return nil, err
	}
	video, _, err := file.Units(data)
	if err != nil {
		return nil, err
	}
	if len(video) == 0 || !video[0].Key {
		return nil, errors.Join(fmt.Errorf("%s at %d: no key frame", segmentID(seg.Ref), f.Offset), fmp4.ErrMalformed)
	}
	return annexB(file.Video, video[0]), nil
}

// annexB writes a key frame with start codes, behind its parameter sets. A unit has
// those in it that its source sent with it; decoders take them twice.
func annexB(track codecs.Track, key *codecs.Unit) []byte {
	size := key.Size() + 4*(len(key.Payload)+3) + len(track.VPS) + len(track.SPS) + len(track.PPS)
	out := make([]byte, 0, size)
	add := func(nal []byte) {
		if len(nal) > 0 {
			out = append(out, 0, 0, 0, 1)
			out = append(out, nal...)
		}
	}
	if !startsWithParameterSet(track.Codec, key.Payload) {
		add(track.VPS)
		add(track.SPS)
		add(track.PPS)
	}
	for _, nal := range key.Payload {
		add(nal)
	}
	return out
}

// startsWithParameterSet reports whether an access unit brings its own.
func startsWithParameterSet(codec codecs.Codec, nals [][]byte) bool {
	if len(nals) == 0 || len(nals[0]) == 0 {
		return false
	}
	if codec == codecs.H265 {
		const vps, pps = 32, 34 // ITU-T H.265 table 7-1
		kind := nals[0][0] >> 1 & 0x3f
		return kind >= vps && kind <= pps
	}
	const sps, pps = 7, 8 // ITU-T H.264 table 7-1
	kind := nals[0][0] & 0x1f
	return kind == sps || kind == pps
}
