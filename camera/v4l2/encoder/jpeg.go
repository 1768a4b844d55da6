//go:build device && cgo

package encoder

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"io"
)

// jpegPacker makes planes of JPEGs as USB cameras send them: without Huffman tables
// (USB Video Class, Motion-JPEG payload), with padding behind or no end at all, with
// any subsampling.
type jpegPacker struct {
	width, height int    // as the device announced
	tables        []byte // the standard's Huffman tables, as a segment
	lines         [2][]byte
}

func newJPEGPacker(s Settings) *jpegPacker {
	return &jpegPacker{
		width: s.Width, height: s.Height, tables: huffmanTables(),
		lines: [2][]byte{make([]byte, s.Width+1), make([]byte, s.Width+1)},
	}
}

// JPEG markers (ITU-T T.81, table B.1) by their second byte.
const (
	markerDHT = 0xc4
	markerSOI = 0xd8
	markerEOI = 0xd9
	markerSOS = 0xda
	markerDQT = 0xdb
)

// pack implements packer. The size is checked before memory is taken for it.
func (p *jpegPacker) pack(dst *planes, picture []byte) error {
	scan, hasTables, err := findScan(picture)
	if err != nil {
		return err
	}
	// Complete is what has the tables before its scan and an end behind it.
	insert := p.tables
	if hasTables {
		insert = nil
	}
	complete := func() io.Reader {
		return &pieces{left: [][]byte{picture[:scan], insert, picture[scan:], {0xff, markerEOI}}}
	}
	config, err := jpeg.DecodeConfig(complete())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if config.Width != p.width || config.Height != p.height {
		return fmt.Errorf("%w: a JPEG of %dx%d where the device announced %dx%d", ErrPicture, config.Width, config.Height, p.width, p.height)
	}
	img, err := jpeg.Decode(complete())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPicture, err)
	}
	switch img := img.(type) {
	case *image.YCbCr:
		return p.colour(dst, img)
	case *image.Gray:
		if err := sized(img.Pix, img.Stride, dst.width, dst.height); err != nil {
			return err
		}
		return grey{stride: img.Stride}.pack(dst, img.Pix)
	}
	return fmt.Errorf("%w: a JPEG of other colours than YCbCr", ErrPicture)
}

// findScan returns where the first scan of a JPEG begins, and whether there are
// Huffman tables before it (ITU-T T.81 §B.1.1.2 and §B.2).
func findScan(picture []byte) (scan int, hasTables bool, err error) {
	if !bytes.HasPrefix(picture, []byte{0xff, markerSOI}) {
		return 0, false, fmt.Errorf("%w: it does not begin as a JPEG", ErrPicture)
	}
	quantized := false
	for at := 2; ; {
		for at+1 < len(picture) && picture[at] == 0xff && picture[at+1] == 0xff {
			at++ // fill bytes
		}
		if at+4 > len(picture) || picture[at] != 0xff {
			return 0, false, fmt.Errorf("%w: a JPEG cut off or damaged in its head", ErrPicture)
		}
		switch picture[at+1] {
		case markerSOS:
			if !quantized { // the decoder would make it black
				return 0, false, fmt.Errorf("%w: a JPEG without quantization", ErrPicture)
			}
			return at, hasTables, nil
		case markerDHT:
			hasTables = true
		case markerDQT:
			quantized = true
		}
		at += 2 + int(binary.BigEndian.Uint16(picture[at+2:]))
	}
}

// colour packs an image with chroma of any subsampling.
func (p *jpegPacker) colour(dst *planes, img *image.YCbCr) error {
	across, down := subsampling(img.SubsampleRatio)
	if across == 0 {
		return fmt.Errorf("%w: a JPEG of an unknown subsampling", ErrPicture)
	}
	chromaWidth, chromaHeight := (dst.width+across-1)/across, (dst.height+down-1)/down
	for _, err := range []error{
		sized(img.Y, img.YStride, dst.width, dst.height),
		sized(img.Cb, img.CStride, chromaWidth, chromaHeight),
		sized(img.Cr, img.CStride, chromaWidth, chromaHeight),
	} {
		if err != nil {
			return err
		}
	}
	s, y := squeezeLuma(), lines{img.Y, img.YStride}
	for i := range dst.height {
		s.line(dst.luma(i), y.line(i, dst.width))
	}
	for i := range dst.height / 2 {
		cb, cr := dst.chroma(i)
		p.chromaLine(cb, lines{img.Cb, img.CStride}, i, chromaWidth, across, down)
		p.chromaLine(cr, lines{img.Cr, img.CStride}, i, chromaWidth, across, down)
	}
	return nil
}

// chromaLine makes line i of a chroma plane of one whose lines have n samples, one for
// across times down pixels.
func (p *jpegPacker) chromaLine(dst []byte, src lines, i, n, across, down int) {
	var line []byte
	if down == 1 {
		line = p.lines[0][:n]
		meanLine(line, src.line(2*i, n), src.line(2*i+1, n))
	} else {
		line = src.line(i, n)
	}
	switch across {
	case 1:
		wide := line
		line = p.lines[1][:len(dst)]
		for x := range line {
			line[x] = meanByte(wide[2*x], wide[2*x+1])
		}
	case 4:
		narrow := line
		line = p.lines[1][:len(dst)]
		for x := range line {
			line[x] = narrow[x/2]
		}
	}
	squeezeChroma().line(dst, line)
}

// meanLine writes the mean of two lines to dst; all are of one length.
func meanLine(dst, a, b []byte) {
	for len(dst) >= 8 && len(a) >= 8 && len(b) >= 8 {
		store(dst, mean(load(a), load(b)))
		dst, a, b = dst[8:], a[8:], b[8:]
	}
	for i := range min(len(dst), len(a), len(b)) {
		dst[i] = meanByte(a[i], b[i])
	}
}

// subsampling returns how many pixels share a chroma sample.
func subsampling(r image.YCbCrSubsampleRatio) (across, down int) {
	switch r {
	case image.YCbCrSubsampleRatio444:
		return 1, 1
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 0, 0
}

// sized returns an error unless a plane has so many lines of so many bytes.
func sized(plane []byte, stride, width, height int) error {
	if stride < width {
		return fmt.Errorf("%w: a JPEG with lines of %d bytes instead of %d", ErrPicture, stride, width)
	}
	return need(plane, extent(stride, height, width))
}

// pieces reads pieces of memory as one.
type pieces struct{ left [][]byte }

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	for len(p.left) > 0 {
		if len(p.left[0]) == 0 {
			p.left = p.left[1:]
			continue
		}
		n := copy(b, p.left[0])
		p.left[0] = p.left[0][n:]
		return n, nil
	}
	return 0, io.EOF
}
