package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Recording is what `sightline nvr` keeps, where and for how long.
type Recording struct {
	// Dirs are the directories; at least one.
	Dirs []string `yaml:"dirs"`
	// SyncEvery bounds what a power cut costs. Default 1 s.
	SyncEvery Duration `yaml:"syncEvery"`
	// SegmentDuration is how long a file becomes. Default 5 minutes.
	SegmentDuration Duration `yaml:"segmentDuration"`
	// MinFree is how much room is left on each disk for others. Default 5 % of it,
	// at most 20 GB.
	MinFree Size `yaml:"minFree"`
	// Defaults are what holds for every camera that says nothing else.
	Defaults CameraRecording `yaml:"defaults"`
}

// CameraRecording is how one camera is recorded. The zero value of each field means
// what Recording.Defaults says, and that all the time, until the room is needed.
type CameraRecording struct {
	// Off records nothing.
	Off bool `yaml:"off"`
	// Renditions are "main", "sub" or both. Default main.
	Renditions []string `yaml:"renditions"`
	// NoAudio leaves the sound out.
	NoAudio bool `yaml:"noAudio"`
	// Schedule is when: "mo-fr 08:00-18:00; sa 10:00-14:00". Default always.
	Schedule string `yaml:"schedule"`
	// OnEvent records only when something happens, PreRoll before it until PostRoll
	// after it. Defaults 5 s and 30 s.
	OnEvent  bool     `yaml:"onEvent"`
	PreRoll  Duration `yaml:"preRoll"`
	PostRoll Duration `yaml:"postRoll"`
	// Keep is for how long, KeepEvents for how long what belongs to an event.
	Keep       Duration `yaml:"keep"`
	KeepEvents Duration `yaml:"keepEvents"`
	// MaxBytes is how much of a camera is kept.
	MaxBytes Size `yaml:"maxBytes"`
}

// over lays o over d.
func (d CameraRecording) over(o CameraRecording) CameraRecording {
	out := o
	out.Off = d.Off || o.Off
	out.NoAudio = d.NoAudio || o.NoAudio
	out.OnEvent = d.OnEvent || o.OnEvent
	if len(o.Renditions) == 0 {
		out.Renditions = d.Renditions
	}
	if o.Schedule == "" {
		out.Schedule = d.Schedule
	}
	for _, p := range []struct{ to, from *Duration }{
		{&out.PreRoll, &d.PreRoll}, {&out.PostRoll, &d.PostRoll}, {&out.Keep, &d.Keep}, {&out.KeepEvents, &d.KeepEvents},
	} {
		if *p.to == 0 {
			*p.to = *p.from
		}
	}
	if o.MaxBytes == 0 {
		out.MaxBytes = d.MaxBytes
	}
	return out
}

// Remote is an agent elsewhere whose cameras are recorded.
type Remote struct {
	// Link is what the agent, or an owner's invitation, gave: https://host/#peer=…
	Link string `yaml:"link"`
	// Name goes before the names of its cameras. Default: none.
	Name string `yaml:"name"`
	// Prefix goes before the ids of its cameras. Default: none.
	Prefix string `yaml:"prefix"`
	// Cameras are the ids of those to record. Default: all.
	Cameras []string `yaml:"cameras"`
	// Recording says how.
	Recording CameraRecording `yaml:"recording"`
}

// Spool is what an agent keeps for recorders that were away.
type Spool struct {
	// Off keeps nothing.
	Off bool `yaml:"off"`
	// Memory is for each stream. Default 8 MiB.
	Memory Size `yaml:"memory"`
	// Dir is a folder for more, Disk how much of each camera. Default: none, 1 GiB.
	Dir  string `yaml:"dir"`
	Disk Size   `yaml:"disk"`
}

// Bounds of the settings.
const (
	minSync    = 100 * time.Millisecond
	maxSync    = time.Minute
	minSegment = 10 * time.Second
	maxSegment = time.Hour
	maxRoll    = 10 * time.Minute
)

// recording completes what is to be recorded.
func (k *check) recording() {
	r := &k.c.Recording
	for i, dir := range r.Dirs {
		if dir == "" {
			k.bad(fmt.Sprintf("recording.dirs[%d]", i), "must be a folder")
			continue
		}
		r.Dirs[i] = filepath.Clean(dir)
		if slices.Contains(r.Dirs[:i], r.Dirs[i]) {
			k.bad(fmt.Sprintf("recording.dirs[%d]", i), "stands twice; remove one")
		}
	}
	if s := r.SyncEvery.Std(); s != 0 && (s < minSync || s > maxSync) {
		k.bad("recording.syncEvery", "must be from %v to %v", minSync, maxSync)
	}
	if s := r.SegmentDuration.Std(); s != 0 && (s < minSegment || s > maxSegment) {
		k.bad("recording.segmentDuration", "must be from %v to %v", minSegment, maxSegment)
	}
	k.cameraRecording("recording.defaults", &r.Defaults)
	for i := range k.c.Cameras {
		cam := &k.c.Cameras[i]
		at := fmt.Sprintf("cameras[%d].recording", i)
		k.cameraRecording(at, &cam.Recording)
		cam.Recording = r.Defaults.over(cam.Recording)
		if cam.Sub.IsZero() && slices.Contains(cam.Recording.Renditions, "sub") && !slices.Contains(cam.Recording.Renditions, "main") {
			k.bad(at+".renditions", "the camera has no sub stream; give its address in sub, or record main")
		}
	}
	for i := range k.c.Remotes {
		k.remote(fmt.Sprintf("remotes[%d]", i), &k.c.Remotes[i])
	}
}

// cameraRecording checks what is said of a camera.
func (k *check) cameraRecording(at string, r *CameraRecording) {
	for i, name := range r.Renditions {
		if name != "main" && name != "sub" {
			k.bad(fmt.Sprintf("%s.renditions[%d]", at, i), "must be main or sub")
		}
	}
	if r.PreRoll.Std() > maxRoll || r.PostRoll.Std() > maxRoll {
		k.bad(at+".preRoll", "preRoll and postRoll are at most %v", maxRoll)
	}
}

// remote checks a remote agent.
func (k *check) remote(at string, r *Remote) {
	u, err := url.Parse(r.Link)
	if r.Link == "" || err != nil || u.Host == "" || !strings.Contains(u.Fragment, "peer=") {
		k.bad(at+".link", "must be the link that the agent printed, or that an invitation has: https://host/#peer=…")
	}
	if strings.Trim(r.Prefix, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		k.bad(at+".prefix", "must be made of a-z, 0-9, - and _")
	}
	k.cameraRecording(at+".recording", &r.Recording)
	r.Recording = k.c.Recording.Defaults.over(r.Recording)
}
