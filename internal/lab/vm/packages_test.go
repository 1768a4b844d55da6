//go:build linux

package vm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStanza_TakesTheFirstPackageAndTheFirstAlternative(t *testing.T) {
	const answer = `Package: linux-headers-6.1.0-56-amd64
Source: linux
Version: 6.1.192-2
Depends: linux-headers-6.1.0-56-common (= 6.1.192-2), linux-kbuild-6.1 (>= 6.1.192-2) | other, linux-compiler-gcc-12-x86
Description-en: Header files
 Depends: on nothing that is said here

Package: linux-headers-6.1.0-56-amd64
Version: 6.1.176-1
`
	want := pkg{
		Name: "linux-headers-6.1.0-56-amd64", Version: "6.1.192-2",
		Depends: []string{"linux-headers-6.1.0-56-common", "linux-kbuild-6.1", "linux-compiler-gcc-12-x86"},
	}
	if diff := cmp.Diff(want, parseStanza(answer)); diff != "" {
		t.Error(diff)
	}
}

func TestKey_ChangesWithEveryVersionAndNamesAFolder(t *testing.T) {
	d := debian{
		release: "6.1.0-56-amd64", image: pkg{Version: "6.1.192-2"}, loopback: pkg{Version: "1:0.12.7-2"},
		headers: []pkg{{Version: "6.1.192-2"}, {Version: "6.1.192-2"}},
	}
	if got, want := d.key(), "v"+layout+"-6.1.0-56-amd64_6.1.192-2_1-0.12.7-2_6.1.192-2_6.1.192-2"; got != want {
		t.Errorf("key %q, not %q", got, want)
	}
	other := d
	other.headers = []pkg{{Version: "6.1.192-2"}, {Version: "6.1.192-3"}}
	if d.key() == other.key() {
		t.Error("other headers have the same key")
	}
}
