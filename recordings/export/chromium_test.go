package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// page plays each file in the two ways that a browser has, seeks in it, and reports
// what it saw.
const page = `<!doctype html><title>test</title><script type="module">
const wait = (target, ...names) => new Promise((ok, bad) => {
  for (const n of names) target.addEventListener(n, ok, {once: true});
  target.addEventListener('error', () => bad(new Error((target.error && target.error.message) || 'error')), {once: true});
});
const look = async (video, to) => {
  video.currentTime = to;
  await wait(video, 'seeked');
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const draw = canvas.getContext('2d', {willReadFrequently: true});
  let lit = 0;
  for (let tries = 0; tries < 100 && lit < 100; tries++) { // it is shown somewhat later
    draw.drawImage(video, 0, 0);
    const {data} = draw.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 404) if (data[i] > 40) lit++;
    if (lit < 100) await new Promise(ok => setTimeout(ok, 50));
  }
  return {at: video.currentTime, width: video.videoWidth, lit};
};
const ranges = b => Array.from({length: b.length}, (_, i) => [b.start(i), b.end(i)]);
const ways = {
  async src(file) {
    const video = document.createElement('video');
    video.muted = true;
    video.src = file.url;
    await wait(video, 'loadeddata');
    const seen = await look(video, file.seek);
    return {...seen, duration: video.duration};
  },
  async mse(file) {
    const video = document.createElement('video'), source = new MediaSource();
    video.muted = true;
    video.src = URL.createObjectURL(source);
    await wait(source, 'sourceopen');
    const buffer = source.addSourceBuffer(file.type);
    const data = await (await fetch(file.url)).arrayBuffer();
    // Pieces out of order where there are some, as a viewer that jumps does it.
    for (const [from, to] of file.pieces ?? [[0, data.byteLength]]) {
      buffer.appendBuffer(data.slice(from, to));
      await wait(buffer, 'updateend');
    }
    const buffered = ranges(buffer.buffered);
    const seen = await look(video, file.seek);
    return {...seen, buffered};
  },
};
const out = {};
for (const file of await (await fetch('/files')).json()) {
  try { out[file.url] = await ways[file.way](file); } catch (e) { out[file.url] = {error: String(e)}; }
}
await fetch('/result', {method: 'POST', body: JSON.stringify(out)});
</script>`

// webFile is a file for the page.
type webFile struct {
	URL    string     `json:"url"`
	Way    string     `json:"way"`
	Type   string     `json:"type"`
	Seek   float64    `json:"seek"`
	Pieces [][2]int64 `json:"pieces,omitempty"`

	data []byte
}

// seen is what the page saw of a file.
type seen struct {
	Error        string
	At, Duration float64
	Width, Lit   int
	Buffered     [][2]float64
}

// browse lets Chromium play the files.
func browse(t *testing.T, files []webFile) map[string]seen {
	t.Helper()
	chromium := fmp4test.Program(t, "chromium")
	results := make(chan []byte, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	})
	mux.HandleFunc("/files", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(files) })
	mux.HandleFunc("/result", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		results <- b
	})
	for _, f := range files {
		mux.HandleFunc(f.URL, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "video/mp4")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
		})
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "chromium") //nolint:usetesting // it writes on for a moment after it was killed, which t.TempDir holds against the test
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+dir, server.URL)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer cancel()
	var all map[string]seen
	select {
	case b := <-results:
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("Chromium reported nothing within two minutes")
	}
	return all
}

// mediaType is what a browser is told about a segment.
func mediaType(f recordings.Format, sound bool) string {
	list := []string{f.Video}
	if sound && f.Audio != "" {
		list = append(list, f.Audio)
	}
	return `video/mp4; codecs="` + strings.Join(list, ", ") + `"`
}

