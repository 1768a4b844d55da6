package agent

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

func TestAllowList_FollowsTheFile(t *testing.T) {
	first, second := newIdentity(t).PeerID(), newIdentity(t).PeerID()
	file := filepath.Join(t.TempDir(), "viewers.txt")
	put := func(text string) {
		t.Helper()
		next := file + ".new" // an editor replaces the file
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, file); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	l := NewAllowList(file, slog.New(slog.NewTextHandler(&log, nil)))
	listed := func(p identity.PeerID) bool { _, ok := l.Listed(p); return ok }
	if listed(first) {
		t.Fatal("a list that is not there allows somebody")
	}
	put(string(first) + " Ann's phone\n")
	if name, ok := l.Listed(first); !ok || name != "Ann's phone" || listed(second) || listed("") {
		t.Fatal("the list says otherwise")
	}
	put(string(second) + "\n")
	if listed(first) || !listed(second) {
		t.Fatal("the list was not read again")
	}
	if l.settled() {
		t.Fatal("a list that may still be being written throws viewers out")
	}
	written := time.Now().Add(-settled)
	if err := os.Chtimes(file, written, written); err != nil {
		t.Fatal(err)
	}
	if !l.settled() {
		t.Fatal("an old list does not count")
	}
	put("not an id\n")
	if listed(second) {
		t.Fatal("a broken list allows somebody")
	}
	if l.settled() {
		t.Fatal("a broken list throws viewers out")
	}
	listed(second)
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
		t.Errorf("%d errors in the log, want one for each of two:\n%s", n, log.String())
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if listed(second) {
		t.Fatal("a list that is gone allows somebody")
	}
	put(string(second) + "\n")
	if !listed(second) {
		t.Fatal("the list was not read when it came back")
	}
}
