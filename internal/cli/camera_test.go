package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/config"
)

func TestCamera_FlagsTakePrecedenceOverTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "sightline.yaml")
	text := "listen: 127.0.0.1:1\nudp: 127.0.0.1:2\ncameras:\n  - name: From file\n    url: rtsp://192.0.2.1/s\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Camera{Config: file, URL: []string{"rtsp://192.0.2.2/s"}, Sub: []string{"rtsp://192.0.2.2/2"}, Name: []string{"Front Door"}}
	c.Address.Listen, c.Address.StateDir, c.Viewers.Open = "127.0.0.1:3", dir, true
	cfg, _, err := c.settings(nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "127.0.0.1:3" || cfg.UDP != "127.0.0.1:2" || !cfg.Open || len(cfg.Cameras) != 2 {
		t.Errorf("%+v", cfg)
	}
	if got := cfg.Cameras[1]; got.ID != "front-door" || got.Name != "Front Door" || got.Sub.IsZero() {
		t.Errorf("%+v", got)
	}
}

func TestCamera_PasswordComesFromWhereItWasSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MY_PASSWORD", "from-named")
	t.Setenv(passwordVariable, "from-variable")
	tests := map[string]struct {
		change func(*Camera)
		want   string
	}{
		"file":     {func(c *Camera) { c.Login.PasswordFile = file }, "from-file"},
		"named":    {func(c *Camera) { c.Login.PasswordEnv = "MY_PASSWORD" }, "from-named"},
		"stdin":    {func(c *Camera) { c.password = config.NewSecret("from-stdin") }, "from-stdin"},
		"variable": {func(*Camera) {}, "from-variable"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := Camera{URL: []string{"rtsp://admin@192.0.2.1/s"}}
			c.Address.StateDir, c.Viewers.Open = t.TempDir(), true
			tt.change(&c)
			cfg, _, err := c.settings(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Cameras[0]; got.Password.Reveal() != tt.want || got.Username != "admin" {
				t.Errorf("got %q of %q", got.Password.Reveal(), got.Username)
			}
		})
	}
}

func TestReadPassword_TakesOneLine(t *testing.T) {
	for text, want := range map[string]string{"pw\n": "pw", "pw": "pw", "pw\r\nmore": "pw", " p w \n": " p w "} {
		if got, err := readPassword(strings.NewReader(text)); err != nil || got.Reveal() != want {
			t.Errorf("%q: %q, %v", text, got.Reveal(), err)
		}
	}
	for _, text := range []string{"", "\n", strings.Repeat("x", maxPassword+1)} {
		if _, err := readPassword(strings.NewReader(text)); err == nil {
			t.Errorf("%.20q was taken", text)
		}
	}
}
