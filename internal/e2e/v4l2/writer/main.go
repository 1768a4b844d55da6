//go:build linux

// Command writer is the camera behind a device of v4l2loopback: it writes pictures
// that were coded before, or makes H.264 with a stamp in each picture, at an even
// pace. It obeys the words that come by its standard input, one a line: stop, go, and
// "size 1280x720", which only what is made here can follow.
package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "writer:", err)
		os.Exit(1)
	}
}

// camera is what is shown.
type camera struct {
	out    *output
	width  int
	height int
	rate   int
	gop    time.Duration
	film   [][]byte             // shown over and over; nil:
	making *testpattern.Encoder // makes the pictures
	shown  int
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("writer", flag.ContinueOnError)
	device := flags.String("device", "", "the device")
	format := flags.String("format", "H264", "what it is said to deliver, as four letters")
	size := flags.String("size", "640x360", "width and height")
	rate := flags.Int("rate", 30, "pictures a second")
	gop := flags.Duration("gop", 2*time.Second, "time between key frames of what is made here")
	film := flags.String("film", "", "file of the pictures to show (gob of [][]byte)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	c := &camera{rate: *rate, gop: *gop}
	if *film != "" {
		data, err := os.ReadFile(*film)
		if err != nil {
			return err
		}
		if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&c.film); err != nil || len(c.film) == 0 {
			return fmt.Errorf("%s has no pictures: %w", *film, err)
		}
	}
	var err error
	if c.out, err = openOutput(*device, *format); err != nil {
		return err
	}
	defer c.out.close()
	if err := c.resize(*size); err != nil {
		return err
	}
	if err := c.out.setFormat(c.width, c.height, c.rate); err != nil {
		return err
	}
	words := make(chan string)
	go func() {
		defer close(words)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			words <- lines.Text()
		}
	}()
	return c.show(words, out)
}

// resize makes pictures of another size. The device is not told: what comes says so
// itself, as it does from an encoder that adapts to the light.
func (c *camera) resize(size string) error {
	if _, err := fmt.Sscanf(size, "%dx%d", &c.width, &c.height); err != nil {
		return fmt.Errorf("size %q: %w", size, err)
	}
	if c.film != nil {
		return nil
	}
	var err error
	c.making, err = testpattern.New(testpattern.Options{Width: c.width, Height: c.height, FPS: c.rate, GOP: c.gop})
	return err
}

// show shows pictures until the words end.
func (c *camera) show(words <-chan string, out io.Writer) error {
	tick := time.NewTicker(time.Second / time.Duration(c.rate))
	defer tick.Stop()
	next := tick.C
	for {
		select {
		case word, ok := <-words:
			switch {
			case !ok:
				return nil
			case word == "stop":
				next = nil
			case word == "go":
				next = tick.C
			case strings.HasPrefix(word, "size "):
				if err := c.resize(word[len("size "):]); err != nil {
					return err
				}
			}
			fmt.Fprintln(out, "done:", word)
		case now := <-next:
			if err := c.out.write(c.picture(now)); err != nil {
				return err
			}
			if c.shown++; c.shown == 1 {
				fmt.Fprintln(out, "the camera shows pictures")
			}
		}
	}
}

// picture returns the next one.
func (c *camera) picture(now time.Time) (b []byte) {
	if c.film != nil {
		return c.film[c.shown%len(c.film)]
	}
	for _, unit := range c.making.Encode(now) {
		b = append(append(b, 0, 0, 0, 1), unit...)
	}
	return b
}
