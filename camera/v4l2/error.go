package v4l2

import (
	"context"
	"fmt"
)

// Reason is why a device cannot be watched.
type Reason string

// The reasons.
const (
	NotThere     Reason = "not_there"     // no such device, or it was never plugged in
	NoPermission Reason = "no_permission" // this user may not open it
	Busy         Reason = "busy"          // another program uses it
	NotCapture   Reason = "not_capture"   // no video device, or one without a camera
	NoFormat     Reason = "no_format"     // nothing that can be carried, or not what was asked for
	NoEncoder    Reason = "no_encoder"    // only raw pictures, and this binary cannot encode
	Ambiguous    Reason = "ambiguous"     // several devices of that name
	Stalled      Reason = "stalled"       // the driver delivers nothing
	Unplugged    Reason = "unplugged"     // gone while it was watched
	OtherDevice  Reason = "other_device"  // another camera has come under that path
	Driver       Reason = "driver"        // the driver refused something
	Unsupported  Reason = "unsupported"   // not on this operating system
)

// Error is why a device cannot be watched or no longer. Its text is a sentence for a
// person that says what to do next.
type Error struct {
	Reason Reason
	text   string
	wait   func(context.Context) // returns when another attempt is worth while; may be nil
}

// Error implements error.
func (e *Error) Error() string { return e.text }

// Public says what those may know who may watch and no more: no path, no program and no
// user of the machine. Whoever looks after the camera is told the rest.
func (e *Error) Public() string {
	switch e.Reason {
	case NotThere, Unplugged:
		return "the camera is not plugged in"
	case Busy:
		return "another program uses the camera"
	case Stalled:
		return "the camera delivers no pictures"
	case OtherDevice, Ambiguous:
		return "the camera cannot be told from another"
	case NoPermission, NotCapture, NoFormat, NoEncoder, Driver, Unsupported:
	}
	return "the camera cannot be used as it is set up"
}

// Wait blocks until the device can be watched again, as far as that shows, or until ctx
// ends.
func (e *Error) Wait(ctx context.Context) {
	if e.wait != nil {
		e.wait(ctx)
		return
	}
	<-ctx.Done()
}

func errorf(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, text: fmt.Sprintf(format, args...)}
}
