package e2e

import (
	"cmp"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// recorderArguments are those of a recorder of one camera, whose page somebody
// else serves: requests have no way but the peer connection.
func recorderArguments(t *testing.T, signal, camera string) []string {
	t.Helper()
	dir := t.TempDir()
	return []string{
		"nvr", "--state-dir", filepath.Join(dir, "state"), "--listen", anyPort, "--signal", "ws://" + signal,
		"--dir", filepath.Join(dir, "recordings"), "--camera", "cam=" + camera,
	}
}

// newRecorder starts a signaling service, and a recorder of the test picture
// that everybody may watch. The camera can be cut off.
func newRecorder(t *testing.T) (s *site, camera *relay) {
	t.Helper()
	picture, err := rtspcam.Picture(testpattern.Options{Width: 640, Height: 360, GOP: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	address := picture.Start(t)
	target := regexp.MustCompile(`[0-9.]+:[0-9]+`).FindString(address)
	camera = newRelay(t, target)
	s = &site{}
	s.startSignal(t)
	arguments := recorderArguments(t, s.signalAddr, strings.Replace(address, target, camera.addr, 1))
	s.agent = start(t, binary(t), append(arguments, "--open")...)
	s.link = s.agent.waitFor(t, `http://`+regexp.QuoteMeta(s.signalAddr)+`\S*`, startTimeout)[0]
	return s, camera
}

// point is a place in the window, in pixels.
type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// number is how a page is told one.
func number(x float64) string { return strconv.FormatFloat(x, 'f', 0, 64) }

// do gives the driver a command about the page.
func (p *page) do(command string, args map[string]any) {
	p.b.t.Helper()
	args["page"] = p.name
	p.b.do(command, args, recoverTimeout)
}

// moment is what a page shows of the past.
type moment struct {
	Stamp *struct {
		TimeMs  float64
		Counter int
	}
	Mode, Badge, Playhead, Notice string
	Rate                          float64
	NowMs                         float64
	Muted                         []bool
}

// piece is what a timeline knows.
type piece struct {
	Ranges [][2]float64
	Gaps   []gap
}

type gap struct {
	FromMs, ToMs float64
	Cause        string
}

func (p *page) shown() moment {
	p.b.t.Helper()
	var m moment
	p.eval("past.shown()", &m)
	return m
}

// stamped waits for a picture of the past whose stamp can be read.
func (p *page) stamped() moment {
	p.b.t.Helper()
	var m moment
	p.wait("past.shown().then((m) => m.mode === 'past' && m.stamp && m)", liveTimeout, &m)
	return m
}

// mouse clicks at points, or drags from the first to the last.
func (p *page) mouse(points ...point) {
	p.b.t.Helper()
	p.do("mouse", map[string]any{"points": points, "pressed": true})
}

// where returns the place of a time on the timeline.
func (p *page) where(ms float64) point {
	p.b.t.Helper()
	var at point
	p.eval("past.pointOf("+number(ms)+")", &at)
	return at
}

// recorded waits until there is so much of the camera.
func (p *page) recorded(atLeast time.Duration) piece {
	p.b.t.Helper()
	var known piece
	ms := strconv.FormatInt(atLeast.Milliseconds(), 10)
	p.wait("((k) => k?.ranges.length > 0 && k.ranges.at(-1)[1] - k.ranges[0][0] > "+ms+" && k)(past.piece())", recoverTimeout, &known)
	return known
}

// arrives chooses a time and waits for its picture. When the machine was busy there
// may be none: the camera made no picture then, or the recorder heard of one long
// after its stamp was drawn. Then it chooses one beside it, and after a while one of
// what was recorded since. It returns the time that it has come to.
func (p *page) arrives(t *testing.T, what string, ms float64, choose func(ms float64)) float64 {
	t.Helper()
	const beside = 230 // milliseconds, no multiple of the time between pictures
	for n, deadline := 0, time.Now().Add(2*recoverTimeout); ; n++ {
		at := ms + float64(n)*beside
		if n >= 3 {
			p.eval("past.piece().ranges.at(-1)[1] - 5000", &at)
		}
		choose(at)
		var off *float64
		p.eval("past.near("+number(at)+", "+number(min(2_000+float64(n)*1_000, 20_000))+")", &off)
		if off != nil {
			t.Logf("%s: the picture is %+.0f ms off", what, *off)
			return at
		}
		t.Logf("%s: no picture of the time %.0f", what, at)
		if time.Now().After(deadline) {
			t.Fatalf("%s: at no time does the picture come that was asked for", what)
		}
	}
}

// pressAt presses on the timeline.
func (p *page) pressAt(ms float64) {
	p.b.t.Helper()
	p.mouse(p.where(ms))
}

// rewound is a page that shows a camera's recordings, of which it knows a gap.
type rewound struct {
	*page
	first float64 // when they begin
	gap   gap
}

func TestPlayback_InThePageOverAPeerConnection(t *testing.T) {
	t.Parallel()
	b := launch(t)
	s, camera := newRecorder(t)
	p := b.open("playback", s.link, pageOptions{Dark: true})
	p.waitState("live", liveTimeout)
	p.wait("e2e.all('sl-player')[0].dataset.docked === 'whole'", liveTimeout, nil)
	r := &rewound{page: p, first: p.recorded(10 * time.Second).Ranges[0][0]}
	t.Logf("see %s", p.screenshot("playback-live"))

	ends := p.shown().NowMs
	camera.cut()
	p.waitState("offline", recoverTimeout)
	p.eval("new Promise((resolve) => setTimeout(resolve, 4000))", nil) // a gap that can be seen
	camera.restore(t)
	p.waitState("live", recoverTimeout)
	// The timeline knows what it shows: by now a busy machine may have moved on.
	p.wait("past.pointOf("+number(ends)+").then(() => past.piece()?.gaps.find(({ cause }) => cause === 'camera-offline'))", recoverTimeout, &r.gap)
	p.wait("past.piece()?.ranges.at(-1)[1] > "+number(r.gap.ToMs+8_000), recoverTimeout, nil)

	for _, each := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"holds the present, and goes back to it", r.holdsThePresent},
		{"shows the moment that was chosen", r.showsTheMoment},
		{"steps from picture to picture", r.steps},
		{"plays at four times the speed", r.playsFaster},
		{"says why nothing is there", r.saysWhyNothingIsThere},
		{"previews what is under the pointer", r.previews},
		{"saves a range", r.savesARange},
		{"keeps the sound as it was", r.keepsTheSound},
		{"comes back to the present", r.comesBack},
	} {
		t.Run(each.name, func(t *testing.T) {
			b.during(t)
			each.test(t)
		})
	}
	p.sane(t)
	quiet(t, b)
}

func (r *rewound) holdsThePresent(t *testing.T) {
	for deadline := time.Now().Add(liveTimeout); ; {
		pressed := r.shown().NowMs
		r.press("k")
		now := r.stamped()
		if now.Stamp.TimeMs > now.NowMs {
			t.Errorf("a picture of the time in %.0f ms", now.Stamp.TimeMs-now.NowMs)
		}
		r.press("End")
		r.wait("e2e.all('sl-player')[0].dataset.mode === 'live'", liveTimeout, nil)
		// What is shown is on the disk already: it is a little older than the present.
		// Sometimes a busy machine has written nothing for longer.
		age := pressed - now.Stamp.TimeMs
		t.Logf("the present, paused, is %.0f ms old", age)
		if age < 6_000 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the present, paused, is always old")
		}
	}
}

