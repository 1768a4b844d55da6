package rtsp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

const (
	secretInURL = "s3cr%40t!%2Fx"
	secret      = "s3cr@t!/x"
)

// leaks reports whether any form of the password is in a text.
func leaks(text string) bool {
	for _, s := range []string{
		secret, secretInURL, "s3cr", "s3cr%40t%21%2Fx", "s3cr%40t!/x",
		base64.StdEncoding.EncodeToString([]byte("someone:" + secret)),
	} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// chain returns the texts of an error and of all that it wraps.
func chain(err error) string {
	var b strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&b, "%v %+v %#v\n", err, err, err)
	}
	return b.String()
}

func TestSource_PasswordIsNeitherLoggedNorReturned(t *testing.T) {
	t.Parallel()
	// A camera that repeats in its answers what it was told.
	echo := rtspcam.StartListener(t, func(conn net.Conn) {
		request := make([]byte, 4096)
		n, _ := conn.Read(request)
		_, _ = fmt.Fprintf(conn, "RTSP/1.0 500 %s rtsp://someone:%s@host/ %s\r\nCSeq: 1\r\n\r\n",
			strings.Fields(string(request[:n]))[1], secretInURL, secret)
	})
	urls := map[string]string{
		"nothing listens": unheard(t),
		"silent":          rtspcam.StartListener(t, rtspcam.Silent),
		"garbage":         rtspcam.StartListener(t, rtspcam.Garbage),
		"echo":            echo,
		"unauthorized":    (&rtspcam.Fake{Status: map[string]string{"DESCRIBE": "401 Unauthorized"}}).Start(t),
		"not found":       (&rtspcam.Fake{Status: map[string]string{"DESCRIBE": "404 Not Found"}}).Start(t),
		"no transport":    (&rtspcam.Fake{NoTCP: true, NoUDP: true}).Start(t),
		"broken SDP":      (&rtspcam.Fake{SDP: "m=video\r\n"}).Start(t),
		"MJPEG":           (&rtspcam.Fake{SDP: "m=video 0 RTP/AVP 26\r\n"}).Start(t),
		"bad name":        "rtsp://camera.invalid/stream?password=" + secretInURL,
		"bad redirect":    redirect(t),
		"plays":           (&rtspcam.Fake{Play: plays(pictures(5))}).Start(t),
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out log
			with := strings.Replace(url, "://", "://someone:"+secretInURL+"@", 1)
			src := newSource(t, rtsp.Options{URL: with, Logger: out.logger(), SetupTimeout: 500 * time.Millisecond, SilenceTimeout: 200 * time.Millisecond, ReadTimeout: 500 * time.Millisecond})
			s := camera.NewSupervisor(src, &collector{}, camera.SupervisorOptions{Logger: out.logger()})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_ = s.Run(ctx)
			ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := src.Run(ctx, &collector{})
			status := s.Status()
			for what, text := range map[string]string{
				"log": out.String(), "error": chain(err), "status": fmt.Sprintf("%+v", status), "address": src.String(),
			} {
				if leaks(text) {
					t.Errorf("the password is in the %s:\n%s", what, text)
				}
			}
			if !strings.Contains(src.String(), "rtsp://") || strings.Contains(src.String(), "someone") {
				t.Errorf("address %q, want it without the user", src)
			}
		})
	}
}

// redirect is a camera that redirects to an address with a password in it.
func redirect(t *testing.T) string {
	return rtspcam.StartListener(t, func(conn net.Conn) {
		request := make([]byte, 4096)
		for i := 1; ; i++ {
			if _, err := conn.Read(request); err != nil {
				return
			}
			status := "200 OK\r\nPublic: DESCRIBE"
			if i == 2 {
				status = "302 Moved\r\nLocation: ftp://someone:" + secretInURL + "@%zz/"
			}
			_, _ = fmt.Fprintf(conn, "RTSP/1.0 %s\r\nCSeq: %d\r\n\r\n", status, i)
		}
	})
}

func TestNew_ErrorsDoNotRepeatTheURL(t *testing.T) {
	for _, url := range []string{
		"rtsp://someone:" + secretInURL + "%zz@host/", "http://someone:" + secretInURL + "@host/",
		"someone:" + secretInURL + "@host", "rtsp://someone:" + secretInURL + "@", "rtsp://someone:" + secretInURL + "@host:port/",
		"rtsp://someone:" + secretInURL + "@host/#fragment", "rtsp://someone:pa#" + secretInURL + "@host/",
	} {
		_, err := rtsp.New(rtsp.Options{URL: url})
		if err == nil {
			t.Errorf("%s: no error", url)
		}
		if leaks(chain(err)) {
			t.Errorf("%s: the error has the password: %v", url, err)
		}
	}
	for name, o := range map[string]rtsp.Options{
		"transport":   {URL: "rtsp://host/", Transport: "carrier pigeon"},
		"fingerprint": {URL: "rtsp://host/", Fingerprint: "12:34"},
	} {
		if _, err := rtsp.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSource_AddressIsShownWithoutCredentialsInPathAndQuery(t *testing.T) {
	for url, want := range map[string]string{
		"rtsp://u:" + secretInURL + "@cam:8554/live?user=admin&password=hunter2&channel=1": "rtsp://cam:8554/live?…",
		"rtsp://192.0.2.7/user=admin_password=hunter2_channel=1_stream=0.sdp":              "rtsp://192.0.2.7/user=xxxxx_password=xxxxx_channel=1_stream=0.sdp",
		"rtsp://[2001:db8::7]/stream1": "rtsp://[2001:db8::7]/stream1",
	} {
		if got := newSource(t, rtsp.Options{URL: url}).String(); got != want {
			t.Errorf("%s is shown as %s, want %s", url, got, want)
		}
	}
}
