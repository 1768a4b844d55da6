package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
)

// minimal returns settings that are complete but for defaults.
func minimal(t *testing.T) *Config {
	t.Helper()
	return &Config{Open: true, StateDir: t.TempDir(), Cameras: []Camera{{URL: mustAddress(t, "rtsp://192.0.2.7/1")}}}
}

func TestComplete_FillsInDefaults(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/xdg")
	c := minimal(t)
	c.StateDir = ""
	c.Cameras = append(c.Cameras, Camera{Name: "Front door!", URL: c.Cameras[0].URL})
	if warnings, err := c.Complete(); err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	got := []string{
		c.Listen, c.UDP, c.StateDir, string(c.LogLevel), string(c.LogFormat),
		c.Cameras[0].ID, c.Cameras[0].Name, string(c.Cameras[0].Transport), c.Cameras[1].ID, c.Cameras[1].Name,
	}
	want := []string{"127.0.0.1:8788", "127.0.0.1:0", "/xdg/sightline", "info", "text", "cam1", "cam1", "auto", "front-door", "Front door!"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	closed := minimal(t)
	closed.Open = false
	if _, err := closed.Complete(); err != nil || closed.UDP != ":0" || closed.Listen != ":8788" {
		t.Errorf("UDP %q, listen %q, error %v", closed.UDP, closed.Listen, err)
	}
	behind := minimal(t)
	behind.Open, behind.Signal = false, "wss://signal.example.org"
	if _, err := behind.Complete(); err != nil || behind.Listen != "127.0.0.1:8788" {
		t.Errorf("listen %q, error %v", behind.Listen, err)
	}
}

func TestComplete_OpenNeedsLoopbackEverywhere(t *testing.T) {
	for _, c := range []struct {
		listen, udp, signal string
		bad                 int
	}{
		{"127.0.0.1:0", "127.0.0.1:0", "ws://127.0.0.1:8787", 0},
		{"[::1]:8788", "localhost:0", "wss://localhost/", 0},
		{":8788", "127.0.0.1:0", "", 1},
		{"0.0.0.0:8788", ":0", "", 2},
		{"192.0.2.1:8788", "[::]:0", "wss://signal.example.org", 3},
		{"camera.local:8788", "127.0.0.1:0", "ws://127.0.0.1.example.org", 2},
	} {
		cfg := minimal(t)
		cfg.Listen, cfg.UDP, cfg.Signal = c.listen, c.udp, c.signal
		_, err := cfg.Complete()
		if got := texts(t, err); len(got) != c.bad {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestComplete_ReportsEveryMistakeWithItsLine(t *testing.T) {
	path := write(t, "s.yaml", strings.TrimLeft(`
listen: 8788
signal: https://x
udp: host:port
cameras:
  - id: a b
    url: rtsp://h
    tls: {fingerprint: abc, insecure: true}
  - name: x
  - id: cam
    url: rtsp://admin:hunter2@h
    username: root
    passwordEnv: NOT_SET
  - id: cam
    url: rtsp://h
    passwordFile: missing
`, "\n"))
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := c.Complete()
	at := func(line string) string { return path + ":" + line }
	want := []string{
		at("1: listen: must be host:port or :port, for example 127.0.0.1:8788"),
		at("3: udp: must end in a port from 0 to 65535"),
		at("2: signal: must be a wss:// URL, for example wss://signal.example.org"),
		at(`5: cameras[0].id: must be 1 to 64 of a-z, 0-9, "-" and "_", the first a letter or digit`),
		at("7: cameras[0].tls: is for rtsps:// cameras; use an rtsps:// URL or remove it"),
		at("7: cameras[0].tls.fingerprint: must be the SHA-256 of the certificate, 64 hex digits, as printed by: openssl x509 -noout -fingerprint -sha256"),
		at("7: cameras[0].tls.insecure: makes no sense together with fingerprint; remove it"),
		at("8: cameras[1].url: is missing; write the camera's address, for example rtsp://192.0.2.7/stream1, or /dev/video0 for a camera of this machine"),
		at("11: cameras[2].username: differs from the user name in the URL; remove one"),
		"cameras[2].passwordFile: the password is given more than once; give it by prompt or stdin, by passwordFile, by passwordEnv or in the URL",
		at("15: cameras[3].passwordFile: open " + filepath.Join(filepath.Dir(path), "missing") + ": no such file or directory; create it with the password in it"),
		at(`13: cameras[3].id: "cam" is also the id of cameras[2]; choose another`),
	}
	if diff := cmp.Diff(want, texts(t, err)); diff != "" {
		t.Error(diff)
	}
	if len(warnings) != 0 {
		t.Errorf("warnings %q", warnings)
	}
}

func TestComplete_ChecksHowTheListenerGetsItsTLS(t *testing.T) {
	tests := map[string]struct {
		change           func(*Config)
		problem, warning string
	}{
		"own certificate": {func(*Config) {}, "", ""},
		"files":           {func(c *Config) { c.TLSCert, c.TLSKey = "c.pem", "k.pem" }, "", ""},
		"half":            {func(c *Config) { c.TLSKey = "k.pem" }, "tlsCert: a certificate and its key go together; give tlsCert and tlsKey", ""},
		"both":            {func(c *Config) { c.TLSCert, c.TLSKey, c.InsecureHTTP = "c.pem", "k.pem", true }, "insecureHTTP: plain HTTP needs no certificate; remove insecureHTTP, or tlsCert and tlsKey", "keys"},
		"plain":           {func(c *Config) { c.InsecureHTTP = true }, "", "the page comes without TLS"},
		"plain here":      {func(c *Config) { c.InsecureHTTP, c.Listen = true, "127.0.0.1:0" }, "", ""},
	}
	for name, tt := range tests {
		c := minimal(t)
		c.Open, c.Listen = false, ":8788"
		tt.change(c)
		warnings, err := c.Complete()
		if tt.problem == "" && err != nil || tt.problem != "" && !slices.Equal(texts(t, err), []string{tt.problem}) {
			t.Errorf("%s: %v", name, err)
		}
		if len(warnings) > 0 != (tt.warning != "") || len(warnings) > 0 && !strings.Contains(warnings[0].Text, tt.warning) {
			t.Errorf("%s: warnings %q", name, warnings)
		}
	}
}

func TestComplete_FindsThePassword(t *testing.T) {
	t.Setenv("FRONT_PASSWORD", password)
	file := write(t, "p", password+"\n")
	for name, cam := range map[string]Camera{
		"file":   {URL: mustAddress(t, "rtsp://h"), Username: "admin", PasswordFile: file},
		"env":    {URL: mustAddress(t, "rtsp://admin@h"), PasswordEnv: "FRONT_PASSWORD"},
		"url":    {URL: mustAddress(t, "rtsp://admin:"+password+"@h")},
		"prompt": {URL: mustAddress(t, "rtsp://admin@h"), Password: NewSecret(password)},
	} {
		c := minimal(t)
		c.Cameras = []Camera{cam}
		warnings, err := c.Complete()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := c.Cameras[0]; got.Password.Reveal() != password || got.Username != "admin" {
			t.Errorf("%s: user %q", name, got.Username)
		}
		if warned := len(warnings) > 0; warned != (name == "url") {
			t.Errorf("%s: warnings %q", name, warnings)
		}
	}
}

func TestComplete_WarnsOfAPasswordFileOthersCanRead(t *testing.T) {
	c := minimal(t)
	file := write(t, "p", password)
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	c.Cameras[0].Username, c.Cameras[0].PasswordFile = "admin", file
	warnings, err := c.Complete()
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Text, "chmod 600 "+file) {
		t.Errorf("warnings %q, error %v", warnings, err)
	}
}

func TestComplete_BringsFingerprintsIntoOneForm(t *testing.T) {
	c := minimal(t)
	c.Cameras[0].URL = mustAddress(t, "rtsps://h")
	c.Cameras[0].TLS.Fingerprint = strings.TrimSuffix(strings.Repeat("AB:", 32), ":")
	if _, err := c.Complete(); err != nil {
		t.Fatal(err)
	}
	if got, want := c.Cameras[0].TLS.Fingerprint, strings.Repeat("ab", 32); got != want {
		t.Errorf("got %s", got)
	}
}

func TestAllowList_ReadsIDsNamesAndComments(t *testing.T) {
	id := peerID(t)
	list, err := ParseAllowList(strings.NewReader("# mine\n\n  " + strings.ToUpper(id.Grouped()) + "  Anna's phone # new\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(AllowList{{ID: id, Name: "Anna's phone"}}, list); diff != "" {
		t.Error(diff)
	}
	if !list.Allows(id) || list.Allows(peerID(t)) || list.Allows("") {
		t.Error("Allows is wrong")
	}
}

func TestAllowList_WrongLinesAreAllNamed(t *testing.T) {
	id := peerID(t)
	_, err := ParseAllowList(strings.NewReader("abc\n" + string(id) + "\n\n" + id.Grouped() + " again\n" + strings.Repeat("x", 2000) + "\n"))
	got := texts(t, err)
	if len(got) != 3 || !strings.HasPrefix(got[0], "line 1: not a peer id") ||
		!strings.HasPrefix(got[1], "line 4: this id stands in line 2") || !strings.HasPrefix(got[2], "line 5: a line longer") {
		t.Errorf("%q", got)
	}
}

func TestComplete_ReadsTheAllowList(t *testing.T) {
	c := minimal(t)
	id := peerID(t)
	c.Open, c.Allow = false, write(t, "allow", string(id))
	if warnings, err := c.Complete(); err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	if !c.AllowList.Allows(id) {
		t.Error("the viewer is not allowed")
	}
	c.Allow = write(t, "allow", "nonsense\n")
	_, err := c.Complete()
	if got := texts(t, err); len(got) != 1 || !strings.HasPrefix(got[0], c.Allow+":1: not a peer id") {
		t.Errorf("%q", got)
	}
	c.Open = true
	if _, err := c.Complete(); err == nil {
		t.Error("open and a list of viewers were accepted together")
	}
}

// peerID returns the id of a fresh key.
func peerID(t *testing.T) identity.PeerID {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id.PeerID()
}

func FuzzParseAllowList(f *testing.F) {
	f.Add([]byte("# x\nabcd-efgh name\n\n"))
	f.Add([]byte(strings.Repeat("a", identity.PeerIDLen) + " a # b\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseAllowList(strings.NewReader(string(data)))
		if err != nil {
			return
		}
		for _, a := range list {
			if err := a.ID.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
