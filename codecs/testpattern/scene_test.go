package testpattern

import (
	"testing"
	"time"
)

func TestScene_MarksEverythingThatChanges(t *testing.T) {
	for _, o := range []Options{{}, {Width: 640, Height: 360, Bitrate: 300_000}, {Width: 1000, Height: 702, Bitrate: 1_000_000}} {
		o, err := o.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		s := newScene(o)
		now := time.Date(2026, 12, 31, 23, 59, 59, 700_000_000, time.UTC)
		shown := make([]pixels, len(s.dirty))
		for frame := range 20 {
			s.update(now, uint32(95+frame), frame == 0)
			marked := 0
			for i := range shown {
				var p pixels
				s.paint(&p, i%s.mbWidth, i/s.mbWidth)
				if frame > 0 && p != shown[i] && !s.dirty[i] {
					t.Fatalf("frame %d: macroblock %d,%d changed unmarked", frame, i%s.mbWidth, i/s.mbWidth)
				}
				shown[i] = p
				if s.dirty[i] {
					marked++
				}
			}
			if frame > 0 && (marked == 0 || marked > len(shown)/3) {
				t.Errorf("frame %d: %d of %d macroblocks marked", frame, marked, len(shown))
			}
			now = now.Add(40 * time.Millisecond)
		}
	}
}

func TestTypeface_DrawsAnyTitle(t *testing.T) {
	f := newTypeface()
	for _, r := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:;!?'\"-_+=/\\|()[]{}<>#$%&*@^~°·×ßæøÄÖÜäöüéèçñåŠłÿ" {
		if _, ok := f.glyphs[r]; !ok {
			t.Errorf("no glyph for %q", r)
		}
	}
	l := lettering{height: 40, weight: 0.12, tracking: 0.24}
	for _, title := range []string{"Haustür Süd", "正面玄関", "\xff\xfe", "a", " ", "jgq|ÅÇ"} {
		m, above := f.draw(title, l)
		for i, v := range m.cover {
			if y, x := i/m.width, i%m.width; v != 0 && (y == 0 || y == m.height-1 || x == m.width-1) {
				t.Errorf("%q touches the edge of its mask at %d,%d", title, x, y)
				break
			}
		}
		if above <= 0 || m.height < above+40 {
			t.Errorf("%q: mask of height %d, %d above", title, m.height, above)
		}
	}
	long := f.fit("A very long name of a camera that hangs above the back door of the house", l, 600)
	if w := f.width(long, l); w > 600 || w < 500 || long[len(long)-3:] != "..." {
		t.Errorf("fit makes %q, %v wide", long, w)
	}
	if got := f.fit("Front door", l, 600); got != "Front door" {
		t.Errorf("fit makes %q of what fits", got)
	}
}
