package agent

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/fragment"
)

// feedSpool lets the camera's spool have n groups of ten pictures.
func feedSpool(t *testing.T, c *publishedCamera, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.spool.Run(ctx)
	}()
	c.Hub(0).SetTracks([]codecs.Track{h264Track()})
	for i := range 10*n + 1 {
		u := &codecs.Unit{PTS: int64(i) * 9000, At: 1e15 + int64(i)*100_000, Arrived: time.Now(), Key: i%10 == 0, Payload: [][]byte{bytes.Repeat([]byte{byte(i)}, 1000)}}
		c.Hub(0).WriteUnit(u)
		<-time.After(100 * time.Millisecond) // virtual
	}
	<-time.After(time.Second)
	t.Cleanup(func() { cancel(); <-done })
}

func TestFragments_AreListedAndFetchedByThoseWhoMayPlayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, _ := newClosedAgent(t, nil)
		owner := pairOwner(t, a)
		guest, watcher := newIdentity(t).PeerID(), newIdentity(t).PeerID()
		_, may := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Playback}, "front")
		_, mayNot := grantOf(t, a, owner, watcher, time.Time{}, []access.Right{access.Live}, "front")
		h := a.handler(overChannel)
		recorder := newSession(t, a, guest, may)
		get := func(path string, header ...string) *httptest.ResponseRecorder {
			return serve(h, overSession(request("GET", path, "", header...), recorder))
		}
		feedSpool(t, a.cameras.byID["front"], 3)

		var list fragment.List
		decode(t, get("/v1/cameras/front/fragments?heads=1"), &list)
		if len(list.Fragments) != 3 || list.Epoch == "" || list.First != list.Fragments[0].Seq || list.Next <= list.Fragments[2].Seq {
			t.Fatalf("list %+v", list)
		}
		e := list.Fragments[1]
		path := fmt.Sprintf("/v1/cameras/front/fragments/%d", e.Seq)
		whole := get(path)
		f, err := fragment.Decode(whole.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if e.StartUs != f.Start() || e.Frames != 10 || fragment.DigestOf(f.Video) != e.Digest || whole.Body.Len() != e.Bytes || e.DurationUs != 1e6 {
			t.Errorf("entry %+v of %d pictures", e, len(f.Video))
		}
		if !bytes.HasPrefix(whole.Body.Bytes(), e.Head) {
			t.Error("the head is another one")
		}
		part := get(path+"?background=1", "Range", "bytes=100-199")
		if part.Code != 206 || !bytes.Equal(part.Body.Bytes(), whole.Body.Bytes()[100:200]) {
			t.Errorf("a part: %d, %d bytes", part.Code, part.Body.Len())
		}
		var rest fragment.List
		decode(t, get(fmt.Sprintf("/v1/cameras/front/fragments?after=%d", e.Seq)), &rest)
		if len(rest.Fragments) != 1 {
			t.Errorf("after the second: %+v", rest)
		}

		for path, want := range map[string]int{
			"/v1/cameras/front/fragments/99":            404,
			"/v1/cameras/front/fragments/x":             400,
			"/v1/cameras/front/fragments?after=-1":      400,
			"/v1/cameras/front/fragments?rendition=sub": 404,
			"/v1/cameras/hevc/fragments":                403,
			"/v1/cameras/nobody/fragments":              403,
		} {
			if w := get(path); w.Code != want {
				t.Errorf("%s: %d, want %d: %s", path, w.Code, want, w.Body)
			}
		}
		if w := serve(h, overSession(request("GET", "/v1/cameras/front/fragments", ""), newSession(t, a, watcher, mayNot))); w.Code != 403 {
			t.Errorf("who may only watch live gets %d", w.Code)
		}
		if w := serve(a.handler(overListener), request("GET", "/v1/cameras/front/fragments", "")); w.Code != 401 {
			t.Errorf("nobody gets %d", w.Code)
		}
	})
}

func TestFragments_ListWaitsForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, _ := newClosedAgent(t, nil)
		owner := newSession(t, a, pairOwner(t, a).PeerID())
		h := a.handler(overChannel)
		feedSpool(t, a.cameras.byID["front"], 1)
		var list fragment.List
		decode(t, serve(h, overSession(request("GET", "/v1/cameras/front/fragments", ""), owner)), &list)
		start := time.Now()
		var next fragment.List
		path := fmt.Sprintf("/v1/cameras/front/fragments?after=%d&wait=7", list.Fragments[0].Seq)
		decode(t, serve(h, overSession(request("GET", path, ""), owner)), &next)
		if took := time.Since(start); took != 7*time.Second || len(next.Fragments) != 0 {
			t.Errorf("after %v: %+v", took, next)
		}
		go func() {
			<-time.After(2 * time.Second)
			c := a.cameras.byID["front"]
			c.Hub(0).WriteUnit(&codecs.Unit{PTS: 1e6, At: 1e15 + 2e6, Key: true, Payload: [][]byte{{1}}})
		}()
		start = time.Now()
		decode(t, serve(h, overSession(request("GET", path, ""), owner)), &next)
		if took := time.Since(start); took < 2*time.Second || took > 3*time.Second || len(next.Fragments) != 1 {
			t.Errorf("after %v: %+v", took, next)
		}
	})
}

func TestFragments_AreNotKeptWhereNobodyWantsThem(t *testing.T) {
	a, _, _ := newClosedAgent(t, func(o *Options) { o.Spool.MemoryBytes = -1 })
	owner := newSession(t, a, pairOwner(t, a).PeerID())
	w := serve(a.handler(overChannel), overSession(request("GET", "/v1/cameras/front/fragments", ""), owner))
	if w.Code != 404 || errorCode(t, w) != "no_spool" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestFragments_EndWithTheRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, _ := newClosedAgent(t, nil)
		owner := pairOwner(t, a)
		guest := newIdentity(t).PeerID()
		_, may := grantOf(t, a, owner, guest, time.Now().Add(5*time.Second), []access.Right{access.Playback}, "front")
		recorder := newSession(t, a, guest, may)
		feedSpool(t, a.cameras.byID["front"], 3) // which takes 4.1 s
		start := time.Now()
		w := serve(a.handler(overChannel), overSession(request("GET", "/v1/cameras/front/fragments/1?rate=64000", ""), recorder))
		if took := time.Since(start); w.Code != 200 || w.Body.Len() == 0 || w.Body.Len() > 9_500 || took > 2*time.Second {
			t.Errorf("%d bytes in %v: %d", w.Body.Len(), took, w.Code)
		}
		if w := serve(a.handler(overChannel), overSession(request("GET", "/v1/cameras/front/fragments/1", ""), recorder)); w.Code != 403 {
			t.Errorf("afterwards: %d", w.Code)
		}
	})
}
