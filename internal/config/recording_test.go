package config

import (
	"strings"
	"testing"
	"time"
)

func TestSize_IsReadAsPeopleWriteIt(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "17": 17, "500GB": 500e9, "64MiB": 64 << 20, "1.5 TB": 1.5e12, "2kB": 2000, "1KiB": 1024,
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "-1", "5 apples", "1e30TB", "GB", "NaN", "inf", "5XB"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %d bytes", text, s)
		}
	}
}

func TestDuration_KnowsDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "0s": 0, "0d": 0,
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.Std() != want {
			t.Errorf("%q: %v, %v; want %v", text, d.Std(), err, want)
		}
	}
	for _, text := range []string{"", "5", "-5s", "+1h", "d", "1.5d", "99999d", "1d-2h", "1dd"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %v", text, d.Std())
		}
	}
}

const recordingSample = `
recording:
  dirs: [disk1, /mnt/disk2]
  syncEvery: 2s
  minFree: 5GB
  defaults: {keep: 30d, keepEvents: 90d, renditions: [main, sub]}
cameras:
  - {url: rtsp://192.0.2.7/1, name: Front}
  - {url: rtsp://192.0.2.8/1, name: Yard, recording: {keep: 7d, onEvent: true, preRoll: 10s}}
  - {url: rtsp://192.0.2.9/1, name: Attic, recording: {off: true}}
remotes:
  - {link: "https://signal.example.org/#peer=abc", name: Cabin, prefix: cabin-, recording: {keep: 3d}}
`

func TestRecording_CamerasTakeTheDefaultsTheyDoNotReplace(t *testing.T) {
	c, err := Parse([]byte(recordingSample))
	if err != nil {
		t.Fatal(err)
	}
	c.StateDir = t.TempDir()
	if _, err := c.Complete(); err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	front, yard, attic, cabin := c.Cameras[0].Recording, c.Cameras[1].Recording, c.Cameras[2].Recording, c.Remotes[0].Recording
	if front.Keep.Std() != 30*day || len(front.Renditions) != 2 || front.OnEvent || front.Off {
		t.Errorf("front: %+v", front)
	}
	if yard.Keep.Std() != 7*day || yard.KeepEvents.Std() != 90*day || !yard.OnEvent || yard.PreRoll.Std() != 10*time.Second {
		t.Errorf("yard: %+v", yard)
	}
	if !attic.Off || cabin.Keep.Std() != 3*day {
		t.Errorf("attic: %+v, cabin: %+v", attic, cabin)
	}
}

func TestRecording_MistakesSayWhatToDo(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"[disk1, /mnt/disk2]", "[disk1, disk1]", "recording.dirs[1]: stands twice"},
		{"syncEvery: 2s", "syncEvery: 1ms", "recording.syncEvery: must be from"},
		{"minFree: 5GB", "minFree: lots", "recording.minFree: must be a size"},
		{"keep: 30d,", "keep: month,", "recording.defaults.keep: must be a time"},
		{"renditions: [main, sub]", "renditions: [mian]", "recording.defaults.renditions[0]: must be main or sub"},
		{"renditions: [main, sub]", "renditions: [sub]", "cameras[0].recording.renditions: the camera has no sub stream"},
		{"https://signal.example.org/#peer=abc", "https://signal.example.org/", "remotes[0].link: must be the link"},
		{"prefix: cabin-", "prefix: Cabin/", "remotes[0].prefix: must be made of"},
		{"preRoll: 10s", "preRoll: 1h", "preRoll and postRoll are at most"},
	} {
		cfg, err := Parse([]byte(strings.Replace(recordingSample, c.from, c.to, 1)))
		if err == nil {
			cfg.StateDir = t.TempDir()
			_, err = cfg.Complete()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.to, err, c.want)
		}
	}
}