func (r *rewound) showsTheMoment(t *testing.T) {
	r.press("k") // what is chosen then is shown, and does not run away
	r.stamped()
	for _, after := range []float64{3_000, 7_300, 5_660} {
		r.arrives(t, "a press on the timeline", r.first+after, r.pressAt)
	}
	r.wait("past.shown().then((m) => m.badge.endsWith(m.playhead))", liveTimeout, nil)
}

func (r *rewound) steps(*testing.T) {
	var counter int // of a picture that stays
	r.wait(`past.shown().then(async (a) => {
		await new Promise((resolve) => setTimeout(resolve, 500));
		const b = await past.shown();
		return a.stamp && a.stamp.counter === b.stamp?.counter && a.stamp.counter;
	})`, liveTimeout, &counter)
	for _, step := range []struct {
		key string
		by  int
	}{{".", 1}, {".", 1}, {",", -1}, {",", -1}, {",", -1}} {
		counter += step.by
		r.press(step.key)
		r.wait("past.shown().then((m) => m.stamp?.counter === "+strconv.Itoa(counter)+")", liveTimeout, nil)
	}
}

func (r *rewound) playsFaster(t *testing.T) {
	r.do("select", map[string]any{"selector": "[data-testid=rate]", "value": "4"})
	for deadline := time.Now().Add(liveTimeout); ; {
		begin := r.arrives(t, "before it is played", r.first+1_000, r.pressAt)
		r.press("k")
		r.wait("past.shown().then((m) => m.rate === 4 && m.stamp?.timeMs > "+number(begin+600)+")", liveTimeout, nil)
		from := r.stamped()
		r.eval("new Promise((resolve) => setTimeout(resolve, 1200))", nil)
		to := r.stamped()
		r.press("k")
		speed := (to.Stamp.TimeMs - from.Stamp.TimeMs) / (to.NowMs - from.NowMs)
		t.Logf("plays at %.1f times the speed", speed)
		if speed > 2.5 && speed < 5.5 { // pictures that a busy machine holds up come late, and then at once
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("never plays at 4 times the speed")
		}
	}
}

