package fmp4

import (
	"encoding/binary"
	"fmt"
)

// VideoInit returns init without the sound track and without what only this
// program reads, for players that cannot play the sound: they are given the first
// VideoBytes of each fragment. The error wraps ErrMalformed.
func VideoInit(init []byte) ([]byte, error) {
	out := make([]byte, 0, len(init))
	for rest := init; len(rest) > 0; {
		kind, body, next, err := nextBox(rest)
		if err != nil {
			return nil, fmt.Errorf("leave the sound out: %w", err)
		}
		switch kind {
		case "ftyp":
			out = append(out, rest[:len(rest)-len(next)]...)
		case "moov":
			if out, err = appendWithoutSound(out, kind, body); err != nil {
				return nil, fmt.Errorf("leave the sound out: %w", err)
			}
		}
		rest = next
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("leave the sound out: nothing is there: %w", ErrMalformed)
	}
	return out, nil
}

// appendWithoutSound appends a box whose content is body, but for what belongs to
// the sound track.
func appendWithoutSound(dst []byte, kind string, body []byte) ([]byte, error) {
	dst, at := openBox(dst, kind)
	for rest := body; len(rest) > 0; {
		kind, body, next, err := nextBox(rest)
		if err != nil {
			return nil, err
		}
		keep := true
		switch kind {
		case "trak":
			id, err := trackID(body)
			if err != nil {
				return nil, err
			}
			keep = id != audioTrack
		case "trex":
			const idAt = 4
			keep = len(body) < idAt+4 || binary.BigEndian.Uint32(body[idAt:]) != audioTrack
		case "mvex":
			if dst, err = appendWithoutSound(dst, kind, body); err != nil {
				return nil, err
			}
			keep = false
		}
		if keep {
			dst = append(dst, rest[:len(rest)-len(next)]...)
		}
		rest = next
	}
	closeBox(dst, at)
	return dst, nil
}
