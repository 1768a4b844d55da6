package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// PixelFormat names a format of pictures as Video for Linux does: "H264", "MJPG", "Y16",
// "Y16-BE", or the number "0x34363248". Whether there is such a format is for the camera
// to say.
type PixelFormat string

// UnmarshalText reads it.
func (p *PixelFormat) UnmarshalText(text []byte) error {
	s := string(text)
	name := strings.TrimSuffix(s, "-BE")
	hex, number := strings.CutPrefix(s, "0x")
	n, err := strconv.ParseUint(hex, 16, 32)
	switch {
	case number && err == nil && n != 0:
	case number || name == "" || len(name) > 4 && !usualName(s) || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("must be the four letters of a format, such as H264, MJPG or YUYV")
	}
	*p = PixelFormat(s)
	return nil
}

// usualName reports names of more than four letters that people use.
func usualName(s string) bool { return strings.EqualFold(s, "MJPEG") }

// Resolution is a size of pictures in pixels.
type Resolution struct{ Width, Height int }

// Bounds of a Resolution.
const (
	minSide = 16
	maxSide = 8192
)

// UnmarshalText reads "1280x720".
func (r *Resolution) UnmarshalText(text []byte) error {
	s := strings.NewReplacer("X", "x", "×", "x").Replace(string(text))
	first, second, _ := strings.Cut(s, "x")
	width, ok := side(first)
	height, too := side(second)
	if !ok || !too {
		return errors.New("must be width and height such as 1280x720, each even and from 16 to 8192")
	}
	*r = Resolution{width, height}
	return nil
}

// side reads a number of pixels.
func side(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil && n >= minSide && n <= maxSide && n%2 == 0
}

// Rate is in pictures a second.
type Rate float64

// Bounds of a Rate.
const (
	minRate = 0.1
	maxRate = 240
)

// UnmarshalText reads "30" or "29.97".
func (r *Rate) UnmarshalText(text []byte) error {
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(n >= minRate && n <= maxRate) {
		return errors.New("must be a number of pictures a second such as 30, from 0.1 to 240")
	}
	*r = Rate(n)
	return nil
}

// Bitrate is in bit/s.
type Bitrate int

// Bounds of a Bitrate.
const (
	minBitrate = 50e3
	maxBitrate = 100e6
)

// UnmarshalText reads "3M", "800k" or "2500000".
func (b *Bitrate) UnmarshalText(text []byte) error {
	number, factor := string(text), 1.0
	if s, ok := strings.CutSuffix(number, "M"); ok {
		number, factor = s, 1e6
	} else if s, ok := strings.CutSuffix(number, "k"); ok {
		number, factor = s, 1e3
	}
	n, err := strconv.ParseFloat(number, 64)
	if n *= factor; err != nil || !(n >= minBitrate && n <= maxBitrate) {
		return errors.New("must be bits a second such as 3M or 800k, from 50k to 100M")
	}
	*b = Bitrate(math.Round(n))
	return nil
}

// KeyInterval is the time from one key frame to the next.
type KeyInterval time.Duration

// Bounds of a KeyInterval.
const (
	minKeyInterval = 200 * time.Millisecond
	maxKeyInterval = time.Minute
)

// UnmarshalText reads "2s" or "500ms".
func (k *KeyInterval) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < minKeyInterval || d > maxKeyInterval {
		return errors.New("must be a time such as 2s or 500ms, from 0.2s to 60s")
	}
	*k = KeyInterval(d)
	return nil
}

// Std returns it as the standard library has it.
func (k KeyInterval) Std() time.Duration { return time.Duration(k) }
