package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// home is a signaling service and an agent that lets in whom its owner lets in.
type home struct {
	*site
	camera string // address of the RTSP camera
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{
		site:   &site{stateDir: filepath.Join(t.TempDir(), "state")},
		camera: rtspcam.StartGStreamer(t).URL(rtspcam.Open, "baseline"),
	}
	h.startSignal(t)
	h.startAgent(t)
	return h
}

func (h *home) startAgent(t *testing.T) {
	t.Helper()
	h.agent = start(t, binary(t), "camera", "--state-dir", h.stateDir, "--listen", anyPort,
		"--signal", "ws://"+h.signalAddr, "--name", "cam", h.camera)
	h.link = h.agent.waitFor(t, `http://`+regexp.QuoteMeta(h.signalAddr)+`\S*`, startTimeout)[0]
}

// run runs a command of the program on this home's state folder to its end.
func (h *home) run(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := h.try(t, stdin, args...)
	if err != nil {
		t.Fatalf("sightline %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (h *home) try(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	cmd.Env = append(os.Environ(), "SIGHTLINE_STATE_DIR="+h.stateDir)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// linkIn finds the link with a secret that a command printed.
func linkIn(t *testing.T, text string) string {
	t.Helper()
	m := regexp.MustCompile(`https?://\S+#peer=\S+&(pair|invite)=\S+`).FindString(text)
	if m == "" {
		t.Fatalf("no link in:\n%s", text)
	}
	return m
}

// accept opens a link with a secret and says yes.
func accept(b *browser, profile, link, name string) *page {
	b.t.Helper()
	p := b.open(profile, link, pageOptions{Profile: profile})
	p.text("pair-accept", liveTimeout)
	var hash string
	if p.eval("location.hash", &hash); strings.Contains(hash, "pair=") || strings.Contains(hash, "invite=") {
		b.t.Errorf("the secret is still in the address bar of %s", profile)
	}
	p.fill("pair-name", name)
	p.click("pair-accept")
	return p
}

// An owner pairs, shares with a guest, takes it back; a backup brings all of it
// to a new disk, and a browser whose data was cleared is a stranger who is told
// so.
func TestTrust_PairShareRevokeAndRestore(t *testing.T) {
	t.Parallel()
	b := launch(t)
	h := newHome(t)
	stranger := b.open("stranger", h.link, pageOptions{})
	stranger.waitState("forbidden", liveTimeout)
	stranger.close()

	anna := accept(b, "anna", linkIn(t, h.run(t, "", "pair")), "Anna")
	anna.waitState("live", liveTimeout)
	anna.waitFrames(25, liveTimeout)
	if out, err := h.try(t, "", "pair"); err == nil || !strings.Contains(out, "Anna") {
		t.Errorf("pairing a device that has an owner: %v\n%s", err, out)
	}

	anna.click("share-open")
	anna.fill("share-name", "Bob")
	t.Logf("see %s", anna.screenshot("share"))
	anna.click("share-create")
	var invite string
	anna.wait("(e2e.all('[data-testid=share-link]')[0]?.value ?? e2e.all('[data-testid=share-link]')[0]?.textContent)", liveTimeout, &invite)
	bob := accept(b, "bob", linkIn(t, invite), "Bob")
	bob.waitState("live", liveTimeout)
	bob.waitFrames(25, liveTimeout)

	carol := accept(b, "carol", linkIn(t, invite), "Carol")
	carol.wait("e2e.text().includes('already')", liveTimeout, nil)
	t.Logf("see %s", carol.screenshot("invite-used"))
	carol.close()

	anna.click("share-done")
	anna.click("access-open")
	anna.wait("e2e.all('[data-testid=access-person]').some((p) => p.textContent.includes('Bob'))", liveTimeout, nil)
	t.Logf("see %s", anna.screenshot("access"))
	anna.click("access-revoke")
	anna.click("access-revoke-confirm")
	start := time.Now()
	bob.waitState("forbidden", liveTimeout)
	t.Logf("cut off after %v", time.Since(start).Round(100*time.Millisecond))
	for _, who := range []string{"Anna", "Bob"} {
		if log := h.run(t, "", "access", "log"); !strings.Contains(log, who) {
			t.Errorf("%s is not in the access log:\n%s", who, log)
		}
	}

	h.restore(t)
	anna.waitState("live", recoverTimeout)
	anna.waitFrames(25, liveTimeout)
	bob.waitState("forbidden", recoverTimeout)

	anna.forget()
	anna.waitState("forbidden", liveTimeout)
	t.Logf("see %s", anna.screenshot("site-data-cleared"))
}

// restore makes a backup, loses the disk, and starts the agent from the backup.
func (h *home) restore(t *testing.T) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "home.age")
	h.run(t, "correct horse battery staple\n", "backup", "-o", file, "--passphrase-stdin")
	h.agent.kill(t)
	if err := os.RemoveAll(h.stateDir); err != nil {
		t.Fatal(err)
	}
	if out, err := h.try(t, "wrong\n", "restore", file, "--passphrase-stdin"); err == nil {
		t.Errorf("restored with a wrong passphrase:\n%s", out)
	}
	h.run(t, "correct horse battery staple\n", "restore", file, "--passphrase-stdin")
	link := h.link
	h.startAgent(t)
	if h.link != link {
		t.Errorf("after the restore the link is %s, not %s", h.link, link)
	}
}

// A revocation ends a guest's session at a second device, and reaches one that
// was off as soon as an owner's page can.
func TestTrust_ARevocationReachesEveryDevice(t *testing.T) {
	t.Parallel()
	b := launch(t)
	front := newHome(t)
	back := &home{
		site:   &site{signalAddr: front.signalAddr, stateDir: filepath.Join(t.TempDir(), "state")},
		camera: front.camera,
	}
	back.startAgent(t)

	anna := accept(b, "anna", linkIn(t, front.run(t, "", "pair")), "Anna")
	anna.waitState("live", liveTimeout)
	annaBack := b.open("anna-back", linkIn(t, back.run(t, "", "pair")), pageOptions{Profile: "anna"})
	annaBack.text("pair-accept", liveTimeout)
	annaBack.click("pair-accept")
	annaBack.waitState("live", liveTimeout)

	bob := accept(b, "bob", linkIn(t, invite(t, anna, "Bob")), "Bob")
	bob.waitState("live", liveTimeout)
	bobBack := b.open("bob-back", back.link, pageOptions{Profile: "bob"})
	bobBack.waitState("live", recoverTimeout)

	invite2 := invite(t, anna, "Carol")
	carol := accept(b, "carol", linkIn(t, invite2), "Carol")
	carol.waitState("live", liveTimeout)

	anna.revoke("Bob")
	start := time.Now()
	bobBack.waitState("forbidden", recoverTimeout)
	t.Logf("cut off at the second device after %v", time.Since(start).Round(100*time.Millisecond))
	bob.waitState("forbidden", liveTimeout)

	back.agent.kill(t)
	annaBack.close()
	anna.revoke("Carol")
	anna.click("access-tab-devices")
	anna.wait("e2e.all('[data-testid=access-device]').some((d) => d.textContent.includes('not reached yet'))", liveTimeout, nil)
	t.Logf("see %s", anna.screenshot("not-reached"))
	back.startAgent(t)
	anna.click("access-replicate")
	anna.wait("e2e.all('[data-testid=access-device]').every((d) => d.textContent.includes('up to date'))", recoverTimeout, nil)
	carolBack := b.open("carol-back", back.link, pageOptions{Profile: "carol"})
	carolBack.waitState("forbidden", liveTimeout)
}

// invite makes a link for a guest of the whole home.
func invite(t *testing.T, owner *page, name string) string {
	t.Helper()
	owner.click("share-open")
	owner.fill("share-name", name)
	owner.click("share-create")
	var link string
	owner.wait("e2e.all('[data-testid=share-link]')[0]?.value", liveTimeout, &link)
	owner.click("share-done")
	return link
}

// revoke takes a guest's access back and leaves the dialog open.
func (p *page) revoke(name string) {
	p.b.t.Helper()
	p.eval("document.querySelector('dialog[open]')?.close()", nil)
	p.click("access-open")
	row := "[data-testid=access-person]:has-text('" + name + "')"
	p.b.do("click", map[string]any{"page": p.name, "selector": row + " [data-testid=access-revoke]"}, recoverTimeout)
	p.click("access-revoke-confirm")
	p.wait("e2e.all('[data-testid=access-done]').length > 0", liveTimeout, nil)
}

// A person's second device, or the same browser at another address, is an owner
// of its own key beside the first, and either can do without the other.
func TestTrust_ASecondDeviceIsTheSamePerson(t *testing.T) {
	t.Parallel()
	b := launch(t)
	h := newHome(t)
	laptop := accept(b, "laptop", linkIn(t, h.run(t, "", "pair")), "Anna")
	laptop.waitState("live", liveTimeout)
	laptop.click("share-open")
	laptop.click("share-owner")
	laptop.fill("share-name", "Anna")
	laptop.click("share-create")
	var link string
	laptop.wait("e2e.all('[data-testid=share-link]')[0]?.value", liveTimeout, &link)
	phone := accept(b, "phone", linkIn(t, link), "Anna")
	phone.waitState("live", liveTimeout)
	phone.click("access-open")
	phone.wait("e2e.all('[data-testid=access-owner]').filter((o) => o.textContent.includes('Anna')).length === 2", liveTimeout, nil)
	t.Logf("see %s", phone.screenshot("two-devices"))

	// The laptop's data is lost; the phone lets a new key in, without the device.
	laptop.forget()
	laptop.waitState("forbidden", liveTimeout)
	phone.eval("document.querySelector('dialog[open]').close()", nil)
	again := accept(b, "laptop-again", linkIn(t, invite(t, phone, "Anna")), "Anna")
	again.waitState("live", liveTimeout)
}
