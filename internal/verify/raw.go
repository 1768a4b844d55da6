package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// raw is a stream with start codes (ITU-T H.264 and H.265, Annex B). It says nothing
// of times: the pictures are counted at 25 a second.
type raw struct {
	r        io.ReaderAt
	size     int64
	kind     codecs.Codec
	progress func(done, size int64)
}

const rawPicture = clock / 25

// openRaw finds out which codec it is, by the parameter sets at the beginning.
func openRaw(ctx context.Context, r io.ReaderAt, size int64, progress func(done, size int64)) (*raw, error) {
	const probe = 4 << 20
	s := &raw{r: r, size: size, progress: progress}
	err := s.split(ctx, min(size, probe), func(u []byte) error {
		switch {
		case h265.TypeOf(u) == h265.SPS && u[1] == 1:
			if _, err := h265.ParseSPS(u); err == nil {
				s.kind = codecs.H265
			}
		case h264.TypeOf(u) == h264.SPS:
			if _, err := h264.ParseSPS(u); err == nil {
				s.kind = codecs.H264
			}
		}
		if s.kind != codecs.Unknown {
			return io.EOF
		}
		return nil
	})
	if s.kind == codecs.Unknown {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, ErrFormat) {
			return nil, err
		}
		return nil, fmt.Errorf("there are no parameter sets: %w", ErrFormat)
	}
	return s, nil
}

func (s *raw) codec() codecs.Codec { return s.kind }
func (s *raw) timed() bool         { return false }
func (s *raw) faults() []string    { return nil }
func (s *raw) headers() [][]byte   { return nil }
func (s *raw) created() []uint64   { return nil }

func (s *raw) notes() []string {
	return []string{"The file has no times of its own that could be compared with those signed."}
}

func (s *raw) units(ctx context.Context, yield func(u *codecs.Unit, shown int64, sets [][]byte) error) error {
	var payload [][]byte
	pictures, n, held := false, int64(0), 0
	end := func() error {
		if !pictures {
			return nil
		}
		u := &codecs.Unit{PTS: n * rawPicture, Payload: payload}
		payload, pictures, held = nil, false, 0
		n++
		return yield(u, rawPicture, nil)
	}
	err := s.split(ctx, s.size, func(u []byte) error {
		vcl, first := s.picture(u)
		if pictures && (first || !vcl) {
			if err := end(); err != nil {
				return err
			}
		}
		pictures = pictures || vcl
		payload, held = append(payload, bytes.Clone(u)), held+len(u)
		if len(payload) > nal.MaxUnits || held > 2*maxSample {
			return fmt.Errorf("a picture has more than %d NAL units or %d bytes: %w", nal.MaxUnits, 2*maxSample, ErrFormat)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return end()
}

// picture reports whether a NAL unit is of a picture, and whether one begins.
func (s *raw) picture(u []byte) (vcl, first bool) {
	if s.kind == codecs.H265 {
		vcl = h265.TypeOf(u).VCL()
		return vcl, vcl && len(u) > 2 && u[2]&0x80 != 0
	}
	vcl = h264.TypeOf(u).VCL()
	return vcl, vcl && len(u) > 1 && u[1]&0x80 != 0
}

// split calls yield with each NAL unit up to a place in the file. They are valid
// during the call.
func (s *raw) split(ctx context.Context, end int64, yield func(u []byte) error) error {
	const block = 1 << 20
	var rest []byte // from a start code on
	inside := false
	for at := int64(0); at < end; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("check the file: %w", err)
		}
		if s.progress != nil {
			s.progress(at, s.size)
		}
		if len(rest) > maxSample {
			return fmt.Errorf("a NAL unit before %d is longer than %d bytes: %w", at, maxSample, ErrFormat)
		}
		n := int(min(block, end-at))
		from := max(len(rest)-2, 0) // a start code may lie across the border
		rest = append(rest, make([]byte, n)...)
		if _, err := s.r.ReadAt(rest[len(rest)-n:], at); err != nil {
			return fmt.Errorf("read the stream at %d: %w", at, orFormat(err))
		}
		at += int64(n)
		done := 0
		for {
			next := bytes.Index(rest[from:], []byte{0, 0, 1})
			if next < 0 {
				break
			}
			if u := bytes.TrimRight(rest[done:from+next], "\x00"); inside && len(u) > 0 {
				if err := yield(u); err != nil {
					return err
				}
			}
			inside = true
			from += next + 3
			done = from
		}
		if !inside {
			done = max(len(rest)-2, 0)
		}
		rest = append(rest[:0], rest[done:]...)
	}
	if u := bytes.TrimRight(rest, "\x00"); inside && len(u) > 0 && end == s.size {
		return yield(u)
	}
	return nil
}
