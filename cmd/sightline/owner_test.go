package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sightline runs the program to its end and returns what it says on stdout.
func sightline(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sightline", args...)
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sightline %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// watch opens a link with a secret for a moment; there need be no picture.
func watch(t *testing.T, link, state string) {
	t.Helper()
	text, _ := exec.CommandContext(t.Context(), "sightline", "view", link, "--state-dir", state, "--duration", "1s", "-o", os.DevNull).CombinedOutput()
	if !strings.Contains(string(text), "this device is now known") {
		t.Fatalf("view: %s", text)
	}
}

// accessOf is what access list --json says that a disk must not lose.
type accessOf struct {
	Publisher string
	Owners    []struct{ ID, Name, Device string }
	Invites   []struct{ JTI, Name string }
	Grants    []struct {
		JTI, Peer, Name string
		Revoked         bool
	}
}

func accessIn(t *testing.T, state string) (a accessOf) {
	t.Helper()
	if err := json.Unmarshal([]byte(sightline(t, "", "access", "list", "--json", "--state-dir", state)), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestOwner_SurvivesTheDisk pairs, shares, backs up while the agent runs, loses
// the disk, and restores: the same device with the same people.
func TestOwner_SurvivesTheDisk(t *testing.T) {
	dir := t.TempDir()
	state, copied := filepath.Join(dir, "state"), filepath.Join(dir, "copy.age")
	camera := []string{"camera", "--state-dir", state, "--listen", "127.0.0.1:0", "rtsp://127.0.0.1:1/s"}
	p := launch(t, "", nil, camera...)
	link := strings.TrimSpace(sightline(t, "", "pair", "--state-dir", state))
	if !regexp.MustCompile(`^http://[0-9.:]+/#peer=[a-z2-7]{52}&pair=[\w-]{22}$`).MatchString(link) {
		t.Fatalf("the link is %q", link)
	}
	watch(t, link, filepath.Join(dir, "anna"))
	invite := strings.TrimSpace(sightline(t, "", "grant", "--name", "Bob", "--for", "30d", "--state-dir", state))
	watch(t, invite, filepath.Join(dir, "bob"))
	sightline(t, "", "grant", "--name", "Eve", "--state-dir", state)
	before := accessIn(t, state)
	if len(before.Owners) != 1 || len(before.Grants) != 1 || before.Grants[0].Name != "Bob" || len(before.Invites) != 1 || before.Invites[0].Name != "Eve" {
		t.Fatalf("%+v", before)
	}
	if id := strings.TrimSpace(sightline(t, "", "id", "--viewer", "--state-dir", filepath.Join(dir, "anna"))); before.Owners[0].ID != id {
		t.Errorf("the owner is %s, and she is %s", before.Owners[0].ID, id)
	}
	sightline(t, "correct horse battery staple\n", "backup", "-o", copied, "--passphrase-stdin", "--state-dir", state)
	restore := exec.CommandContext(t.Context(), "sightline", "restore", copied, "--passphrase-stdin", "--force", "--state-dir", state)
	if text, err := restore.CombinedOutput(); err == nil || !strings.Contains(string(text), "an agent runs with the state folder") {
		t.Errorf("restored under a running agent: %v %s", err, text)
	}
	p.stop(t, syscall.SIGTERM)
	if err := os.RemoveAll(state); err != nil {
		t.Fatal(err)
	}

	said := sightline(t, "correct horse battery staple\n", "restore", copied, "--passphrase-stdin", "--state-dir", state)
	if !strings.Contains(said, before.Publisher) {
		t.Errorf("it says %s", said)
	}
	p = launch(t, "", nil, camera...)
	if d := cmp.Diff(before, accessIn(t, state)); d != "" {
		t.Errorf("after the restore: %s", d)
	}
	if text := sightline(t, "", "access", "log", "--verify", "--state-dir", state); !strings.Contains(text, "The log is whole") {
		t.Errorf("the log: %s", text)
	}
	again := exec.CommandContext(t.Context(), "sightline", "pair", "--state-dir", state)
	if text, err := again.CombinedOutput(); err == nil || !strings.Contains(strings.ToLower(string(text)), "owner") {
		t.Errorf("paired twice: %v %s", err, text)
	}
	sightline(t, "", "access", "revoke", "Bob", "--state-dir", state)
	if after := accessIn(t, state); !after.Grants[0].Revoked {
		t.Errorf("Bob is not revoked: %+v", after)
	}
	url := sightline(t, "", "token", "cam1", "--state-dir", state)
	if !strings.HasPrefix(url, "URL: "+p.base+"/whep/cam1\nToken: ") {
		t.Errorf("the token: %s", url)
	}
	p.stop(t, syscall.SIGTERM)
	if shown := p.output.String(); strings.Contains(shown, "pair=") || strings.Contains(shown, "invite=") {
		t.Errorf("a secret is in the log:\n%s", shown)
	}
}
