package spool

import (
	"time"

	"github.com/sightline-cam/sightline/camera"
)

// feed takes what one hub delivers. Owned by Run's goroutine.
type feed struct {
	spool     *Spool
	rendition int
	hub       *camera.Hub
	video     *camera.Subscription
	audio     *camera.Subscription
	assembler *assembler
	lost      uint64 // of the assembler, as last told
	warned    bool
}

func newFeed(s *Spool, rendition int, h *camera.Hub) *feed {
	return &feed{
		spool: s, rendition: rendition, hub: h, video: h.TapVideo(), audio: h.TapAudio(),
		assembler: newAssembler(s.o.MemoryBytes),
	}
}

func (f *feed) close() {
	f.video.Close()
	f.audio.Close()
}

// look takes what has come. With last, nothing more will.
func (f *feed) look(now time.Time, last bool) {
	track, ok := f.hub.Video()
	for ok {
		frame, skipped, open := f.video.Next()
		if !open || frame == nil {
			break
		}
		t := track
		if t.Codec != frame.Codec { // it has just changed
			t.Codec, t.VPS, t.SPS, t.PPS = frame.Codec, nil, nil, nil
		}
		f.assembler.picture(now, t, frame.Unit, skipped)
	}
	sound, hasSound := f.hub.Audio()
	for {
		frame, _, open := f.audio.Next()
		if !open || frame == nil {
			break
		}
		if frame.Codec == sound.Codec {
			f.assembler.sound(sound, frame.Unit)
		}
	}
	if last {
		f.assembler.finish(now, 0)
	}
	for {
		fr := f.assembler.take(now, hasSound, last)
		if fr == nil {
			break
		}
		if err := f.spool.add(f.rendition, fr, f.assembler.bytes); err != nil {
			f.assembler.lost++
			if !f.warned {
				f.warned = true
				f.spool.o.Logger.Warn("pictures are not kept for recorders", "rendition", Renditions()[f.rendition], "error", err)
			}
		}
	}
	f.spool.mu.Lock()
	f.spool.rings[f.rendition].trim(f.spool.o.MemoryBytes - f.assembler.bytes)
	f.spool.lost += f.assembler.lost - f.lost
	f.spool.mu.Unlock()
	f.lost = f.assembler.lost
}
