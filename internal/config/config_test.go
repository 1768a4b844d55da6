package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// write puts text into a file of a fresh folder and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// texts returns the problems of an error, one string each.
func texts(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	problems, ok := errors.AsType[Problems](err)
	if !ok {
		t.Fatalf("error is %T, want Problems: %v", err, err)
	}
	return strings.Split(problems.Error(), "\n")
}

func TestParse_ReadsEveryKey(t *testing.T) {
	c, err := Parse([]byte(`
listen: 127.0.0.1:9000
stateDir: /var/lib/sightline
signal: wss://signal.example.org
open: false
allow: viewers.txt
udp: :7000
logLevel: debug
logFormat: json
cameras:
  - id: front
    name: Front door
    url: rtsps://192.0.2.7/stream1
    sub: rtsps://192.0.2.7/stream2
    transport: tcp
    username: admin
    passwordFile: front.password
    passwordEnv: FRONT
    tls:
      fingerprint: AA:BB
      insecure: true
  - {id: 2, url: rtsp://192.0.2.8}
  - url: "v4l2:Integrated Camera: Integrated C"
    sub: /dev/video2
    video:
      format: H264
      size: 1280x720
      rate: 29.97
      bitrate: 2.5M
      keyInterval: 500ms
    subVideo: {size: 640x360}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Listen: "127.0.0.1:9000", StateDir: "/var/lib/sightline", Signal: "wss://signal.example.org",
		Allow: "viewers.txt", UDP: ":7000", LogLevel: LogDebug, LogFormat: LogJSON,
		Cameras: []Camera{
			{
				ID: "front", Name: "Front door", URL: mustAddress(t, "rtsps://192.0.2.7/stream1"),
				Sub: mustAddress(t, "rtsps://192.0.2.7/stream2"), Transport: TransportTCP, Username: "admin",
				PasswordFile: "front.password", PasswordEnv: "FRONT", TLS: TLS{Fingerprint: "AA:BB", Insecure: true},
			},
			{ID: "2", URL: mustAddress(t, "rtsp://192.0.2.8")},
			{
				URL: mustAddress(t, "v4l2:Integrated Camera: Integrated C"), Sub: mustAddress(t, "/dev/video2"),
				Video:    Video{Format: "H264", Size: Resolution{1280, 720}, Rate: 29.97, Bitrate: 2_500_000, KeyInterval: KeyInterval(500 * time.Millisecond)},
				SubVideo: Video{Size: Resolution{640, 360}},
			},
		},
	}
	opts := cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmp.AllowUnexported(Address{}, Secret{})}
	if diff := cmp.Diff(want, c, opts); diff != "" {
		t.Error(diff)
	}
}

func TestParse_MistakesNameLineAndRemedy(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"unknown key", "listen: :1\nsingal: wss://x\n", []string{`line 2: singal: unknown key; did you mean "signal"?`}},
		{"other spelling", "log_level: info", []string{`line 1: log_level: unknown key; did you mean "logLevel"?`}},
		{"far from every key", "weather: 7", []string{`line 1: weather: unknown key; known here: listen, tlsCert, tlsKey, insecureHTTP, stateDir, signal, open, allow, udp, network, cameras, noSign, spool, recording, remotes, logLevel, logFormat`}},
		{
			"all at once, nested", "open: maybe\ncameras:\n  - url: rtsp://h\n    tls:\n      fingerprnt: x\n  - adress: 1\n    transport: quic\n",
			[]string{
				"line 1: open: must be true or false",
				`line 5: cameras[0].tls.fingerprnt: unknown key; did you mean "fingerprint"?`,
				`line 6: cameras[1].adress: unknown key; known here: id, name, url, sub, video, subVideo, transport, username, passwordFile, passwordEnv, tls, recording`,
				"line 7: cameras[1].transport: must be auto, tcp or udp",
			},
		},
		{"twice", "udp: :1\nudp: :2\n", []string{"line 2: udp: stands twice, first in line 1; remove one"}},
		{"no list", "cameras:\n  url: rtsp://h\n", []string{`line 2: cameras: must be a list; begin each entry with "- "`}},
		{"list for text", "listen: [a]", []string{"line 1: listen: must be text on one line"}},
		{"alias", "listen: &a :1\nudp: *a\n", []string{
			"line 1: anchors, aliases and tags are not supported; write the value out, or put it in quotes if it begins with &, * or !",
		}},
		{"second document", "listen: :1\n---\nudp: :2\n", []string{"line 3: a second document begins here; use one document"}},
		{"no settings", "hello", []string{`line 1: must be a group of "key: value" lines`}},
		{"no UTF-8", "listen: \xff", []string{"the file is not UTF-8 text; save it as UTF-8"}},
		{"too large", strings.Repeat("#", maxFile+1), []string{"the file is larger than 262144 bytes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if diff := cmp.Diff(c.want, texts(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParse_EmptyFileAndEmptyKeysAreDefaults(t *testing.T) {
	for _, text := range []string{"", "\n# nothing\n", "---\n", "listen:\ncameras:\n"} {
		c, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(&Config{}, c, cmpopts.IgnoreUnexported(Config{})); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestParse_DeepNestingEnds(t *testing.T) {
	indented := &strings.Builder{}
	for depth := 0; indented.Len() < maxFile-2000; depth++ {
		indented.WriteString(strings.Repeat(" ", depth) + "a:\n")
	}
	deep := []string{indented.String()}
	for _, open := range []string{"[", "{", "- ", "{a: ", "[{", "? ", "&a ", "! "} {
		deep = append(deep, "cameras: "+strings.Repeat(open, maxFile/len(open)-100))
	}
	for _, text := range deep {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%.20q…: accepted", text)
		}
	}
}

func TestLoad_RelativePathsBeginAtTheFile(t *testing.T) {
	path := write(t, "sightline.yaml", "allow: viewers.txt\nstateDir: /state\ncameras:\n  - url: rtsp://h\n    passwordFile: p\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	got := []string{c.Allow, c.StateDir, c.Cameras[0].PasswordFile}
	want := []string{filepath.Join(dir, "viewers.txt"), "/state", filepath.Join(dir, "p")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoad_MistakesNameTheFile(t *testing.T) {
	path := write(t, "sightline.yaml", "lsten: x\n")
	_, err := Load(path)
	want := []string{path + `:1: lsten: unknown key; did you mean "listen"?`}
	if diff := cmp.Diff(want, texts(t, err)); diff != "" {
		t.Error(diff)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("listen: :1\ncameras:\n  - url: rtsp://admin:hunter2@h/x\n    tls: {insecure: true}\n"))
	f.Add([]byte("a: &b [*b, !!str c]\n---\n? d\n: |\n  e\n"))
	f.Add([]byte("{listen: \"\\x41\", open: yes, cameras: [{}, null]}"))
	f.Add([]byte("<<: {open: true}\n- x\n\t"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v and error %v", c, err)
		}
	})
}
