package playback

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// noon is when the recordings of the tests begin.
const noon = recordings.Time(1_795_262_400_000_000) // 2026-11-21T12:00:00Z

func front(start recordings.Time) recordings.Ref {
	return recordings.Ref{Stream: recordings.Stream{Camera: "front", Rendition: recordings.Main}, Start: start}
}

// desk is an API with everybody who asks it.
type desk struct {
	*API
	shelf *shelf
	trust *trust.Trust
	mux   *http.ServeMux
	// By name: owner, and guests with one right each on front, and one with all.
	people map[string]*trust.Principal
	owner  *identity.Identity
	// deadline is how long an answer of a server may take, if nothing is done for it.
	deadline time.Duration

	mu      sync.Mutex
	changes []Change
}

type personKey struct{}

func newDesk(t testing.TB, change func(*Options)) *desk {
	t.Helper()
	d := &desk{shelf: newShelf(t), mux: http.NewServeMux(), people: make(map[string]*trust.Principal), deadline: patience}
	d.enroll(t)
	o := Options{
		Library: d.shelf, Standing: d.trust.Renew,
		Cameras: func() []Camera {
			return []Camera{{ID: "front", Name: "Front door", Recording: true}, {ID: "back", Name: "Garden", Reason: "The camera is not connected."}}
		},
		Journal: func(c Change) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.changes = append(d.changes, c)
		},
	}
	if change != nil {
		change(&o)
	}
	var err error
	if d.API, err = New(o); err != nil {
		t.Fatal(err)
	}
	for _, rt := range d.Routes() {
		for method, h := range rt.Methods {
			d.mux.HandleFunc(method+" "+rt.Pattern, func(w http.ResponseWriter, r *http.Request) {
				p, _ := r.Context().Value(personKey{}).(*trust.Principal)
				h(w, r, p)
			})
		}
	}
	return d
}

// enroll makes an owner and guests.
func (d *desk) enroll(t testing.TB) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	publisher, err := identity.Generate()
	must(err)
	d.owner, err = identity.Generate()
	must(err)
	d.trust, err = trust.Open(trust.Options{Publisher: publisher})
	must(err)
	pairing, err := d.trust.StartPairing(false)
	must(err)
	secret, err := access.ParseSecret(pairing.Secret)
	must(err)
	const transcript = "a transcript"
	_, err = d.trust.Claim(trust.ClaimRequest{
		Kind: access.ClaimPair, Transcript: transcript, Viewer: d.owner.PeerID(), Name: "Ann", Device: "phone",
		Proof: access.ClaimProof(secret, access.ClaimPair, access.SideViewer, transcript, d.owner.PeerID(), publisher.PeerID()),
	})
	must(err)
	d.people["owner"], err = d.trust.Authorize(d.owner.PeerID(), nil)
	must(err)
	d.people["console"] = d.trust.Console()
	guest := func(name, camera string, rights ...access.Right) {
		holder, err := identity.Generate()
		must(err)
		compact, err := access.SignGrant(d.owner, access.Grant{
			Holder: holder.PeerID(), Audience: string(publisher.PeerID()), ID: access.NewToken(), Issued: time.Now().Unix(), Name: name, Device: "tablet",
			Scope: access.Scope{Rights: rights, Cameras: []string{access.CameraOf(publisher.PeerID(), camera)}},
		})
		must(err)
		d.people[name], err = d.trust.Authorize(holder.PeerID(), []string{compact})
		must(err)
	}
	for _, right := range access.AllRights() {
		guest(string(right), "front", right)
	}
	guest("all of back", "back", access.AllRights()...)
}

// revoke takes the access of somebody back.
func (d *desk) revoke(t testing.TB, who string) {
	t.Helper()
	if _, err := d.trust.RevokeHere(string(d.people[who].Peer)); err != nil {
		t.Fatal(err)
	}
}

// as makes a request of somebody's; of nobody's with "".
func (d *desk) as(who, method, path, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if who == "" {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), personKey{}, d.people[who]))
}

// ask makes a request of somebody's and returns the answer.
func (d *desk) ask(who, method, path, body string, header ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, d.as(who, method, path, body, header...))
	return w
}

// get asks as the guest with the right to playback, and decodes the answer.
func get[T any](t testing.TB, d *desk, path string) (v T) {
	t.Helper()
	w := d.ask("playback", "GET", path, "")
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %v in %s", path, err, w.Body)
	}
	return v
}

// errorOf returns code and sentence of an error.
func errorOf(t testing.TB, w *httptest.ResponseRecorder) (code, message string) {
	t.Helper()
	var e struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Error.Message == "" {
		t.Fatalf("%d: no error of the API: %q %v", w.Code, w.Body, w.Header())
	}
	return e.Error.Code, e.Error.Message
}

// server serves the API as the agent would, with deadlines.
func (d *desk) server(t testing.TB, who string) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who != "" {
			r = r.WithContext(context.WithValue(r.Context(), personKey{}, d.people[who]))
		}
		d.mux.ServeHTTP(w, r)
	}))
	s.Config.ReadTimeout, s.Config.WriteTimeout = patience, d.deadline
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (d *desk) kinds() (all []ChangeKind) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.changes {
		all = append(all, c.Kind)
	}
	return all
}

// sortedKeys returns the names of an object's members.
func sortedKeys(t testing.TB, data []byte) []string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return slices.Sorted(maps.Keys(m))
}