func (r *rewound) saysWhyNothingIsThere(t *testing.T) {
	r.eval("past.listen()", nil)
	r.mouse(r.where((r.gap.FromMs + r.gap.ToMs) / 2))
	r.wait("past.heard.some((words) => words.includes('Camera was offline'))", liveTimeout, nil)
	t.Logf("see %s", r.screenshot("playback-gap"))
	r.wait("past.shown().then((m) => m.stamp?.timeMs > "+number((r.gap.FromMs+r.gap.ToMs)/2)+")", liveTimeout, nil)
}

func (r *rewound) previews(t *testing.T) {
	r.do("mouse", map[string]any{"points": []point{r.where(r.first + 4_000), r.where(r.first + 5_000)}})
	r.wait("past.preview() > 4", liveTimeout, nil)
	t.Logf("see %s", r.screenshot("playback-preview"))
	r.arrives(t, "the playhead, dragged", r.first+9_000, func(ms float64) {
		from := r.arrives(t, "before the playhead was dragged", ms-4_000, r.pressAt)
		r.mouse(r.where(from), r.where(from+1_000), r.where(ms))
	})
}

func (r *rewound) savesARange(t *testing.T) {
	r.arrives(t, "before a range is marked", r.first+6_000, r.pressAt)
	r.click("mark")
	path := filepath.Join(t.TempDir(), "clip.mp4")
	name := string(r.b.Do("save", map[string]any{"page": r.name, "selector": "[data-testid=clip-download]", "path": path}, recoverTimeout))
	r.wait("e2e.text().includes('Saved')", liveTimeout, nil)
	t.Logf("saved as %s, see %s", name, r.screenshot("playback-saved"))
	var length float64
	r.eval("((r) => r.toMs - r.fromMs)(past.timeline().range)", &length)
	seconds := probe(t, path)
	t.Logf("the file has %.2f s, %.2f s were marked", seconds, length/1000)
	// It begins with a key frame, which may be a second before.
	if seconds < length/1000-0.5 || seconds > length/1000+2 {
		t.Errorf("the file has %.2f s, %.2f s were marked", seconds, length/1000)
	}
	r.click("mark")
}

func (r *rewound) keepsTheSound(t *testing.T) {
	if m := r.shown(); len(m.Muted) != 2 || !m.Muted[0] || !m.Muted[1] {
		t.Errorf("muted: %v; nobody has asked for sound", m.Muted)
	}
}

