package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
)

// stage is how far a connection got.
type stage int

const (
	dialing stage = iota
	describing
	settingUp
	playing
)

// explain turns an error of the library, the operating system or the camera
// into a sentence for a person. It does not wrap: the texts of foreign errors
// hold addresses with passwords.
func (a *address) explain(at stage, err error) error {
	for _, explainer := range []func(stage, error) *Error{a.known, a.network, a.tls, a.status, a.protocol} {
		if e := explainer(at, err); e != nil {
			return e
		}
	}
	if at == playing {
		return a.errorf(Garbage, "the camera at %s sent something that is not RTSP in mid-stream (%s); "+
			"restart the camera if this happens again", a.host(), a.redact(err.Error()))
	}
	return a.errorf(Garbage, "what answers at %s does not speak RTSP (%s); "+
		"check the port (usually 554) and that it is a camera", a.host(), a.redact(err.Error()))
}

func (a *address) errorf(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, text: fmt.Sprintf(format, args...)}
}

func (a *address) known(_ stage, err error) *Error {
	e, _ := errors.AsType[*Error](err)
	return e
}

func (a *address) network(at stage, err error) *Error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return a.errorf(Unreachable, "the name %q cannot be resolved; check its spelling or use the camera's IP address", a.redact(dns.Name))
	}
	timeout := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		timeout = true
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return a.errorf(Refused, "%s refused the connection; check the port and that RTSP is enabled in the camera's settings", a.host())
	case at == dialing && (timeout || errors.Is(err, context.Canceled)),
		errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN):
		return a.errorf(Unreachable, "the camera at %s cannot be reached; check that it has power and network, and its address", a.host())
	case timeout && at != playing:
		return a.errorf(Timeout, "%s accepted the connection but does not answer; "+
			"check that the port is the camera's RTSP port, or restart the camera", a.host())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		if at == playing {
			return a.errorf(Ended, "the camera at %s closed the connection", a.host())
		}
		return a.errorf(Ended, "%s closed the connection before the stream began; "+
			"check the port, and whether other programs use up the camera's connections", a.host())
	}
	return nil
}

func (a *address) tls(_ stage, err error) *Error {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return a.errorf(TLSFailed, "%s does not speak TLS on this port; use rtsp:// or the camera's RTSPS port (usually 322)", a.host())
	}
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		return a.errorf(TLSFailed, "the TLS handshake with %s failed (%s); update the camera's firmware or use rtsp://", a.host(), a.redact(alert.Error()))
	}
	return nil
}

func (a *address) status(at stage, err error) *Error {
	bad, ok := errors.AsType[liberrors.ErrClientBadStatusCode](err)
	if !ok {
		return nil
	}
	switch bad.Code {
	case base.StatusUnauthorized:
		if !a.hasCredentials() {
			return a.errorf(WrongPassword, "the camera at %s asks for a user name and password; give it both", a.host())
		}
		return a.errorf(WrongPassword, "the camera at %s refuses the user name or the password; "+
			"check both (some cameras have separate users for ONVIF and RTSP)", a.host())
	case base.StatusForbidden:
		return a.errorf(Forbidden, "the camera at %s does not let this user watch the stream; give the user the right to view live video", a.host())
	case base.StatusNotFound:
		return a.errorf(NotFound, "the camera has no stream at %s; look up the path in the camera's manual", a)
	case base.StatusNotEnoughBandwidth, base.StatusServiceUnavailable:
		return a.errorf(Busy, "the camera at %s is busy (status %d); close other programs that watch it", a.host(), bad.Code)
	default: // nothing a person could do more about
	}
	what := "describe"
	if at >= settingUp {
		what = "start"
	}
	return a.errorf(Ended, "the camera at %s refuses to %s the stream (status %d %s); check the path and the stream's settings",
		a.host(), what, bad.Code, a.redact(bad.Message))
}

func (a *address) protocol(at stage, err error) *Error {
	switch {
	case is[liberrors.ErrClientAuthSetup](err):
		return a.errorf(WrongPassword, "the camera at %s asks for a way to log in that is not known; set its RTSP authentication to Digest", a.host())
	case is[liberrors.ErrClientRequestTimedOut](err):
		return a.errorf(Timeout, "%s accepted the connection but does not answer; "+
			"check that the port is the camera's RTSP port, or restart the camera", a.host())
	case is[liberrors.ErrClientTCPTimeout](err), is[liberrors.ErrClientUDPTimeout](err):
		return a.errorf(Timeout, "the camera at %s stopped sending; check its network", a.host())
	case is[liberrors.ErrClientSDPInvalid](err), is[liberrors.ErrClientContentTypeMissing](err), is[liberrors.ErrClientContentTypeUnsupported](err):
		return a.errorf(Garbage, "the camera at %s describes its stream in a way that cannot be read (%s); "+
			"check the path, or set the video codec to H.264 anew", a.host(), a.redact(err.Error()))
	case at == playing && is[liberrors.ErrClientTerminated](err):
		return a.errorf(Ended, "the connection to %s was closed", a.host())
	}
	return nil
}

// refusal reports whether err, from SETUP, means that another transport may work.
func refusal(err error) bool {
	if bad, ok := errors.AsType[liberrors.ErrClientBadStatusCode](err); ok {
		switch bad.Code {
		case base.StatusUnsupportedTransport, base.StatusBadRequest, base.StatusNotAcceptable,
			base.StatusInternalServerError, base.StatusNotImplemented, base.StatusOptionNotSupported:
			return true
		default:
			return false
		}
	}
	return is[liberrors.ErrClientServerRequestedTCP](err) || is[liberrors.ErrClientServerRequestedUDP](err) ||
		is[liberrors.ErrClientServerPortsNotProvided](err) || is[liberrors.ErrClientTransportHeaderInvalid](err) ||
		is[liberrors.ErrClientTransportHeaderInvalidDelivery](err) ||
		is[liberrors.ErrClientTransportHeaderNoInterleavedIDs](err) ||
		is[liberrors.ErrClientTransportHeaderInvalidInterleavedIDs](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
