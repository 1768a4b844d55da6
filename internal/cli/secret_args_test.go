package cli

import (
	"slices"
	"strings"
	"testing"
)

func TestShownArg_HidesPasswordsAndNothingElse(t *testing.T) {
	for arg, want := range map[string]string{
		"rtsp://192.0.2.7/stream1":                  "rtsp://192.0.2.7/stream1",
		"rtsp://admin@192.0.2.7/stream1":            "rtsp://admin@192.0.2.7/stream1",
		"rtsp://admin:pw@192.0.2.7/stream1":         "rtsp://admin:[redacted]@192.0.2.7/stream1",
		"RTSPS://admin:pw@h":                        "RTSPS://admin:[redacted]@h",
		"rtsp://admin:p@ss/w:rd@h/s":                "rtsp://admin:[redacted]@h/s",
		"--sub=rtsp://a:pw@h/2":                     "--sub=rtsp://a:[redacted]@h/2",
		"rtsp://h/user=admin_password=pw_channel=1": "rtsp://h/user=admin_password=[redacted]",
		"rtsp://h/s?user=a&pwd=pw&x=1":              "rtsp://h/s?user=a&pwd=[redacted]&x=1",
		"https://h/#peer=abc&pair=c2VjcmV0":         "https://h/#peer=abc&pair=[redacted]",
		"https://h/#invite=jti.c2VjcmV0&peer=abc":   "https://h/#invite=[redacted]&peer=abc",
		"--name": "--name",
	} {
		if got := shownArg(arg); got != want {
			t.Errorf("%s: got %s, want %s", arg, got, want)
		}
	}
}

func TestSecretsIn_FindsThemAsWrittenAndAsMeant(t *testing.T) {
	got := secretsIn([]string{"sightline", "rtsp://a:s3cret%21@h/s?password=other", "rtsp://b@h", "--x"})
	if want := []string{"s3cret%21", "s3cret!", "other"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if text := redact("no s3cret! here, nor s3cret%21", got); strings.Contains(text, "s3cret") {
		t.Error(text)
	}
}

func FuzzShownArg_LeavesNoSecret(f *testing.F) {
	f.Add("admin", "pw")
	f.Add("a", "p@ss/w:rd")
	f.Fuzz(func(t *testing.T, user, password string) {
		if len(password) < 8 || strings.ContainsAny(user, ":\n") || strings.Contains(password, "\n") {
			return
		}
		shown := shownArg("rtsp://" + user + ":" + password + "@192.0.2.7/s")
		if !strings.Contains(user, password) && strings.Contains(shown, password) {
			t.Errorf("%q shows in %q", password, shown)
		}
	})
}
