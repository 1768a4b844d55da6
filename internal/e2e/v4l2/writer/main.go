//go:build linux

// Command writer is a camera for tests: behind a device of v4l2loopback, or at a
// virtual USB port. It shows pictures that were coded before, or makes H.264 with a
// stamp in each picture, at an even pace. It obeys the words that come by its standard
// input, one a line: stop, go, "size 1280x720", which only what is made here can
// follow, unplug, and "plug 3" for another port.
package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/usbcam"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "writer:", err)
		os.Exit(1)
	}
}

// sink is where pictures go.
type sink interface {
	// begin says what comes. It is called once.
	begin(width, height, rate int) error
	// watched reports whether somebody takes pictures now.
	watched() bool
	// write shows a picture.
	write(picture []byte) error
	close() error
}

// camera is what is shown.
type camera struct {
	out     sink
	width   int
	height  int
	rate    int
	gop     time.Duration
	film    [][]byte             // shown over and over; nil:
	making  *testpattern.Encoder // makes the pictures
	shown   int
	watched bool // when the last picture was due
}

func run(args []string, in io.Reader, out io.Writer) (err error) {
	flags := flag.NewFlagSet("writer", flag.ContinueOnError)
	device := flags.String("device", "", "the device of v4l2loopback")
	port := flags.Int("usb", 0, "number of the USB port, where no device is given")
	serial := flags.String("serial", "1", "serial number of a USB camera")
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
	if *device == "" {
		c.out = &usb{options: usbcam.Options{Name: "USB camera", Serial: *serial, Format: *format, Port: *port}}
	} else if c.out, err = openOutput(*device, *format); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.out.close()) }()
	if err := c.resize(*size); err != nil {
		return err
	}
	if err := c.out.begin(c.width, c.height, c.rate); err != nil {
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
	// A loopback is a camera from its first picture on; one at USB waits to be watched.
	_, ready := c.out.(*usb)
	for said := false; ; {
		if ready = ready || c.shown > 0; ready && !said {
			said = true
			fmt.Fprintln(out, "the camera is ready")
		}
		select {
		case word, ok := <-words:
			if !ok {
				return nil
			}
			switch word {
			case "stop":
				next = nil
			case "go":
				next = tick.C
			default:
				if err := c.obey(word); err != nil {
					return err
				}
			}
			fmt.Fprintln(out, "done:", word)
		case now := <-next:
			if err := c.picture(now); err != nil {
				return err
			}
		}
	}
}

// obey does what a word says.
func (c *camera) obey(word string) error {
	usb, isUSB := c.out.(*usb)
	size, isSize := strings.CutPrefix(word, "size ")
	var port int
	switch {
	case isSize:
		return c.resize(size)
	case isUSB && word == "unplug":
		return usb.unplug()
	case isUSB:
		if _, err := fmt.Sscanf(word, "plug %d", &port); err == nil {
			return usb.plug(port)
		}
	}
	return fmt.Errorf("%q is not understood", word)
}

// picture shows the next one. Nothing is made for nobody, and who begins to watch
// begins with a key frame.
func (c *camera) picture(now time.Time) error {
	was := c.watched
	if c.watched = c.out.watched(); !c.watched {
		return nil
	}
	c.shown++
	if c.film != nil {
		if !was {
			c.shown = 0
		}
		return c.out.write(c.film[c.shown%len(c.film)])
	}
	if !was {
		c.making.ForceKey()
	}
	var b []byte
	for _, unit := range c.making.Encode(now) {
		b = append(append(b, 0, 0, 0, 1), unit...)
	}
	return c.out.write(b)
}
