//go:build linux

package vm

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadOrder_PutsWhatIsNeededBefore(t *testing.T) {
	needs := map[string][]string{
		"vivid": {"tpg", "videobuf2", "videodev"}, "videobuf2": {"videodev", "memops"}, "videodev": {"mc"}, "tpg": {"videodev"},
	}
	got, err := loadOrder("vivid", func(name string) ([]string, error) { return needs[name], nil })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"mc", "videodev", "tpg", "memops", "videobuf2", "vivid"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadOrder_EndsWhereModulesNeedEachOther(t *testing.T) {
	needs := map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"b"}}
	_, err := loadOrder("a", func(name string) ([]string, error) { return needs[name], nil })
	if err == nil || !strings.Contains(err.Error(), "needs itself") {
		t.Errorf("error %v", err)
	}
	broken := errors.New("unreadable")
	if _, err := loadOrder("a", func(string) ([]string, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestModuleName_IsTheSameForAllWaysToWriteIt(t *testing.T) {
	for _, file := range []string{"/lib/vhci-hcd.ko", "vhci_hcd.ko.xz", "vhci-hcd"} {
		if got := moduleName(file); got != "vhci_hcd" {
			t.Errorf("%s is %q", file, got)
		}
	}
}
