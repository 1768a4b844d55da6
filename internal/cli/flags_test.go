package cli

import (
	"errors"
	"flag"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parseCamera(t *testing.T, args ...string) (Camera, error) {
	t.Helper()
	var c Camera
	f, err := NewFlags("test", &c)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Parse(args)
	return c, err
}

func TestFlags_MixWithArguments(t *testing.T) {
	var c Camera
	f, err := NewFlags("test", &c)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--open", "rtsp://a", "--name", "Front, left", "--name=b", "rtsp://b", "--", "--rtsp"}
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"rtsp://a", "rtsp://b", "--rtsp"}, c.URL); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"Front, left", "b"}, c.Name); d != "" || !c.Viewers.Open {
		t.Error(d, c.Viewers)
	}
}

func TestFlags_EnvironmentGivesWhatTheCommandLineDoesNot(t *testing.T) {
	t.Setenv("SIGHTLINE_LISTEN", "127.0.0.1:1")
	t.Setenv("SIGHTLINE_UDP", "127.0.0.1:2")
	t.Setenv("SIGHTLINE_OPEN", "true")
	t.Setenv("SIGHTLINE_NAME", "env")
	t.Setenv("SIGHTLINE_PASSWORD", "s3cret") // a password, not the flag
	var c Camera
	f, err := NewFlags("test", &c)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Parse([]string{"--listen", "127.0.0.1:3", "--name", "a", "--name", "b"}); err != nil {
		t.Fatal(err)
	}
	if c.Address.Listen != "127.0.0.1:3" || c.Address.UDP != "127.0.0.1:2" || !c.Viewers.Open || c.Login.Password {
		t.Errorf("%+v", c)
	}
	if d := cmp.Diff([]string{"a", "b"}, c.Name); d != "" {
		t.Error(d)
	}
}

func TestFlags_MistakesAreErrors(t *testing.T) {
	for _, args := range [][]string{{"--nonsense"}, {"--listen"}, {"--open=perhaps"}, {"--password=s3cret"}} {
		_, err := parseCamera(t, args...)
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := parseCamera(t, "--help"); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	t.Setenv("SIGHTLINE_OPEN", "s3cret")
	if _, err := parseCamera(t); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Error(err)
	}
}

func TestFlags_TakeArgumentsInOrder(t *testing.T) {
	var c struct {
		First  string   `arg:""`
		Second string   `arg:""`
		Rest   []string `arg:"" optional:""`
		Flag   bool
	}
	parse := func(args ...string) error {
		f, err := NewFlags("test", &c)
		if err != nil {
			t.Fatal(err)
		}
		return f.Parse(args)
	}
	if err := parse("a", "--flag", "b", "c", "d"); err != nil || c.First != "a" || c.Second != "b" || len(c.Rest) != 2 || !c.Flag {
		t.Errorf("%+v %v", c, err)
	}
	if err := parse("a"); err == nil || !strings.Contains(err.Error(), "1 arguments too few") {
		t.Errorf("got %v", err)
	}
}
