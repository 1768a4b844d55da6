package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestBinary_FitsIntoACamerasFlash(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	const limit = 15_000_000
	out := filepath.Join(t.TempDir(), "sightline-camera")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", "nomsgpack,nethttpomithttp2", "-ldflags", "-s -w", "-o", out, ".") // as make build does
	build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	info, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() >= limit {
		t.Errorf("%d bytes stripped, %d is the limit; `go build -ldflags=-dumpdep` tells what keeps a package in", info.Size(), limit)
	}
}
