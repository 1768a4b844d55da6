package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const password = "hunter2-x"

// mustAddress parses an address.
func mustAddress(t *testing.T, text string) Address {
	t.Helper()
	u, err := ParseAddress(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return u
}

func TestSecret_NoWayOfPrintingRevealsIt(t *testing.T) {
	c := &Config{Cameras: []Camera{{
		URL:      mustAddress(t, "rtsp://admin:"+password+"@192.0.2.7/user=a&password="+password+"/1?pwd="+password),
		Password: NewSecret(password),
	}}}
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%10.3s"} {
		for _, value := range []any{c, *c, c.Cameras, c.Cameras[0], c.Cameras[0].Password, &c.Cameras[0].Password, c.Cameras[0].URL, &c.Cameras[0].URL} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
	}
	for _, format := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(format(&b)).Info("x", "config", c, "camera", c.Cameras[0], "secret", c.Cameras[0].Password, "url", c.Cameras[0].URL)
		printed.Write(b.Bytes())
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		b, err := marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(b)
	}
	for _, leak := range []string{password, "hunter2", fmt.Sprintf("%x", password)[:14], fmt.Sprintf("%X", password)[:14]} {
		if strings.Contains(printed.String(), leak) {
			t.Errorf("printed %q:\n%s", leak, printed.String())
		}
	}
	if got := c.Cameras[0].Password.Reveal(); got != password {
		t.Errorf("Reveal gives %q", got)
	}
}

func TestAddress_KeepsUserInformationApart(t *testing.T) {
	u := mustAddress(t, "rtsp://admin:p%40ss@192.0.2.7:8554/live?ch=1")
	got := []string{u.Target(), u.Scheme(), u.Host(), u.Username(), u.Password().Reveal(), u.String()}
	want := []string{"rtsp://192.0.2.7:8554/live?ch=1", "rtsp", "192.0.2.7:8554", "admin", "p@ss", "rtsp://192.0.2.7:8554/live?…"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAddress_RefusalsDoNotQuoteThePassword(t *testing.T) {
	for _, text := range []string{
		"", "rtsp://", "http://admin:hunter2@h/", "rtsp:hunter2", "admin:hunter2@h", "rtsp://admin:hunter2#1@h/", "rtsp://admin:hun/ter2@h/",
		"rtsp://admin:hunter2%zz@h/", "rtsp://admin:hunter2@h:port/", "rtsp://h/#", "rtsp://h/" + strings.Repeat("hunter2", 400), "hunter2://h/",
	} {
		_, err := ParseAddress(text)
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ter2") {
			t.Errorf("%q: the error quotes it: %v", text, err)
		}
	}
}

func TestParse_BrokenFilesDoNotQuoteThePassword(t *testing.T) {
	const line = "rtsp://admin:hunter2@192.0.2.7/"
	for _, text := range []string{
		"cameras:\n - url: \"" + line + "\n", "cameras:\n - url: [" + line + "\n", "cameras:\n\t- url: " + line, "cameras:\n - url: " + line + "\n   - x",
		"cameras:\n - url: {" + line + ": " + line, "cameras:\n - url: |" + line + "\n  x", line + "\n" + line + ": a: b", "cameras:\n - url: @" + line,
		"cameras:\n - url: >hunter2\n   x\n", "cameras: " + line, "cameras:\n - " + line, "cameras:\n - url: [" + line + "]", "cameras:\n - url: *hunter2",
	} {
		_, err := Parse([]byte(text))
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error quotes it: %v", text, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("rtsp://admin:pw@192.0.2.7:554/stream1?x=y")
	f.Add("rtsps://[2001:db8::1]:322/a%20b;c=d")
	f.Add("/dev//v4l/../video0")
	f.Add("V4L2: HD Webcam ")
	f.Add("v4l2:///dev/video0")
	f.Add("/ /")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseAddress(text)
		if err != nil {
			return
		}
		again, err := ParseAddress(u.Target())
		if err != nil {
			t.Fatalf("the target of an accepted address is refused: %v", err)
		}
		if again.Target() != u.Target() || again.Username() != "" || !again.Password().IsZero() {
			t.Fatalf("the target changes: %q", u.Target())
		}
	})
}
