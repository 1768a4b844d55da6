package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/viewer"
)

func TestRemoteLinks_SayWhatIsWrongWithThem(t *testing.T) {
	peer := func() string {
		id, err := identity.Generate()
		if err != nil {
			t.Fatal(err)
		}
		return string(id.PeerID())
	}
	own, a, b := peer(), peer(), peer()
	link := func(id string) config.Remote { return config.Remote{Link: "https://signal.example/#peer=" + id} }
	for _, c := range []struct {
		links []config.Remote
		want  string // in the error; empty for none
	}{
		{[]config.Remote{link(a), link(b)}, ""},
		{[]config.Remote{link(a), {Link: "rtsp://192.0.2.7/"}}, "remote agent 2: not a Sightline link"},
		{[]config.Remote{link(own)}, "this recorder itself"},
		{[]config.Remote{link(a), link(b), link(a)}, "1 and 3 are the same"},
		{[]config.Remote{{Link: link(a).Link + "&invite=x.c2VjcmV0"}}, "copy the whole link"},
	} {
		links, err := remoteLinks(c.links, viewer.PeerID(own))
		if (c.want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "c2VjcmV0")) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if err == nil && (len(links) != 2 || links[1].SignalURL != "wss://signal.example" || string(links[1].Peer) != b) {
			t.Errorf("read as %+v", links)
		}
	}
}

func TestForGood_IsWhatTheAgentHasDecided(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{context.DeadlineExceeded, false},
		{fmt.Errorf("claim: %w", &viewer.APIError{Status: 410, Code: "used"}), true},
		{&viewer.APIError{Status: 429, Code: "locked"}, false},
		{&viewer.APIError{Status: 500, Code: "internal"}, false},
		{fmt.Errorf("dial: %w", &viewer.RejectedError{Code: signaling.RejectPairingClosed}), true},
		{&viewer.RejectedError{Code: signaling.RejectBusy}, false},
	} {
		if got := forGood(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
