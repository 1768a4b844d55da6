package rtspcam

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

//go:embed camera.py
var cameraScript string

// The account of protected streams. The password needs escaping in a URL.
const (
	User     = "cam"
	Password = "s3cr@t!"
)

// Access is how a GStreamer camera is protected.
type Access string

// The kinds of protection. TLS has Digest authentication inside.
const (
	Open   Access = "none"
	Basic  Access = "basic"
	Digest Access = "digest"
	TLS    Access = "tls"
)

// GStreamer is a process with GStreamer's RTSP servers, one per Access. Every
// server has the streams /baseline and /pcmu; the open one has all that
// camera.py lists in MOUNTS.
type GStreamer struct {
	// Fingerprint is the SHA-256 of the self-signed certificate, in hexadecimal.
	Fingerprint string
	ports       map[Access]int
}

// patience is how long a program may take to start, on a machine that has other things
// to do.
const patience = 2 * time.Minute

// StartGStreamer starts the servers. It skips the test when GStreamer's RTSP
// server or its Python binding is not installed. They end with the test.
func StartGStreamer(tb testing.TB) *GStreamer {
	tb.Helper()
	python := findPython(tb)
	pem := filepath.Join(tb.TempDir(), "camera.pem")
	fingerprint := writeCertificate(tb, pem)

	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, python, "-c", cameraScript, User, Password, pem)
	cmd.WaitDelay = 5 * time.Second
	stdin, err := cmd.StdinPipe() // its end ends the process
	if err != nil {
		cancel()
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		tb.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		cancel()
		tb.Fatalf("start the GStreamer cameras: %v", err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close()
		cancel()
		_ = cmd.Wait()
		if tb.Failed() {
			tb.Logf("GStreamer's messages:\n%s", stderr.String())
		}
	})
	g := &GStreamer{Fingerprint: fingerprint}
	giveUp := time.AfterFunc(patience, cancel)
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	giveUp.Stop()
	if err == nil {
		err = json.Unmarshal(line, &g.ports)
	}
	if err != nil {
		tb.Fatalf("the GStreamer cameras did not start: %v", err)
	}
	return g
}

// findPython returns a Python that has GStreamer's RTSP server.
func findPython(tb testing.TB) string {
	tb.Helper()
	const probe = `import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GstRtspServer, Gst
Gst.init(None)
for name in ("x264enc", "x265enc", "jpegenc", "mulawenc", "alawenc", "opusenc", "voaacenc", "rtph265pay"):
    assert Gst.ElementFactory.find(name), name`
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := exec.CommandContext(ctx, python, "-c", probe).Run()
		cancel()
		if err == nil {
			return python
		}
	}
	missing(tb, "GStreamer's RTSP server for Python is not installed (python3-gst-1.0 gir1.2-gst-rtsp-server-1.0 "+
		"gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-rtsp)")
	return ""
}

// URL returns the address of a stream without credentials.
func (g *GStreamer) URL(a Access, stream string) string {
	u := url.URL{Scheme: "rtsp", Host: g.Addr(a), Path: "/" + stream}
	if a == TLS {
		u.Scheme = "rtsps"
	}
	return u.String()
}

// URLWithPassword returns the address of a stream with User and Password in it.
func (g *GStreamer) URLWithPassword(a Access, stream string) string {
	u, err := url.Parse(g.URL(a, stream))
	if err != nil {
		panic(fmt.Sprintf("rtspcam made a bad URL: %v", err))
	}
	return fmt.Sprintf("%s://%s:%s@%s%s", u.Scheme, User, url.QueryEscape(Password), u.Host, u.Path)
}

// Addr returns host and port of a server.
func (g *GStreamer) Addr(a Access) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(g.ports[a]))
}
