package agent

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAccess_FollowsTheFile(t *testing.T) {
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
	a := newAccess(false, file, slog.New(slog.NewTextHandler(&log, nil)))
	if a.allow(first) == nil {
		t.Fatal("a list that is not there allows somebody")
	}
	put(string(first) + "\n")
	if a.allow(first) != nil || a.allow(second) == nil || a.allow("") == nil {
		t.Fatal("the list says otherwise")
	}
	put(string(second) + "\n")
	if a.allow(first) == nil || a.allow(second) != nil {
		t.Fatal("the list was not read again")
	}
	if _, ok := a.revoked(); ok {
		t.Fatal("a list that may still be being written throws viewers out")
	}
	written := time.Now().Add(-settled)
	if err := os.Chtimes(file, written, written); err != nil {
		t.Fatal(err)
	}
	gone, ok := a.revoked()
	if !ok || !gone(first) || gone(second) {
		t.Fatal("revoked is wrong")
	}
	put("not an id\n")
	if a.allow(second) == nil {
		t.Fatal("a broken list allows somebody")
	}
	if _, ok := a.revoked(); ok {
		t.Fatal("a broken list throws viewers out")
	}
	_ = a.allow(second)
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
		t.Errorf("%d errors in the log, want one for each of two:\n%s", n, log.String())
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if a.allow(second) == nil {
		t.Fatal("a list that is gone allows somebody")
	}
	put(string(second) + "\n")
	if a.allow(second) != nil {
		t.Fatal("the list was not read when it came back")
	}
}
