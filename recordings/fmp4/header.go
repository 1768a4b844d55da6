package fmp4

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/recordings"
)

// Header is what a segment says about itself besides its media. It is enough to
// make the segment's row in the index again.
type Header struct {
	// Ref is the segment's name. Its Start is that of the first fragment.
	recordings.Ref
	// Origin is how the segment came to be; empty means Live.
	Origin recordings.Origin
	// Before is why nothing lies directly before the segment; empty if something
	// does, or if it is the first.
	Before recordings.Cause
	// Gaps lie before the segment and are not written down anywhere else, in order;
	// at most MaxGaps. Their stream is the segment's.
	Gaps []recordings.Gap
	// ClockOffset is how far the recording's time was ahead of the clock on the wall,
	// to a microsecond.
	ClockOffset time.Duration
	// CameraName is what people call the camera; at most 200 bytes are kept.
	CameraName string
	// Writer names the program; at most 100 bytes are kept.
	Writer string
	// Signed says that the video carries ONVIF media signatures.
	Signed bool
}

// MaxGaps is how many gaps a Header holds.
const MaxGaps = 16

// Limits of the texts in a Header, in bytes.
const (
	maxName   = 200
	maxWriter = 100
)

// headerVersion is the version of the format that is written, and the only one
// that is read.
const headerVersion = 1

// headerFixed is what precedes the JSON in the header's box: its name, the version,
// three bytes for later, and a checksum over everything before the first fragment,
// itself counted as 0.
const headerFixed = uuidBytes + 8

// headerJSON is a Header as it is written. Times are microseconds.
type headerJSON struct {
	Camera      string    `json:"camera"`
	Rendition   string    `json:"rendition"`
	Generation  int       `json:"generation,omitempty"`
	Start       int64     `json:"start"`
	Origin      string    `json:"origin,omitempty"`
	Before      string    `json:"before,omitempty"`
	Gaps        []gapJSON `json:"gaps,omitempty"`
	ClockOffset int64     `json:"clockOffset,omitempty"`
	Name        string    `json:"name,omitempty"`
	Writer      string    `json:"writer,omitempty"`
	Signed      bool      `json:"signed,omitempty"`
}

type gapJSON struct {
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Cause string `json:"cause"`
}

// tag tells the segment's fragments from those of others that may have been in the
// same place of the disk before.
func (h *Header) tag() uint32 {
	text := fmt.Sprintf("%s\n%s\n%d\n%d", h.Camera, h.Rendition, h.Generation, h.Start)
	return crc32.Checksum([]byte(text), castagnoli())
}

// castagnoli returns the table of CRC-32C (RFC 3720 §12.1), which processors compute.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// appendHeader appends the header's box, its checksum still 0.
func (h *Header) appendHeader(dst []byte) ([]byte, error) {
	if len(h.Gaps) > MaxGaps {
		return dst, fmt.Errorf("%d gaps before a segment; a header holds %d", len(h.Gaps), MaxGaps)
	}
	j := headerJSON{
		Camera:      h.Camera,
		Rendition:   h.Rendition,
		Generation:  h.Generation,
		Start:       int64(h.Start),
		Origin:      string(h.Origin),
		Before:      string(h.Before),
		ClockOffset: h.ClockOffset.Microseconds(),
		Name:        cut(h.CameraName, maxName),
		Writer:      cut(h.Writer, maxWriter),
		Signed:      h.Signed,
	}
	for _, g := range h.Gaps {
		j.Gaps = append(j.Gaps, gapJSON{int64(g.From), int64(g.To), string(g.Cause)})
	}
	text, err := json.Marshal(j)
	if err != nil {
		return dst, fmt.Errorf("write the header: %w", err)
	}
	dst, at := openBox(dst, "uuid")
	dst = append(dst, headerUUID...)
	dst = append(dst, headerVersion, 0, 0, 0, 0, 0, 0, 0)
	dst = append(dst, text...)
	closeBox(dst, at)
	return dst, nil
}

// parseHeader reads the body of the header's box, and returns the checksum in it.
func parseHeader(body []byte) (Header, uint32, error) {
	if len(body) < headerFixed {
		return Header{}, 0, fmt.Errorf("a header of %d bytes: %w", len(body), ErrMalformed)
	}
	if v := body[uuidBytes]; v != headerVersion {
		return Header{}, 0, fmt.Errorf("version %d of the format; this program reads version %d: %w", v, headerVersion, ErrMalformed)
	}
	sum := binary.BigEndian.Uint32(body[uuidBytes+4:])
	var j headerJSON
	if err := json.Unmarshal(body[headerFixed:], &j); err != nil {
		return Header{}, 0, fmt.Errorf("read the header: %w: %w", err, ErrMalformed)
	}
	if len(j.Gaps) > MaxGaps || len(j.Name) > maxName || len(j.Writer) > maxWriter {
		return Header{}, 0, fmt.Errorf("a header with %d gaps, a name of %d bytes and a writer of %d: %w",
			len(j.Gaps), len(j.Name), len(j.Writer), ErrMalformed)
	}
	h := Header{
		Ref: recordings.Ref{
			Stream:     recordings.Stream{Camera: j.Camera, Rendition: j.Rendition},
			Generation: j.Generation,
			Start:      recordings.Time(j.Start),
		},
		Origin:      recordings.Origin(j.Origin),
		Before:      recordings.Cause(j.Before),
		ClockOffset: time.Duration(j.ClockOffset) * time.Microsecond,
		CameraName:  j.Name,
		Writer:      j.Writer,
		Signed:      j.Signed,
	}
	if h.Origin == "" {
		h.Origin = recordings.Live
	}
	for _, g := range j.Gaps {
		h.Gaps = append(h.Gaps, recordings.Gap{
			Stream: h.Stream,
			Range:  recordings.Range{From: recordings.Time(g.From), To: recordings.Time(g.To)},
			Cause:  recordings.Cause(g.Cause),
		})
	}
	return h, sum, nil
}

// cut shortens a text to at most n bytes of valid UTF-8.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
