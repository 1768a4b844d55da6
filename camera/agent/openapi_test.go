package agent

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings/playback"
	"github.com/sightline-cam/sightline/signaling"
)

// apiFile is what the test needs of docs/openapi.yaml.
type apiFile struct {
	Paths      map[string]map[string]any `yaml:"paths"`
	Components struct {
		Schemas map[string]schema `yaml:"schemas"`
	} `yaml:"components"`
}

type schema struct {
	Required   []string          `yaml:"required"`
	Properties map[string]schema `yaml:"properties"`
}

// operation is a method of a path.
type operation struct {
	Over      []string            `yaml:"x-over"`
	Responses map[string]response `yaml:"responses"`
}

type response struct {
	Content map[string]struct {
		Schema struct {
			Ref string `yaml:"$ref"`
		} `yaml:"schema"`
	} `yaml:"content"`
}

func readAPI(t *testing.T) (f apiFile, operations map[string]operation) {
	t.Helper()
	data, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	operations = make(map[string]operation)
	for path, item := range f.Paths {
		for method, value := range item {
			if method == "parameters" {
				continue
			}
			part, err := yaml.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			var op operation
			if err := yaml.Unmarshal(part, &op); err != nil {
				t.Fatal(err)
			}
			operations[strings.ToUpper(method)+" "+path] = op
		}
	}
	return f, operations
}

// recorderRoutes are those that a recorder adds.
func recorderRoutes(t *testing.T) (routes []ExtraRoute) {
	t.Helper()
	api, err := playback.New(playback.Options{
		Library: struct{ playback.Library }{}, Standing: func(p *trust.Principal) (*trust.Principal, error) { return p, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range api.Routes() {
		routes = append(routes, ExtraRoute(r))
	}
	return routes
}

func TestOpenAPI_ListsExactlyWhatIsServed(t *testing.T) {
	a, _ := newTestAgent(t, withExtra(recorderRoutes(t)...))
	served := make(map[string][]string)
	for _, r := range a.routes() {
		var over []string
		if r.over&overListener != 0 {
			over = append(over, "listener")
		}
		if r.over&overChannel != 0 {
			over = append(over, "channel")
		}
		if r.over&overConsole != 0 {
			over = append(over, "console")
		}
		for method := range r.methods {
			served[method+" "+r.path] = over
		}
	}
	written := make(map[string][]string)
	_, operations := readAPI(t)
	for name, op := range operations {
		written[name] = op.Over
	}
	if d := cmp.Diff(written, served); d != "" {
		t.Errorf("docs/openapi.yaml (-) and the handlers (+) differ:\n%s", d)
	}
}

// members returns the names of a JSON object's members.
func members(t *testing.T, data []byte) []string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return slices.Sorted(maps.Keys(m))
}

func TestOpenAPI_AnswersHaveTheMembersWritten(t *testing.T) {
	log := newLog(t)
	a, _, f := newClosedAgent(t, func(o *Options) { o.Log = log })
	api, operations := readAPI(t)
	check := func(method, path string, w *httptest.ResponseRecorder) {
		t.Helper()
		got, ok := operations[method+" "+path].Responses[strconv.Itoa(w.Code)]
		if !ok || w.Code > 299 {
			t.Errorf("%s %s: %d is not written down, or an error: %s", method, path, w.Code, w.Body)
			return
		}
		ref := got.Content["application/json"].Schema.Ref
		s := api.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		if d := cmp.Diff(slices.Sorted(maps.Keys(s.Properties)), members(t, w.Body.Bytes())); d != "" {
			t.Errorf("%s %s: %s", method, path, d)
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(s.Properties)), slices.Sorted(slices.Values(s.Required))); d != "" {
			t.Errorf("%s: required differs from properties: %s", ref, d)
		}
	}
	check("POST", "/v1/console/pair", atConsole(t, a, "POST", "/v1/console/pair", map[string]bool{"reset": true}))
	secret := startPairing(t, a)
	owner := newIdentity(t)
	check("POST", "/v1/claim", claim(t, a, openClaim(t, a, f, owner, signaling.ClaimPair), "pair", "", secret))
	s := newSession(t, a, owner.PeerID())
	for _, tt := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/v1/cameras", nil},
		{"GET", "/v1/time", nil},
		{"GET", "/v1/me", nil},
		{"GET", "/v1/session", nil},
		{"POST", "/v1/session/offer", json.RawMessage(`{"sdp":"v=0","media":[]}`)},
		{"GET", "/v1/access", nil},
		{"PUT", "/v1/access", map[string]string{"list": firstList(t, a, owner, nil)}},
		{"GET", "/v1/access/log", nil},
		{"POST", "/v1/whep-tokens", map[string]string{"camera": "front"}},
		{"GET", "/healthz", nil},
	} {
		check(tt.method, tt.path, ask(t, a, s, tt.method, tt.path, tt.body))
	}
	invite := map[string]any{"name": "Bob", "rights": []string{"live"}, "cameras": []string{"*"}, "expires": 0, "pass": false}
	check("POST", "/v1/console/invites", atConsole(t, a, "POST", "/v1/console/invites", invite))
	check("POST", "/v1/console/revoke", atConsole(t, a, "POST", "/v1/console/revoke", map[string]string{"id": string(newIdentity(t).PeerID())}))

	var list struct{ Cameras []json.RawMessage }
	decode(t, ask(t, a, s, "GET", "/v1/cameras", nil), &list)
	var state struct{ Owners, Invites []json.RawMessage }
	decode(t, ask(t, a, s, "GET", "/v1/access", nil), &state)
	for name, data := range map[string]json.RawMessage{"Camera": list.Cameras[0], "Owner": state.Owners[0], "InviteState": state.Invites[0]} {
		if d := cmp.Diff(slices.Sorted(maps.Keys(api.Components.Schemas[name].Properties)), members(t, data)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestOpenAPI_ErrorsOfWHEPAreWritten(t *testing.T) {
	a, _ := newTestAgent(t, func(o *Options) { o.MaxSessions = 1 })
	_, operations := readAPI(t)
	path, etag := openTestWHEP(t, a)
	sdp := []string{"Content-Type", typeSDP}
	check := func(operation string, w *httptest.ResponseRecorder) {
		t.Helper()
		if _, ok := operations[operation].Responses[strconv.Itoa(w.Code)]; !ok {
			t.Errorf("%s: %d is not written down", operation, w.Code)
		}
	}
	for _, r := range [][]string{{"/whep/nobody"}, {"/whep/front"}, {"/whep/hevc"}} {
		check("POST /whep/{camera}", serve(a.ownRoutes, request("POST", r[0], testOffer("video H264"), sdp...)))
	}
	check("POST /whep/{camera}", serve(a.ownRoutes, request("POST", "/whep/front", "")))
	for _, match := range []string{etag, `"x"`, "*"} {
		check("PATCH /whep/{camera}/{session}", serve(a.ownRoutes, request("PATCH", path, "", "Content-Type", typeFragment, "If-Match", match)))
	}
	check("DELETE /whep/{camera}/{session}", serve(a.ownRoutes, request("DELETE", path+"x", "")))
}
