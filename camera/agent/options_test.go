package agent

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/trust"
)

func TestNew_OpenIsRefusedBeyondLoopback(t *testing.T) {
	listen := func(addr string) net.Listener {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	tests := []struct {
		name   string
		change func(*Options)
		want   string // in the error; empty for none
	}{
		{"loopback", func(o *Options) { o.Listener = listen("127.0.0.1:0"); o.Signal = "ws://127.0.0.1:1" }, ""},
		{"localhost signaling", func(o *Options) { o.Signal = "ws://localhost:1" }, ""},
		{"all addresses", func(o *Options) { o.Listener = listen(":0") }, "not on loopback"},
		{"UDP", func(o *Options) { o.UDP = ":0" }, "UDP"},
		{"signaling", func(o *Options) { o.Signal = "wss://signal.example.org" }, "signaling server is not on loopback"},
		{"list too", func(o *Options) { o.AllowFile = "x" }, "remove one"},
		{"closed", func(o *Options) { o.Open = false; o.Listener = listen(":0"); o.UDP = ":0" }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Identity: newIdentity(t), Open: true, Cameras: []*camera.Camera{newCamera(t, "a")}}
			tt.change(&o)
			_, err := New(o)
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestNew_CamerasNeedDifferentUsableIDs(t *testing.T) {
	for _, ids := range [][]string{{}, {"a", "a"}, {"Front Door"}, {"../a"}, {strings.Repeat("a", 65)}} {
		o := Options{Identity: newIdentity(t)}
		for _, id := range ids {
			o.Cameras = append(o.Cameras, newCamera(t, id))
		}
		if _, err := New(o); err == nil {
			t.Errorf("%q was taken", ids)
		}
	}
}

// A recorder knows the cameras of other agents once it has reached them.
func TestNew_ARecorderMayHaveNoCameraYet(t *testing.T) {
	id := newIdentity(t)
	route := ExtraRoute{Pattern: "/v1/recordings", Listener: true, Methods: map[string]ExtraHandler{"GET": func(http.ResponseWriter, *http.Request, *trust.Principal) {}}}
	o := Options{Identity: id, Extra: []ExtraRoute{route}}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.cameras.find("", func(string) error { return nil })
	if missing, ok := errors.AsType[*noCameraError](err); !ok || !strings.Contains(missing.Error(), "no camera here yet") {
		t.Errorf("the first camera of none: %v", err)
	}
}
