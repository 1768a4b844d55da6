package v4l2

import (
	"context"
	"log/slog"
	"strings"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// open finds the device, opens it and sets it up.
func (s *Source) open(ctx context.Context) (*opened, error) {
	path, _, err := s.locate()
	if err != nil {
		return nil, s.waiting(err)
	}
	d, err := s.openSoon(ctx, path)
	if err != nil {
		s.vain = 0
		return nil, s.waiting(err)
	}
	o := &opened{source: s, path: path, device: d}
	if err := s.prepare(ctx, o); err != nil {
		_ = d.Close() // the error that is told is the one before
		s.vain++
		return nil, s.waiting(err)
	}
	s.known, s.nodes = s.known.seen(s.opts.Kernel, o.about), nil
	if name := s.lasting(path); name != "" {
		o.refusals = append(o.refusals, s.opts.Address+" may be another camera after the machine has been started anew; call this one "+name)
	}
	return o, nil
}

// lasting returns a better address of the device where the one given is the number of one
// among several, which changes with the order that they are found in; else "".
func (s *Source) lasting(path string) string {
	if !s.known.beside || !strings.HasPrefix(strings.TrimPrefix(s.opts.Address, Scheme), "/dev/video") {
		return ""
	}
	if links := s.known.machine.stableNames()[path]; len(links) > 0 {
		return links[len(links)-1] // of by-path, which twins have as well
	}
	return ""
}

// prepare looks at what the device is and can do, and sets it up.
func (s *Source) prepare(ctx context.Context, o *opened) error {
	c, err := o.device.Capability()
	if err != nil {
		return explain(o.path, "asking what it is", err)
	}
	kind, ok := c.Capture()
	if !ok {
		return errorf(NotCapture, "%s (%s) gives no pictures; run `sightline camera --list` for the devices that do", o.path, c.Card)
	}
	o.kind, o.chained = kind, c.Caps&abi.CapIOMC != 0
	if o.about, err = describe(o.device, o.path, false); err != nil {
		return explain(o.path, "asking what it can do", err)
	}
	if s.known != (identity{}) && !s.known.accepts(s.opts.Kernel, o.about) {
		// The picture of one room must never appear under the name of another.
		card := o.about.Card
		if card == s.known.card {
			card = "another camera of that name"
		}
		return errorf(OtherDevice, "%s is now %s, where %s was; plug that in again, or start the agent anew to watch the one that is there",
			o.path, card, s.known.card)
	}
	if err := ctx.Err(); err != nil {
		return err // each request of a camera that hangs takes seconds
	}
	if o.mode, err = Choose(o.about, s.opts.Want, s.opts.newEncoder != nil); err != nil {
		return err
	}
	if err := o.setUp(); err != nil {
		return err
	}
	level := slog.LevelDebug
	if mode := o.about.name() + o.mode.String(); mode != s.told { // once, of a camera that comes and goes
		level, s.told = slog.LevelInfo, mode
	}
	s.opts.Logger.Log(ctx, level, "the device is set up", "device", o.path, "card", o.about.Card, "mode", o.mode.String(), "use", o.mode.Use.String())
	return nil
}

// locate returns the path of the device: of the one watched before wherever it is now,
// which found says; else by the address.
func (s *Source) locate() (path string, found bool, err error) {
	k := s.opts.Kernel
	path, err = resolve(k, s.opts.Address)
	if s.known == (identity{}) || err == nil && s.known.isAt(k, path) {
		return path, false, err
	}
	if elsewhere, lost := s.known.find(k); lost == nil {
		return elsewhere, true, nil
	}
	return path, false, err
}
