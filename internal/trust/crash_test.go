package trust

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// everyFile makes a home that has something in each of its files, and says who
// may come in and who may not.
func everyFile(t testing.TB) (h *home, in, out map[*identity.Identity]string) {
	h = paired(t, t.TempDir())
	guest, revoked, here, second, stranger := newPeer(t), newPeer(t), newPeer(t), newPeer(t), newPeer(t)
	h.put(revoke(access.RevokedPeer, string(revoked.PeerID())))
	g := h.grant(guest, live())
	h.as(guest, g)
	if _, err := h.RevokeHere(string(here.PeerID())); err != nil {
		t.Fatal(err)
	}
	jti, secret := h.invite(h.owner, access.InviteRequest{Owner: true})
	if _, err := h.claimInvite(second, jti, secret); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.ConsoleInvite(live(), "x", 0); err != nil {
		t.Fatal(err)
	}
	in = map[*identity.Identity]string{h.owner: "", guest: g}
	out = map[*identity.Identity]string{
		revoked: h.grant(revoked, live()), here: h.grant(here, live()), stranger: h.grantBy(stranger, stranger, live()),
	}
	return h, in, out
}

func TestOpen_FilesCutAtAnyByteLetNobodyIn(t *testing.T) {
	h, in, out := everyFile(t)
	var guestFile string
	for peer := range h.state.Load().holders {
		guestFile = holderName(peer)
	}
	decode := map[string]func([]byte) error{
		ownersName: func(data []byte) error { _, err := decodeOwners(data, &state{}); return err },
		claimsName: func(data []byte) error { _, err := decodeClaims(data, &state{}); return err },
		clockName:  func(data []byte) error { _, _, err := decodeClock(data); return err },
		guestFile:  func(data []byte) error { _, _, err := decodeHolder(data, ""); return err },
	}
	for name := range decode {
		path := filepath.Join(h.dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(whole) - 1 { // the last byte is a newline
			if err := decode[name](whole[:n]); err == nil {
				t.Fatalf("%s cut at %d is read", name, n)
			}
			if n%7 != 0 && n < len(whole)-10 {
				continue // opening takes longer
			}
			if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			opened, err := Open(h.options)
			if name == ownersName {
				if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
					t.Fatalf("%s cut at %d: %v", name, n, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
			if _, err := os.Stat(path + ".damaged"); err != nil {
				t.Fatalf("%s cut at %d was not put aside: %v", name, n, err)
			}
			if n%49 == 0 {
				h.Trust = opened
				for id, grant := range in {
					h.as(id, grant)
				}
				for id, grant := range out {
					if _, err := h.Authorize(id.PeerID(), []string{grant}); err == nil {
						t.Fatalf("%s cut at %d lets somebody in", name, n)
					}
				}
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.restart()
	if s := h.State(); len(s.Pending) != 1 || len(s.Invites) != 1 || len(s.Grants) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestOpen_ADamagedFileOfOwnersStays(t *testing.T) {
	h, _, _ := everyFile(t)
	path := filepath.Join(h.dir, ownersName)
	for _, text := range []string{
		"", "x", "{}", "null", "[]", `{"format":1}`, `{"format":2,"epoch":"AAAAAAAAAAAAAAAAAAAAAA","new":true}`,
		`{"format":1,"epoch":"AAAAAAAAAAAAAAAAAAAAAA","lists":null,"root":{"id":"","name":"","device":""}}`,
		`{"format":1,"epoch":"AAAAAAAAAAAAAAAAAAAAAA","lists":{},"root":{"id":"","name":"","device":""},"revoked":[]}`,
		`{"format":1,"epoch":"AAAAAAAAAAAAAAAAAAAAAA","lists":null,"root":{"id":"","name":"","device":""},"revoked":[{"kind":"x","id":"","exp":0,"time":0}]}`,
		`{"format":1,"epoch":"AAAAAAAAAAAAAAAAAAAAAA","lists":null,"root":{"id":"","name":"","device":""},"revoked":[],"more":1}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(h.options); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%q: %v", text, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("it was changed to %q, %v", got, err)
		}
	}
	// Moved away, the device has no owner, and nobody of before comes in.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	h.restart()
	h.refused(check.Allowed, h.owner)
	if s := h.State(); h.Owned() || len(s.Pending)+len(s.Invites)+len(s.Grants) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestOpen_ModesAndLeftovers(t *testing.T) {
	h, _, _ := everyFile(t)
	leftovers := []string{".owners.json.new-1", grantsDir + "/.x.json.new-2"}
	for _, name := range leftovers {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.restart()
	for _, name := range leftovers {
		if _, err := os.Stat(filepath.Join(h.dir, name)); err == nil {
			t.Errorf("%s is left", name)
		}
	}
	err := filepath.WalkDir(h.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; path != h.dir && info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, name := range []string{ownersName, claimsName} {
		path := filepath.Join(h.dir, name)
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(h.options); !errors.Is(err, ErrMode) || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(h.dir, 0o770); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(h.options); !errors.Is(err, ErrMode) || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("got %v", err)
	}
	if _, err := Open(Options{}); err == nil {
		t.Error("opened without a key")
	}
}

// step is one change, and what must hold once it was acknowledged.
type step struct {
	name  string
	do    func() error
	holds func() error
}

var errKilled = errors.New("killed")

// life is what happens to a device, step by step.
func life(t *testing.T, h *home) []step {
	guest, revoked, second, other := newPeer(t), newPeer(t), newPeer(t), newPeer(t)
	var jti, secret, grant, owning, owningSecret string
	lets := func(id *identity.Identity, in bool, grants ...string) error {
		if _, err := h.Authorize(id.PeerID(), grants); (err == nil) != in {
			return fmt.Errorf("%s is let in: %v (%w)", id.PeerID().Short(), !in, err)
		}
		return nil
	}
	claim := func(id *identity.Identity, jti, secret string) error {
		_, err := h.claimInvite(id, jti, secret)
		return err
	}
	pair := func(id *identity.Identity) error {
		p, err := h.StartPairing(false)
		if err != nil {
			return err
		}
		_, err = h.claimPairing(id, p.Secret)
		return err
	}
	h.lists = access.NewListState(h.owner.PeerID())
	list := h.sign(h.owner, revoke(access.RevokedPeer, string(revoked.PeerID())))
	invite, secret := h.newInvite(h.owner, access.InviteRequest{})
	v, err := access.ParseInvite(invite)
	if err != nil {
		t.Fatal(err)
	}
	jti = v.ID
	forRevoked, forGuest := h.grant(revoked, live()), h.grant(guest, live())
	return []step{
		{"begin", func() error { return nil }, func() error { return errors.Join(lets(h.owner, false), lets(guest, false)) }},
		{"pair", func() error { return pair(h.owner) }, func() error { return errors.Join(lets(h.owner, true), lets(guest, false)) }},
		{"list", func() error { return h.PutList(h.as(h.owner), list) }, func() error { return lets(revoked, false, forRevoked) }},
		{"share", func() error { return h.AddInvite(h.as(h.owner), invite, secret) }, func() error {
			if len(h.State().Invites) != 1 {
				return errors.New("the invite is lost")
			}
			return lets(guest, false)
		}},
		{"redeem", func() error {
			r, err := h.claimInvite(guest, jti, secret)
			grant = r.Grant
			return err
		}, func() error {
			if err := claim(other, jti, secret); !errors.Is(err, ErrUsed) {
				return fmt.Errorf("used again: %w", err)
			}
			return lets(guest, true)
		}},
		{"share all", func() (err error) {
			var compact string
			compact, owningSecret = h.newInvite(h.owner, access.InviteRequest{Owner: true})
			v, _ := access.ParseInvite(compact)
			owning = v.ID
			return h.AddInvite(h.as(h.owner), compact, owningSecret)
		}, func() error { return lets(second, false) }},
		{"second owner", func() error { return claim(second, owning, owningSecret) }, func() error { return lets(second, true) }},
		{"revoke here", func() error { _, err := h.RevokeHere(string(guest.PeerID())); return err }, func() error {
			return errors.Join(lets(guest, false, forGuest, grant), lets(second, true))
		}},
		{"reset", func() error { _, err := h.StartPairing(true); return err }, func() error {
			return errors.Join(lets(h.owner, false), lets(second, false), lets(guest, false, forGuest, grant), lets(revoked, false, forRevoked))
		}},
		{"pair again", func() error { return pair(other) }, func() error {
			return errors.Join(lets(other, true), lets(h.owner, false), lets(second, false), lets(guest, false, forGuest, grant))
		}},
	}
}

// The device is killed at each write of its life. What was acknowledged is there
// after the restart; what was not is there as a whole or not at all.
func TestTrust_KilledAtEveryWrite(t *testing.T) {
	for kill := 0; ; kill++ {
		h := newHome(t, t.TempDir())
		steps := life(t, h)
		writes, killed := 0, false
		h.store.write = func(path string, data []byte) error {
			if writes++; writes > kill {
				if !killed {
					_ = os.WriteFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new-1"), data[:len(data)/2], 0o600)
				}
				killed = true
				return errKilled
			}
			return atomicfile.Write(path, data)
		}
		done := 0
		for i, s := range steps {
			if err := s.do(); err != nil || killed {
				break
			}
			done = i
		}
		h.restart()
		err := steps[done].holds()
		if err != nil && done+1 < len(steps) && killed {
			h.restart()
			err = errors.Join(err, steps[done+1].holds())
			if steps[done+1].holds() == nil {
				err = nil
			}
		}
		if err != nil {
			t.Errorf("killed at write %d, after %q: %v", kill, steps[done].name, err)
		}
		if !killed {
			if kill < len(steps) || done != len(steps)-1 {
				t.Errorf("only %d writes, the last step was %q", kill, steps[done].name)
			}
			return
		}
	}
}

// What gives something is not given if it cannot be written down.
func TestTrust_AFullDiskGivesNothing(t *testing.T) {
	h := paired(t, t.TempDir())
	jti, secret := h.invite(h.owner, access.InviteRequest{})
	owning, owningSecret := h.invite(h.owner, access.InviteRequest{Owner: true})
	more, moreSecret := h.newInvite(h.owner, access.InviteRequest{})
	full := errors.New("no space left on device")
	write := h.store.write
	h.store.write = func(string, []byte) error { return full }
	guest := newPeer(t)
	before := h.State()
	for name, try := range map[string]func() error{
		"an invite":        func() error { return h.AddInvite(h.as(h.owner), more, moreSecret) },
		"the console's":    func() error { return errOf(h.ConsoleInvite(live(), "", 0)) },
		"a claim":          func() error { _, err := h.claimInvite(guest, jti, secret); return err },
		"an owner's claim": func() error { _, err := h.claimInvite(guest, owning, owningSecret); return err },
		"a reset":          func() error { _, err := h.StartPairing(true); return err },
	} {
		if err := try(); !errors.Is(err, full) || errors.Is(err, ErrNotKept) || !strings.Contains(err.Error(), "written down") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.State(); len(got.Invites) != len(before.Invites) || len(got.Pending)+len(got.Grants) != 0 {
		t.Errorf("%+v", got)
	}
	h.refused(check.Allowed, guest)
	// A guest who has a grant is let in all the same, and remembered until the end.
	h.as(guest, h.grant(guest, live()))
	if !h.Known(guest.PeerID()) || !strings.Contains(h.logged.String(), "written down") {
		t.Errorf("logged %s", h.logged.String())
	}
	// What takes away is over at once.
	if err := h.RemoveInvite(h.as(h.owner), jti); !errors.Is(err, ErrNotKept) || len(h.State().Invites) != 1 {
		t.Errorf("got %v", err)
	}
	h.store.write = write
	if _, err := h.claimInvite(newPeer(t), owning, owningSecret); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	unowned := newHome(t, t.TempDir())
	p, err := unowned.StartPairing(false)
	if err != nil {
		t.Fatal(err)
	}
	unowned.store.write = func(string, []byte) error { return full }
	if _, err := unowned.claimPairing(unowned.owner, p.Secret); !errors.Is(err, full) || unowned.Owned() {
		t.Errorf("got %v", err)
	}
	unowned.store.write = write
	if _, err := unowned.claimPairing(unowned.owner, p.Secret); err != nil {
		t.Errorf("the secret is used up by a failure: %v", err)
	}
}

// A power cut between the two files of a redeemed invite.
func TestOpen_TheGrantOfARedeemedInviteIsNotLost(t *testing.T) {
	h := paired(t, t.TempDir())
	guest := newPeer(t)
	jti, secret := h.invite(h.owner, access.InviteRequest{Scope: h.until(live(), time.Hour)})
	h.store.write = func(path string, data []byte) error {
		if filepath.Base(path) != claimsName {
			return errKilled
		}
		return atomicfile.Write(path, data)
	}
	if _, err := h.claimInvite(guest, jti, secret); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h.restart()
		h.as(guest)
		_, err := h.claimInvite(newPeer(t), jti, secret)
		refusedBy(t, check.Once, err)
	}
}