func TestExport_PlaysInChromium(t *testing.T) {
	s, _, _ := threeSegments(t, codecs.AAC)
	_, whole := s.export(t, at(0), at(time.Minute), export.Options{})
	gap, _, _ := withGap(t)
	_, kept := gap.export(t, at(0), at(2*time.Minute), export.Options{KeepGaps: true, NoSound: true})
	reordered := &shelf{}
	reordered.put(t, fmp4test.Video(t, codecs.H264, "-c:v libx264 -x264-params keyint=25:bframes=3:b-adapt=0", "640x360", 75, noon()),
		fmp4test.Sound(t, codecs.Opus, 3, noon()), at(0), at(3*time.Second))
	changed := &shelf{}
	changed.put(t, pictures(t, 640, 360, 2, at(0)), none(), at(0), at(2*time.Second))
	changed.put(t, pictures(t, 848, 480, 2, at(2*time.Second)), none(), at(2*time.Second), at(4*time.Second))
	_, twice := changed.export(t, at(0), at(time.Minute), export.Options{})

	first, talk := reordered.segments[0], gap.segments[0]
	silent, err := fmp4.VideoInit(gap.data[talk.Ref][:talk.InitBytes])
	if err != nil {
		t.Fatal(err)
	}
	backward := webFile{URL: "/backward", Way: "mse", Type: mediaType(first.Format, true), Seek: 1.5, data: reordered.data[first.Ref]}
	backward.Pieces = append(backward.Pieces, [2]int64{0, first.InitBytes})
	for i := len(first.Fragments) - 1; i >= 0; i-- {
		f := first.Fragments[i]
		backward.Pieces = append(backward.Pieces, [2]int64{f.Offset, f.Offset + f.Bytes})
	}
	noSound := webFile{URL: "/nosound", Way: "mse", Type: mediaType(talk.Format, false), Seek: 1.5, data: silent}
	for _, f := range talk.Fragments {
		noSound.data = append(noSound.data, gap.data[talk.Ref][f.Offset:][:f.VideoBytes]...)
	}
	got := browse(t, []webFile{
		{URL: "/whole.mp4", Way: "src", Seek: 4.5, data: whole},
		{URL: "/whole", Way: "mse", Type: mediaType(s.segments[0].Format, true), Seek: 4.5, data: whole},
		{URL: "/kept.mp4", Way: "src", Seek: 61, data: kept},
		{URL: "/kept", Way: "mse", Type: mediaType(talk.Format, false), Seek: 61, data: kept},
		{URL: "/twice.mp4", Way: "src", Seek: 3, data: twice},
		{URL: "/twice", Way: "mse", Type: mediaType(changed.segments[1].Format, true), Seek: 3, data: twice},
		{URL: "/reordered.mp4", Way: "src", Seek: 2, data: reordered.data[first.Ref]},
		backward, noSound,
	})
	for url, want := range map[string]seen{
		"/whole.mp4":     {At: 4.5, Width: 640, Duration: 6},
		"/whole":         {At: 4.5, Width: 640, Buffered: [][2]float64{{0, 6}}},
		"/kept.mp4":      {At: 61, Width: 640, Duration: 62},
		"/kept":          {At: 61, Width: 640, Buffered: [][2]float64{{0, 2}, {60, 62}}},
		"/twice.mp4":     {At: 3, Width: 848, Duration: 4},
		"/twice":         {At: 3, Width: 848, Buffered: [][2]float64{{0, 4}}},
		"/reordered.mp4": {At: 2, Width: 640, Duration: 3},
		"/backward":      {At: 1.5, Width: 640, Buffered: [][2]float64{{0, 3}}},
		"/nosound":       {At: 1.5, Width: 640, Buffered: [][2]float64{{0, 2}}},
	} {
		checkSeen(t, url, got[url], want)
	}
}

func checkSeen(t *testing.T, url string, got, want seen) {
	t.Helper()
	near := func(a, b float64) bool { return a > b-0.07 && a < b+0.07 }
	ok := got.Error == "" && near(got.At, want.At) && got.Width == want.Width && got.Lit > 100 &&
		near(got.Duration, want.Duration) && len(got.Buffered) == len(want.Buffered)
	for i := range got.Buffered {
		ok = ok && near(got.Buffered[i][0], want.Buffered[i][0]) && near(got.Buffered[i][1], want.Buffered[i][1])
	}
	if !ok {
		t.Errorf("%s: %+v, not %+v", url, got, want)
	}
}
