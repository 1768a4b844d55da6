package access

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

const (
	one   = identity.PeerID("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	other = identity.PeerID("baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
)

func TestScope_WithinGivesNoMore(t *testing.T) {
	scope := func(rights []Right, pass bool, expires int64, cameras ...string) Scope {
		return Scope{Rights: rights, Cameras: cameras, Pass: pass, Expires: expires}
	}
	live := []Right{Live}
	both := []Right{Live, Talk}
	door, garden := CameraOf(one, "door"), CameraOf(one, "garden")
	tests := []struct {
		name          string
		child, parent Scope
		within        bool
	}{
		{"the same", scope(live, true, 5, door), scope(live, true, 5, door), true},
		{"fewer rights", scope(live, false, 0, door), scope(both, false, 0, door), true},
		{"another right", scope(both, false, 0, door), scope(live, false, 0, door), false},
		{"admin of everything but admin", scope([]Right{Admin}, false, 0, door), scope([]Right{Live, Playback, Talk, PTZ, Events}, false, 0, door), false},
		{"one of all cameras", scope(live, false, 0, door), scope(live, false, 0, AnyCamera), true},
		{"one of a device's", scope(live, false, 0, door, garden), scope(live, false, 0, CamerasOf(one)), true},
		{"a device's of all", scope(live, false, 0, CamerasOf(one)), scope(live, false, 0, AnyCamera), true},
		{"all cameras of a device's", scope(live, false, 0, AnyCamera), scope(live, false, 0, CamerasOf(one)), false},
		{"a device's of one", scope(live, false, 0, CamerasOf(one)), scope(live, false, 0, door), false},
		{"another camera", scope(live, false, 0, garden), scope(live, false, 0, door), false},
		{"another device's", scope(live, false, 0, CameraOf(other, "door")), scope(live, false, 0, CamerasOf(one)), false},
		{"one of two too many", scope(live, false, 0, door, garden), scope(live, false, 0, door), false},
		{"earlier end", scope(live, false, 4, door), scope(live, false, 5, door), true},
		{"an end of none", scope(live, false, 4, door), scope(live, false, 0, door), true},
		{"later end", scope(live, false, 6, door), scope(live, false, 5, door), false},
		{"no end of one", scope(live, false, 0, door), scope(live, false, 5, door), false},
		{"passed on from one that is not", scope(live, true, 0, door), scope(live, false, 0, door), false},
	}
	for _, tt := range tests {
		err := tt.child.Within(tt.parent)
		if name, _ := check.Of(err); (err == nil) != tt.within || err != nil && (!errors.Is(err, ErrScope) || name != check.Narrowing) {
			t.Errorf("%s: %v", tt.name, err)
		}
		narrowed, err := tt.child.Narrow(tt.parent)
		if err == nil && (narrowed.Within(tt.parent) != nil || narrowed.Within(tt.child) != nil) {
			t.Errorf("%s: narrowed to %+v", tt.name, narrowed)
		}
		if tt.within && (err != nil || !slices.Equal(narrowed.Rights, tt.child.Rights) || !slices.Equal(narrowed.Cameras, tt.child.Cameras)) {
			t.Errorf("%s: was narrowed further: %+v, %v", tt.name, narrowed, err)
		}
	}
}

func TestScope_NarrowKeepsWhatBothHave(t *testing.T) {
	door := CameraOf(one, "door")
	wish := Scope{Rights: []Right{Live, Talk}, Cameras: []string{CamerasOf(one), CamerasOf(other)}, Pass: true}
	parent := Scope{Rights: []Right{Talk, PTZ}, Cameras: []string{door}, Expires: 9}
	got, err := wish.Narrow(parent)
	if err != nil || !slices.Equal(got.Rights, []Right{Talk}) || !slices.Equal(got.Cameras, []string{door}) || got.Pass || got.Expires != 9 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := (Scope{Rights: []Right{Live}, Cameras: []string{door}}).Narrow(parent); !errors.Is(err, ErrScope) {
		t.Error("nothing is left, and yet:", err)
	}
}

func TestScope_AllowsARightOnACamera(t *testing.T) {
	tests := []struct {
		camera    string // of the scope
		publisher identity.PeerID
		asked     string
		want      bool
	}{
		{AnyCamera, one, "door", true},
		{AnyCamera, one, "", true},
		{CamerasOf(one), one, "door", true},
		{CamerasOf(one), one, "", true},
		{CamerasOf(one), other, "door", false},
		{CamerasOf(one), other, "", false},
		{CameraOf(one, "door"), one, "door", true},
		{CameraOf(one, "door"), one, "", true},
		{CameraOf(one, "door"), one, "doorbell", false},
		{CameraOf(one, "door"), other, "door", false},
		{CameraOf(one, "door"), one, "*", false},
	}
	for _, tt := range tests {
		s := Scope{Rights: []Right{Live}, Cameras: []string{tt.camera}}
		if got := s.Allows(Live, tt.publisher, tt.asked); got != tt.want {
			t.Errorf("%s on %.4s/%s: %v", tt.camera, tt.publisher, tt.asked, got)
		}
		if s.Allows(Talk, tt.publisher, tt.asked) {
			t.Errorf("%s gives a right that it does not name", tt.camera)
		}
	}
}

func TestScope_CameraIDsAreThoseOfSignaling(t *testing.T) {
	for _, id := range []string{"", "a", "door-1_b", "Door", "a/b", "*", "ä", "a b", strings.Repeat("a", 64), strings.Repeat("a", 65)} {
		s := Scope{Rights: []Right{Live}, Cameras: []string{CameraOf(one, id)}}
		if id != "*" && (s.Validate() == nil) != (signaling.ValidateCameraID(id) == nil) {
			t.Errorf("%q: %v, and for signaling %v", id, s.Validate(), signaling.ValidateCameraID(id))
		}
	}
}

func TestScope_CameraIDsBeginAsCamerasDo(t *testing.T) {
	for id, good := range map[string]bool{
		"a": true, "0": true, "a-_": true, strings.Repeat("a", maxCameraID): true,
		"-a": false, "_a": false, "-": false, "": false, "A": false, strings.Repeat("a", maxCameraID+1): false,
	} {
		err := Scope{Rights: []Right{Live}, Cameras: []string{CameraOf(one, id)}}.Validate()
		if good != (err == nil) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