func (r *rewound) comesBack(t *testing.T) {
	r.click("go-live")
	r.wait("e2e.all('sl-player')[0].dataset.mode === 'live'", liveTimeout, nil)
	r.waitFrames(10, liveTimeout)
	if got := r.rtc(); got.Connections != 1 {
		t.Errorf("%d peer connections; live went on all the while", got.Connections)
	}
}

// sane fails if a request took another way than the session, or something does
// not fit.
func (p *page) sane(t *testing.T) {
	t.Helper()
	var leaks, misfits []string
	p.eval("past.leaks()", &leaks)
	p.eval("past.misfits()", &misfits)
	if len(leaks) > 0 {
		t.Errorf("requests beside the session: %v", leaks)
	}
	for _, each := range misfits {
		t.Errorf("in a window of this size %s", each)
	}
}

func TestPlayback_InThePageOnAPhone(t *testing.T) {
	t.Parallel()
	b := launch(t)
	s, _ := newRecorder(t)
	p := b.open("phone-playback", s.link, pageOptions{Width: 390, Height: 844, Touch: true})
	p.waitState("live", liveTimeout)
	known := p.recorded(12 * time.Second)
	first := known.Ranges[0][0]
	touch := func(frames ...[]point) {
		p.do("touch", map[string]any{"frames": frames})
	}
	t.Logf("see %s", p.screenshot("playback-phone-live"))
	p.sane(t)

	want, tapped := first+4_000, p.shown().NowMs
	touch([]point{p.where(want)})
	m := p.stamped() // it plays on from there
	if off, since := m.Stamp.TimeMs-want, m.NowMs-tapped; off < -1_500 || off > since+1_500 {
		t.Errorf("%.0f ms after a tap at %.0f it shows %.0f", since, want, m.Stamp.TimeMs)
	}
	p.click("toggle")
	t.Logf("see %s", p.screenshot("playback-phone-past"))
	p.sane(t)

	// Two fingers that go apart show less time.
	var before, ratio float64
	p.eval("past.scale().spanMs", &before)
	middle := p.where(want)
	middle.X = 195
	var frames [][]point
	for apart := 30.0; apart <= 90; apart += 6 {
		frames = append(frames, []point{{middle.X - apart, middle.Y}, {middle.X + apart, middle.Y}})
	}
	touch(frames...)
	p.wait("((ratio) => ratio > 2 && ratio < 4.5 && ratio)("+number(before)+" / past.scale().spanMs)", liveTimeout, &ratio)
	t.Logf("a pinch to the threefold zooms by %.1f", ratio)

	p.click("mark")
	p.sane(t)
	t.Logf("see %s", p.screenshot("playback-phone-marked"))
	p.click("mark")
	p.click("days-open")
	p.wait("e2e.all('.day[aria-disabled=false]').length > 0", liveTimeout, nil)
	t.Logf("see %s", p.screenshot("playback-phone-days"))
	p.press("Escape")
	p.click("go-live")
	p.wait("e2e.all('sl-player')[0].dataset.mode === 'live'", liveTimeout, nil)
	quiet(t, b)
}

// probe decodes a film and returns its length in seconds.
func probe(t *testing.T, path string) float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), lookup(t, "ffmpeg"), "-v", "error", "-i", path, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("ffmpeg cannot play %s: %v\n%s", path, err, out)
	}
	out, err = exec.CommandContext(t.Context(), lookup(t, "ffprobe"), "-v", "error", "-of", "json", "-show_format", "-show_streams", path).Output()
	if err != nil {
		t.Fatalf("ffprobe %s: %v", path, err)
	}
	var film struct {
		Format  struct{ Duration string }
		Streams []struct {
			Type string `json:"codec_type"`
			Name string `json:"codec_name"`
		}
	}
	if err := json.Unmarshal(out, &film); err != nil {
		t.Fatal(err)
	}
	if len(film.Streams) != 1 || film.Streams[0].Name != "h264" {
		t.Errorf("the file has the streams %+v", film.Streams)
	}
	seconds, err := strconv.ParseFloat(cmp.Or(film.Format.Duration, "0"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return seconds
}
