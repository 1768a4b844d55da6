package access

import (
	"errors"
	"strings"
	"testing"
)

func TestClaimProof_IsForOneSideOfOneSession(t *testing.T) {
	secret := make([]byte, TokenSize)
	proof := ClaimProof(secret, ClaimPair, SideViewer, HashOf("handshake"), one, other)
	if err := ValidateToken(proof, HashSize); err != nil {
		t.Fatal(err)
	}
	another := append([]byte{1}, secret[1:]...)
	for what, p := range map[string]string{
		"another secret":    ClaimProof(another, ClaimPair, SideViewer, HashOf("handshake"), one, other),
		"another kind":      ClaimProof(secret, ClaimInvite, SideViewer, HashOf("handshake"), one, other),
		"another side":      ClaimProof(secret, ClaimPair, SidePublisher, HashOf("handshake"), one, other),
		"another session":   ClaimProof(secret, ClaimPair, SideViewer, HashOf("handshakf"), one, other),
		"another viewer":    ClaimProof(secret, ClaimPair, SideViewer, HashOf("handshake"), other, other),
		"another publisher": ClaimProof(secret, ClaimPair, SideViewer, HashOf("handshake"), one, one),
	} {
		if EqualProofs(p, proof) {
			t.Errorf("%s has the same proof", what)
		}
	}
	if !EqualProofs(proof, strings.Clone(proof)) {
		t.Error("a proof does not equal itself")
	}
}

func TestParseSecret_SaysNothingOfADamagedOne(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("A", 21) + "!", strings.Repeat("A", 21) + "B", strings.Repeat("A", 23), strings.Repeat("A", 20) + "\nA"} {
		_, err := ParseSecret(s)
		if !errors.Is(err, ErrToken) || s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if raw, err := ParseSecret(NewToken()); err != nil || len(raw) != TokenSize {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}
