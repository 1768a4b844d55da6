package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/nat/netcheck"
	"github.com/sightline-cam/sightline/signaling/server"
)

var update = flag.Bool("update", false, "write the golden files anew") //nolint:gochecknoglobals // flags are

// network is what an agent with a direct viewer, one behind a strict router, and
// one that is still on its way says.
const network = `{
  "udp": "open", "mapping": "endpoint-independent",
  "candidates": [
    {"kind":"host","address":"192.168.1.5:40000","protocol":"udp","by":""},
    {"kind":"srflx","address":"203.0.113.9:40000","protocol":"udp","by":"stun"},
    {"kind":"mapped","address":"203.0.113.9:40001","protocol":"udp","by":"upnp"},
    {"kind":"host","address":"192.168.1.5:40000","protocol":"tcp","by":""}
  ],
  "portMapping": {"protocol":"upnp","external":"203.0.113.9:40001","doubleNat":false,"problem":""},
  "sessions": [
    {"peer":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","name":"Ann's phone","path":"direct",
     "local":"203.0.113.9:40001","remote":"198.51.100.7:5004","localKind":"mapped","remoteKind":"srflx","rttMs":23.4,
     "why":"Direct: the first path that worked, and no better one answered.",
     "pairs":[
      {"local":"host 192.168.1.5:40000","remote":"host 10.0.0.7:5004","state":"failed","rttMs":0,"nominated":false},
      {"local":"host 192.168.1.5:40000","remote":"srflx 198.51.100.7:5004","state":"answered","rttMs":25,"nominated":false},
      {"local":"mapped 203.0.113.9:40001","remote":"srflx 198.51.100.7:5004","state":"answered","rttMs":23.4,"nominated":true}
     ]},
    {"peer":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","name":"","path":"relayed",
     "local":"192.0.2.1:50123","remote":"198.51.100.8:1024","localKind":"relay","remoteKind":"prflx","rttMs":81,
     "why":"Relayed: this network lets no UDP out.","pairs":[]},
    {"peer":"cccccccccccccccccccccccccccccccccccccccccccccccccccc","name":"\u001b[31mMallory","path":"","local":"","remote":"","localKind":"","remoteKind":"",
     "rttMs":0,"why":"","pairs":[{"local":"host 192.168.1.5:40000","remote":"host 10.0.0.9:1","state":"checking","rttMs":0,"nominated":false}]}
  ]
}`

func looks() []cli.Look {
	return []cli.Look{
		{Camera: "door", Address: "rtsp://192.0.2.7/main", Codec: "H.264", Width: 1920, Height: 1080, Audio: "PCMA", PictureMs: 412},
		{Camera: "door", Address: "rtsp://192.0.2.7/sub", Second: true, Codec: "H.264", PictureMs: 1200,
			Warnings: []string{"the stream has B-frames, which browsers play badly; turn them off in the camera"}},
		{Camera: "garden by the pond", Address: "rtsp://192.0.2.8/", Codec: "H.265", Width: 2560, Height: 1440, PictureMs: 90},
		{Camera: "yard", Address: "rtsp://192.0.2.9/", Problem: "the camera at 192.0.2.9 cannot be reached; check that it has power and network, and its address"},
	}
}

// A camera of this machine has one reader: the agent is no fault of its own.
func TestDoctor_LeavesACameraToTheAgentThatShowsIt(t *testing.T) {
	busy := cli.Look{Camera: "desk", Address: "/dev/video0", Problem: "/dev/video0 is in use by sightline (pid 7); end that", Busy: true}
	for state, want := range map[string]bool{"live": true, "offline": false} {
		r := doctorReport{
			Network: netcheck.Report{UDP: nat.UDPUnknown}, Cameras: []cli.Look{busy},
			Agent: agentReport{Running: true, Network: &agentNetwork{}, Cameras: []agentCamera{{ID: "desk", Name: "desk", State: state, Reason: "x"}}},
		}
		r.conclude()
		var out bytes.Buffer
		err := r.print(&out, false)
		if strings.Contains(out.String(), "in use") == want || (err == nil) != want {
			t.Errorf("%s: %v\n%s", state, err, out.String())
		}
	}
	r := doctorReport{Network: netcheck.Report{UDP: nat.UDPUnknown}, Cameras: []cli.Look{busy}}
	if r.conclude(); r.OK {
		t.Error("a camera that another program uses is said to be well")
	}
}

