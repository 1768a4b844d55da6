package playback

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// schema is what the tests need of one in docs/openapi.yaml.
type schema struct {
	Ref        string            `yaml:"$ref"`
	Required   []string          `yaml:"required"`
	Properties map[string]schema `yaml:"properties"`
	Items      *schema           `yaml:"items"`
}

type parameter struct {
	Ref  string `yaml:"$ref"`
	Name string `yaml:"name"`
	In   string `yaml:"in"`
}

type operation struct {
	Parameters []parameter `yaml:"parameters"`
	Request    struct {
		Content map[string]struct {
			Schema schema `yaml:"schema"`
		} `yaml:"content"`
	} `yaml:"requestBody"`
	Responses map[string]struct {
		Content map[string]struct {
			Schema schema `yaml:"schema"`
		} `yaml:"content"`
	} `yaml:"responses"`
}

type apiFile struct {
	Paths      map[string]map[string]any `yaml:"paths"`
	Components struct {
		Schemas    map[string]schema    `yaml:"schemas"`
		Parameters map[string]parameter `yaml:"parameters"`
	} `yaml:"components"`
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
			part, err := yaml.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			var op operation
			if method == "parameters" {
				continue
			}
			if err := yaml.Unmarshal(part, &op); err != nil {
				t.Fatal(err)
			}
			operations[strings.ToUpper(method)+" "+path] = op
		}
	}
	return f, operations
}

// compare finds where JSON differs from a schema, names only.
func (f *apiFile) compare(t *testing.T, where string, s schema, data []byte) {
	t.Helper()
	if s.Ref != "" {
		s = f.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	switch {
	case s.Items != nil:
		var list []json.RawMessage
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatalf("%s: %v in %s", where, err, data)
		}
		if len(list) == 0 {
			t.Errorf("%s: the test has nothing in it", where)
		}
		for _, item := range list {
			f.compare(t, where+"[]", *s.Items, item)
		}
	case s.Properties != nil:
		if d := cmp.Diff(slices.Sorted(maps.Keys(s.Properties)), sortedKeys(t, data)); d != "" {
			t.Errorf("%s: %s", where, d)
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(s.Properties)), slices.Sorted(slices.Values(s.Required))); d != "" {
			t.Errorf("%s: required differs from properties: %s", where, d)
		}
		var m map[string]json.RawMessage
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		for name, inner := range s.Properties {
			f.compare(t, where+"."+name, inner, m[name])
		}
	}
}

func TestOpenAPI_AnswersHaveTheMembersWritten(t *testing.T) {
	d := newDesk(t, nil)
	file, operations := readAPI(t)
	all := calls(d, t)
	overviewCall := call{method: "GET", path: "/v1/recordings"}
	all["GET /v1/recordings"] = overviewCall
	fillAll(t, d)
	for name, c := range all {
		op, ok := operations[name]
		if !ok {
			t.Errorf("%s is not written down", name)
			continue
		}
		var w *httptest.ResponseRecorder
		if w = d.ask("owner", c.method, c.path, c.body); c.status == 500 {
			continue // of random bytes
		}
		answer, ok := op.Responses[strconv.Itoa(w.Code)]
		if !ok || w.Code > 299 {
			t.Errorf("%s: %d is not written down, or an error: %s", name, w.Code, w.Body)
			continue
		}
		if inner, ok := answer.Content["application/json"]; ok {
			file.compare(t, name, inner.Schema, w.Body.Bytes())
		}
		if inner, ok := op.Request.Content["application/json"]; ok {
			file.compare(t, name+"'s request", inner.Schema, []byte(c.body))
		}
	}
}

// fillAll sees to it that no list of an answer is empty.
func fillAll(t *testing.T, d *desk) {
	t.Helper()
	d.shelf.fill(t, front(noon), 9, 1000, time.Second, func(s *recordings.Segment) {
		s.Gaps = []recordings.Gap{{Range: recordings.Range{From: noon - 1000, To: noon}, Cause: recordings.Crash}}
	})
	d.shelf.events = append(d.shelf.events, recordings.Event{ID: "e", Camera: "front", Type: "door", Range: recordings.Range{From: noon, To: noon}})
	d.shelf.locks = append(d.shelf.locks, recordings.Lock{ID: "l", Camera: "front", Range: recordings.Range{From: noon, To: noon + 5000}})
	d.shelf.pauses = append(d.shelf.pauses, recordings.Pause{Camera: "front", Range: recordings.Range{From: noon}, By: "Ann"})
	other := front(noon)
	other.Camera = "back"
	d.shelf.fill(t, other, 9, 1000, time.Second, nil)
}

func TestOpenAPI_HasTheParametersThatAreTaken(t *testing.T) {
	d := newDesk(t, nil)
	file, operations := readAPI(t)
	for name, c := range calls(d, t) {
		path, _, _ := strings.Cut(c.path, "?")
		if c.method == "HEAD" {
			c.method = "GET"
		}
		var written []string
		for _, p := range operations[name].Parameters {
			if p.Ref != "" {
				p = file.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
			}
			if p.In == "query" {
				written = append(written, p.Name)
			}
		}
		slices.Sort(written)
		_, message := errorOf(t, d.ask("owner", c.method, path+"?nonsense=1", c.body))
		_, taken, _ := strings.Cut(message, "It takes ")
		known := strings.Split(strings.TrimSuffix(taken, "."), ", ")
		if slices.Sort(known); taken == "none." {
			known = nil
		}
		if d := cmp.Diff(written, known); d != "" {
			t.Errorf("%s: docs/openapi.yaml (-) and the handler (+) differ: %s", name, d)
		}
	}
}

func TestOpenAPI_HasTheHeadersOfPictures(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.film(t, front(noon), 1, codecs.Unknown, nil)
	data, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"keyframe", "fragment"} {
		w := d.ask("owner", "GET", fmt.Sprintf("/v1/recordings/front/%s?at=%d", path, millis(noon)), "")
		for name := range w.Header() {
			if strings.HasPrefix(name, "Sightline-") && !strings.Contains(string(data), name+": {schema") {
				t.Errorf("%s: %s is not written down", path, name)
			}
		}
	}
}
