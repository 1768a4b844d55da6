package v4l2

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/sightline-cam/sightline/camera/pictures"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// passing hands on the video of a device that encodes itself.
type passing struct {
	session *session // constant
	out     *pictures.Video
	joiner  joiner

	canForce   bool      // the device can be asked for a key frame
	keyAt      time.Time // last key frame, or the start of the stream
	startAt    time.Time // last start of the stream
	firstAt    time.Time // first picture of the session; zero before
	unreadable int       // buffers in a row
}

// begins is how long a device may deliver video that cannot be begun with; less than
// the supervisor's patience, who cannot say why.
const begins = 9 * time.Second

func newPassing(c *session) *passing {
	_, can := c.opened.control(uapi.ControlForceKeyFrame)
	return &passing{
		session: c, out: pictures.New(0, c.tracks[0], c), joiner: joiner{codec: c.tracks[0].Codec},
		canForce: can, keyAt: c.clock.begin, startAt: c.clock.begin,
	}
}

// frame implements handler.
func (p *passing) frame(f uapi.Frame, at stamp) error {
	units, err := split(bytes.Clone(f.Data))
	if err != nil {
		p.session.Trouble("unreadable pictures", err)
		p.session.source.RequestKeyFrame()
		if p.unreadable++; p.unreadable >= maxUnusable {
			return errorf(Driver, "%s delivers what is no %s: %v; choose another --format, see --list", p.session.opened.name(), p.session.opened.mode.FourCC, err)
		}
	} else {
		p.unreadable = 0
	}
	whole, torn := p.joiner.add(units, at)
	if torn {
		p.session.Trouble("pictures spread over several buffers", nil)
		p.session.source.RequestKeyFrame()
	}
	// Several pictures in one buffer: the last one has the time stamp.
	interval := int64(p.session.opened.interval() * clockRate / time.Second)
	after := int64(-1)
	for _, pic := range whole {
		if pic.at == at && p.joiner.shows(pic) {
			after++
		}
	}
	for _, pic := range whole {
		pts := pic.at.pts
		if pic.at == at && p.joiner.shows(pic) {
			pts -= after * interval
			after--
		}
		au := p.out.Assemble(pic.units)
		if au.Key {
			p.keyAt = pic.at.arrived
		}
		if !au.Continues {
			p.out.Write(au, pts, pic.at.captured, pic.at.arrived)
		}
	}
	if p.firstAt.IsZero() {
		p.firstAt = at.arrived
	}
	if !p.out.Begun() && at.arrived.Sub(p.firstAt) > max(begins, p.session.patience) {
		return errorf(Driver, "%s delivers video without parameter sets; whatever feeds it has to send them with every key frame, and those every 2 seconds",
			p.session.opened.name())
	}
	return nil
}

// split returns the NAL units of a buffer: a byte stream (ITU-T H.264 annex B), or, as
// some drivers understand a stream without start codes, units with their length before.
func split(data []byte) ([][]byte, error) {
	const longest = 3 // zeros before a start code, as drivers write it
	i := bytes.Index(data, []byte{0, 0, 1})
	if i < 0 || i > longest {
		if len(data) > 4 && int64(binary.BigEndian.Uint32(data)) <= int64(len(data)-4) {
			if units, err := nal.SplitLengthPrefixed(data, 4); err == nil {
				return units, nil
			}
		}
	}
	return nal.SplitAnnexB(data)
}

// keyFrame implements handler. A device that cannot be asked begins anew with one when
// its stream is started again, which costs some pictures: only where the next key frame
// may be far.
func (p *passing) keyFrame(now time.Time) error {
	const far, rarely = 5 * time.Second, 15 * time.Second
	d := p.session.opened.device
	if p.canForce {
		if err := d.SetControl(uapi.ControlForceKeyFrame, 1); err != nil {
			p.canForce = false
			p.session.source.opts.Logger.Debug("the device gives no key frame when asked", "error", err)
		}
		return nil
	}
	if !p.out.Begun() || now.Sub(p.keyAt) < far || now.Sub(p.startAt) < rarely {
		return nil
	}
	p.startAt = now
	p.joiner = joiner{codec: p.joiner.codec, spread: p.joiner.spread}
	p.session.counter = sequence{}
	err := p.session.opened.restart()
	p.session.last = time.Now() // some drivers take seconds
	return err
}

// close implements handler.
func (p *passing) close() {}
