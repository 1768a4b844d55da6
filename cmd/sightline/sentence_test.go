package main

import "testing"

func TestSentence_CutsNoCharacter(t *testing.T) {
	for text, want := range map[string]string{"": "", "works": "Works.", "ärger.": "Ärger."} {
		if got := sentence(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
