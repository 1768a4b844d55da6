package fmp4

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// The sample entries of sound.
const (
	entryAAC  = "mp4a" // ISO/IEC 14496-14 §5.6
	entryOpus = "Opus" // Encapsulation of Opus in ISO Base Media File Format §4.3.1
	entryPCMU = "ulaw" // QuickTime's, which ffmpeg and VLC know in MP4 as well
	entryPCMA = "alaw"
)

// audioEntry makes the sample entry of an audio track, and sets what of the format
// it says; nil if MP4 cannot hold the sound.
func audioEntry(t codecs.Track, f *recordings.Format) ([]byte, error) {
	if t.Channels < 1 || t.Channels > 8 || t.ClockRate < 1 || t.ClockRate > 192_000 {
		return nil, nil
	}
	rate := uint16(t.ClockRate)
	if t.ClockRate > 0xffff {
		rate = 0 // decoders take it from the configuration
	}
	var entry *mp4.AudioSampleEntryBox
	var name string
	switch t.Codec {
	case codecs.AAC:
		var c mpeg4audio.AudioSpecificConfig
		if c.Unmarshal(t.AudioConfig) != nil || c.SampleRate <= 0 {
			return nil, nil
		}
		name = fmt.Sprintf("mp4a.40.%d", max(c.Type, c.ExtensionType)) // 2 is AAC-LC, 5 and 29 its extensions
		entry = mp4.CreateAudioSampleEntryBox(entryAAC, uint16(t.Channels), 16, rate, mp4.CreateEsdsBox(t.AudioConfig))
	case codecs.Opus:
		if t.Channels > 2 || t.ClockRate != opusClock {
			return nil, nil
		}
		name = "opus"
		entry = mp4.CreateAudioSampleEntryBox(entryOpus, uint16(t.Channels), 16, rate,
			&mp4.DopsBox{OutputChannelCount: byte(t.Channels), InputSampleRate: opusClock})
	case codecs.PCMU, codecs.PCMA:
		name = entryPCMU
		if t.Codec == codecs.PCMA {
			name = entryPCMA
		}
		entry = mp4.CreateAudioSampleEntryBox(name, uint16(t.Channels), 16, rate, nil)
	default:
		return nil, nil
	}
	b, err := appendBox(nil, entry)
	if err != nil {
		return nil, err
	}
	f.Audio, f.SampleRate, f.Channels = name, t.ClockRate, t.Channels
	return b, nil
}

// opusClock is the clock of Opus, whatever the sampling rate before coding.
const opusClock = 48_000

// audioFixed is what precedes the boxes in an audio sample entry (ISO/IEC 14496-12
// §12.2.3).
const audioFixed = 28

// parseAudioEntry is the inverse of audioEntry; clock is the track's.
func parseAudioEntry(kind string, body []byte, clock uint32, f *recordings.Format) (t codecs.Track, err error) {
	if len(body) < audioFixed {
		return t, fmt.Errorf("sample entry %s of %d bytes: %w", kind, len(body), ErrMalformed)
	}
	t.ClockRate = int(clock)
	t.Channels = int(binary.BigEndian.Uint16(body[16:]))
	switch kind {
	case entryAAC:
		t.Codec = codecs.AAC
		var esds []byte
		if esds, err = child(body[audioFixed:], "esds"); err == nil {
			t.AudioConfig, err = parseESDS(esds)
		}
	case entryOpus:
		t.Codec = codecs.Opus
	case entryPCMU:
		t.Codec = codecs.PCMU
	case entryPCMA:
		t.Codec = codecs.PCMA
	default:
		err = fmt.Errorf("sample entry %q: %w", kind, ErrMalformed)
	}
	if err != nil {
		return t, err
	}
	if entry, err := audioEntry(t, f); err != nil || entry == nil {
		return t, fmt.Errorf("sample entry %s contradicts itself: %w", kind, ErrMalformed)
	}
	return t, nil
}

// parseESDS returns a copy of the AudioSpecificConfig in the body of an esds box
// (ISO/IEC 14496-1 §7.2.6).
func parseESDS(b []byte) ([]byte, error) {
	const esTag, configTag, infoTag = 3, 4, 5
	const fullBox, esFixed, configFixed = 4, 3, 13
	if len(b) < fullBox {
		return nil, fmt.Errorf("esds of %d bytes: %w", len(b), ErrMalformed)
	}
	b = b[fullBox:]
	for _, d := range []struct {
		tag  byte
		skip int
	}{{esTag, esFixed}, {configTag, configFixed}, {infoTag, 0}} {
		body, ok := descriptor(b, d.tag)
		if !ok || len(body) < d.skip {
			return nil, fmt.Errorf("esds has no descriptor %d: %w", d.tag, ErrMalformed)
		}
		b = body[d.skip:]
	}
	return bytes.Clone(b), nil
}

// descriptor returns the body of the descriptor that b begins with.
func descriptor(b []byte, tag byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, false
	}
	size := 0
	for i := 1; i < len(b) && i <= 4; i++ {
		size = size<<7 | int(b[i]&0x7f)
		if b[i]&0x80 == 0 {
			if b = b[i+1:]; size > len(b) {
				return nil, false
			}
			return b[:size], true
		}
	}
	return nil, false
}