func TestDoctor_ExplainsCamerasAndSessions(t *testing.T) {
	var n agentNetwork
	if err := json.Unmarshal([]byte(network), &n); err != nil {
		t.Fatal(err)
	}
	r := doctorReport{
		Network: netcheck.Report{UDP: nat.UDPUnknown},
		Cameras: looks(),
		Agent: agentReport{Running: true, Network: &n, Cameras: []agentCamera{
			{ID: "hall", Name: "Hall", State: "live", Codec: "H.264", Width: 1280, Height: 720},
			{ID: "attic", Name: "Attic", State: "offline", Reason: "the camera at 192.0.2.10 refuses the user name or the password; check both"},
		}},
	}
	r.conclude()
	for name, asJSON := range map[string]bool{"sessions.txt": false, "sessions.json": true} {
		var out bytes.Buffer
		if err := r.print(&out, asJSON); err == nil {
			t.Error("a camera does not work, and it ends well")
		}
		path := filepath.Join("testdata", "doctor", name+".golden")
		if *update {
			if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%s differs; if that is meant, run go test -update (-want +got):\n%s", path, diff)
		}
	}
}

func TestDoctor_AsksTheAgentThatRuns(t *testing.T) {
	dir, err := os.MkdirTemp("", "sl-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, cli.ConsoleSocket))
	if err != nil {
		t.Fatal(err)
	}
	agent := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "GET /v1/network":
			_, _ = io.WriteString(w, network)
		case "GET /v1/cameras":
			_, _ = io.WriteString(w, `{"cameras":[{"id":"hall","name":"Hall","state":"live","codec":"H.264"}]}`)
		case "GET /v1/ice":
			_, _ = io.WriteString(w, `{"servers":[{"urls":["turn:127.0.0.1:1?transport=tcp"],"username":"u","credential":"top secret","expires":0}]}`)
		default:
			http.NotFound(w, r)
		}
	})}}
	agent.Start()
	defer agent.Close()
	r, out := runDoctor(t, "--state-dir", dir)
	if !r.Agent.Running || r.Agent.Network == nil || len(r.Agent.Network.Sessions) != 3 || len(r.Agent.Cameras) != 1 {
		t.Errorf("of the agent it says %+v", r.Agent)
	}
	if len(r.Network.Relays) != 1 || r.Network.Relays[0].Problem == "" || r.OK {
		t.Errorf("of the agent's relay it says %+v, ok: %v", r.Network.Relays, r.OK)
	}
	if strings.Contains(out, "top secret") {
		t.Errorf("it prints the credential:\n%s", out)
	}
}

func TestDoctor_RegistersForAMomentAndMakesNoKey(t *testing.T) {
	s, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	dir := t.TempDir()
	r, _ := runDoctor(t, "--state-dir", dir, "--signal", strings.Replace(srv.URL, "http:", "ws:", 1))
	if r.Registration == nil || !r.Registration.OK || !r.Network.Signal.Reachable || !r.OK {
		t.Errorf("of signaling it says %+v, %+v, ok: %v", r.Registration, r.Network.Signal, r.OK)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("in the state folder are %v (%v)", left, err)
	}
}

func TestDoctor_SaysWhenAProxyStopsWebSockets(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer srv.Close()
	r, _ := runDoctor(t, "--state-dir", t.TempDir(), "--signal", srv.URL)
	if r.OK || r.Registration.OK || r.Registration.Problem == "" || r.Network.Signal.Problem != "" {
		t.Errorf("of signaling it says %+v, %+v, ok: %v", r.Registration, r.Network.Signal, r.OK)
	}
}

// runDoctor runs the program, without the router.
func runDoctor(t *testing.T, args ...string) (r doctorReport, out string) {
	t.Helper()
	data, err := exec.CommandContext(t.Context(), "sightline", append([]string{"doctor", "--json", "--no-port-map"}, args...)...).Output()
	if e := json.Unmarshal(data, &r); e != nil {
		failed, _ := errors.AsType[*exec.ExitError](err)
		t.Fatalf("%v (%v):\n%s", e, failed, data)
	}
	if (err == nil) != r.OK {
		t.Errorf("the report says ok: %v, and the program ended with %v", r.OK, err)
	}
	return r, string(data)
}

func FuzzExplainAgent(f *testing.F) {
	f.Add(network)
	f.Add(`{"candidates":[{}],"sessions":[{"pairs":[{}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var n agentNetwork
		if json.Unmarshal([]byte(text), &n) != nil {
			return
		}
		r := doctorReport{Agent: agentReport{Running: true, Network: &n}}
		r.conclude()
		if err := netcheck.WriteText(io.Discard, r.Verdict, r.sections()); err != nil {
			t.Error(err)
		}
	})
}
