package encoder

import (
	"errors"
	"math"
	"testing"
)

func usable() Settings {
	return Settings{FourCC: "YUYV", Width: 640, Height: 480, Rate: 30, Bitrate: 1_000_000, KeyInterval: 60}
}

func TestAccepts_RawPicturesAndJPEG(t *testing.T) {
	for _, f := range []string{"YUYV", "YVYU", "UYVY", "VYUY", "NV12", "NV21", "YU12", "YV12", "GREY", "RGB3", "BGR3", "MJPG", "JPEG"} {
		if !Accepts(f) {
			t.Errorf("%s is not accepted", f)
		}
	}
	for _, f := range []string{"", "H264", "HEVC", "yuyv", "BA81", "NM12", "Z16 "} {
		if Accepts(f) {
			t.Errorf("%q is accepted", f)
		}
	}
}

func TestSettings_WhatCannotBeEncodedIsRefused(t *testing.T) {
	if err := usable().check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Settings){
		"format":         func(s *Settings) { s.FourCC = "H264" },
		"no size":        func(s *Settings) { s.Width, s.Height = 0, 0 },
		"wide":           func(s *Settings) { s.Width = maxSide + 1 },
		"negative":       func(s *Settings) { s.Height = -480 },
		"no rate":        func(s *Settings) { s.Rate = 0 },
		"rate unknown":   func(s *Settings) { s.Rate = math.NaN() },
		"rate infinite":  func(s *Settings) { s.Rate = math.Inf(1) },
		"no bitrate":     func(s *Settings) { s.Bitrate = 0 },
		"bitrate":        func(s *Settings) { s.Bitrate = math.MaxInt32 },
		"no key frames":  func(s *Settings) { s.KeyInterval = 0 },
		"too far":        func(s *Settings) { s.KeyInterval = math.MaxInt32 },
		"empty format":   func(s *Settings) { s.FourCC = "" },
		"below a block":  func(s *Settings) { s.Width = 15 },
		"negative rate":  func(s *Settings) { s.Rate = -30 },
		"bitrate tenths": func(s *Settings) { s.Bitrate = 9_999 },
	} {
		s := usable()
		change(&s)
		if err := s.check(); !errors.Is(err, errSettings) {
			t.Errorf("%s: %v; want a refusal", name, err)
		}
	}
}

func TestRaw_StridesThatCannotBeAreRefused(t *testing.T) {
	for stride, ok := range map[int]bool{0: true, 1280: true, 1281: true, 1728: true, maxStride: true, 1279: false, -1280: false, 1: false, maxStride + 1: false, math.MaxInt32: false} {
		s := usable()
		s.Stride = stride
		if _, err := newRawPacker(s); (err == nil) != ok || (err != nil && !errors.Is(err, errSettings)) {
			t.Errorf("stride %d: %v", stride, err)
		}
	}
}
