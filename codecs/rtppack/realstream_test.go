package rtppack

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// TestRealStreams_DecodeToTheSamePictures sends what real encoders make through
// an assembler, packets and a depacketizer, and decodes it before and after.
func TestRealStreams_DecodeToTheSamePictures(t *testing.T) {
	tests := []struct {
		name    string
		codec   codecs.Codec
		encoder string
		units   int
		keys    int
		bFrames bool
	}{
		{"H.264 baseline", codecs.H264, "-c:v libx264 -profile:v baseline -x264-params aud=1:keyint=10:scenecut=0", 25, 3, false},
		{"H.264 main, slices", codecs.H264, "-c:v libx264 -profile:v main -x264-params aud=1:keyint=10:scenecut=0:bframes=0:slices=4", 25, 3, false},
		{"H.264 high, slices of at most 1,100 bytes", codecs.H264, "-c:v libx264 -profile:v high -x264-params aud=1:keyint=10:scenecut=0:bframes=0:slice-max-size=1100", 25, 3, false},
		{"H.264 high, B-frames", codecs.H264, "-c:v libx264 -profile:v high -x264-params aud=1:keyint=10:scenecut=0:bframes=2:b-adapt=0", 25, 3, true},
		{"H.264 intra refresh", codecs.H264, "-c:v libx264 -x264-params aud=1:keyint=10:intra-refresh=1:bframes=0", 25, 1, false},
		{"H.265", codecs.H265, "-c:v libx265 -x265-params log-level=none:aud=1:keyint=10:scenecut=0:bframes=0:open-gop=0", 25, 3, false},
		{"H.265, B-frames and open groups", codecs.H265, "-c:v libx265 -x265-params log-level=none:aud=1:keyint=10:scenecut=0:bframes=3:b-adapt=0", 25, 3, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			format := map[codecs.Codec]string{codecs.H264: "h264", codecs.H265: "hevc"}[tt.codec]
			args := "-f lavfi -i testsrc2=size=640x360:rate=25 -frames:v 25 -pix_fmt yuv420p -threads 1 " + tt.encoder + " -f " + format + " -"
			stream := ffmpeg(t, nil, args)
			units := assemble(t, tt.codec, stream)
			keys := 0
			for _, u := range units {
				if u.au.Key {
					keys++
				}
			}
			if len(units) != tt.units || keys != tt.keys || units[len(units)-1].bFrames != tt.bFrames {
				t.Errorf("%d units, %d key units, B-frames %v", len(units), keys, units[len(units)-1].bFrames)
			}
			s, d := &sender{codec: tt.codec}, NewDepacketizer(tt.codec, 90_000)
			var received bytes.Buffer
			for i, u := range units {
				got := pushAll(d, s.send(uint32(i)*3600, u.au.Payload...), at(i*40))
				if len(got) != 1 || got[0].Key != u.au.Key || got[0].Discardable != u.au.Discardable {
					t.Fatalf("unit %d: sent NAL units of %v bytes, got %d units, %+v", i, sizes(u.au.Payload), len(got), d.Stats())
				}
				received.Write(annexB(got[0].Payload))
			}
			decode := "-f " + format + " -i - -f framemd5 -"
			want, got := ffmpeg(t, stream, decode), ffmpeg(t, received.Bytes(), decode)
			if diff := cmp.Diff(checksums(want), checksums(got)); diff != "" {
				t.Errorf("other pictures: %s", diff)
			}
			if n := len(checksums(got)); n != tt.units {
				t.Errorf("%d pictures", n)
			}
		})
	}
}

type assembled struct {
	au      nal.AccessUnit
	bFrames bool
}

// assemble cuts a byte stream at its delimiters and makes units of it.
func assemble(t *testing.T, c codecs.Codec, stream []byte) (out []assembled) {
	t.Helper()
	nals, err := nal.SplitAnnexB(stream)
	if err != nil {
		t.Fatal(err)
	}
	a := h264.NewAssembler(codecs.Track{})
	delimiter := func(u []byte) bool { return h264.TypeOf(u) == h264.AccessUnitDelim }
	if c == codecs.H265 {
		a = h265.NewAssembler(codecs.Track{})
		delimiter = func(u []byte) bool { return h265.TypeOf(u) == h265.AccessUnitDelim }
	}
	var b nal.BFrameDetector
	var list [][]byte
	for i, u := range nals {
		list = append(list, u)
		if i+1 < len(nals) && !delimiter(nals[i+1]) {
			continue
		}
		au := a.Assemble(list)
		if au.Payload == nil || au.Undecodable || au.Continues || au.Changed != (len(out) == 0) {
			t.Fatalf("unit %d of NAL units of %v bytes: undecodable %v, continues %v, changed %v",
				len(out), sizes(list), au.Undecodable, au.Continues, au.Changed)
		}
		out = append(out, assembled{au, b.Observe(au, 0)})
		list = nil
	}
	return out
}

// ffmpeg runs ffmpeg and returns what it writes.
func ffmpeg(t *testing.T, stdin []byte, args string) []byte {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ffmpeg is missing")
		}
		t.Skip("needs ffmpeg")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"-v", "error"}, strings.Fields(args)...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %s: %v: %s", args, err, stderr.String())
	}
	return out
}

// checksums returns the checksums of the pictures in ffmpeg's framemd5 format.
func checksums(framemd5 []byte) (out []string) {
	for line := range strings.Lines(string(framemd5)) {
		if !strings.HasPrefix(line, "#") {
			fields := strings.Fields(line)
			out = append(out, fields[len(fields)-1])
		}
	}
	return out
}
