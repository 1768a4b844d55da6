package agent

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of an SDP fragment; real ones have a handful of candidates.
const (
	maxFragmentBytes      = 16 << 10
	maxFragmentLine       = 1024
	maxFragmentMedia      = 16
	maxFragmentCandidates = 64
)

// sdpFragment is a parsed application/trickle-ice-sdpfrag body (RFC 8840 §9).
type sdpFragment struct {
	Ufrag, Pwd string // ICE credentials; those of the media sections when the session has none
	Media      []fragmentMedia
}

// fragmentMedia is one media section of an sdpFragment.
type fragmentMedia struct {
	Mid        string
	Candidates []string // "candidate:…", without "a="
	End        bool     // no more candidates will come
}

var errFragment = errors.New("malformed SDP fragment")

// parseSDPFragment parses an application/trickle-ice-sdpfrag body. Attributes
// it does not know are passed over as RFC 8866 §5.13 wants; anything else that
// does not follow RFC 8840 §9 is an error wrapping errFragment.
func parseSDPFragment(body string) (*sdpFragment, error) {
	if len(body) > maxFragmentBytes {
		return nil, fmt.Errorf("%w: longer than %d bytes", errFragment, maxFragmentBytes)
	}
	p := fragmentParser{frag: &sdpFragment{}}
	for n, line := range strings.Split(body, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", errFragment, n+1, err)
		}
	}
	return p.finish()
}

// fragmentParser is the state of parseSDPFragment.
type fragmentParser struct {
	frag       *sdpFragment
	inMedia    bool
	candidates int
	ends       bool // end-of-candidates at session level
}

func (p *fragmentParser) line(line string) error {
	if len(line) > maxFragmentLine {
		return fmt.Errorf("longer than %d bytes", maxFragmentLine)
	}
	if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("control character")
	}
	kind, value, ok := strings.Cut(line, "=")
	switch {
	case !ok || value == "":
		return errors.New("not of the form type=value")
	case kind == "m":
		return p.media(value)
	case kind == "a":
		name, rest, _ := strings.Cut(value, ":")
		return p.attribute(name, rest)
	}
	return errors.New("only m= and a= lines belong here")
}

func (p *fragmentParser) media(value string) error {
	if len(strings.Fields(value)) < 4 {
		return errors.New("m= needs media, port, protocol and format")
	}
	if err := p.closeMedia(); err != nil {
		return err
	}
	if len(p.frag.Media) == maxFragmentMedia {
		return errors.New("too many media sections")
	}
	p.frag.Media = append(p.frag.Media, fragmentMedia{})
	p.inMedia = true
	return nil
}

// closeMedia checks the media section that ends here.
func (p *fragmentParser) closeMedia() error {
	if p.inMedia && p.frag.Media[len(p.frag.Media)-1].Mid == "" {
		return errors.New("a media section has no a=mid")
	}
	return nil
}

func (p *fragmentParser) attribute(name, value string) error {
	switch name {
	case "ice-ufrag":
		return setOnce(&p.frag.Ufrag, value, 4)
	case "ice-pwd":
		return setOnce(&p.frag.Pwd, value, 22)
	case "mid":
		if !p.inMedia {
			return errors.New("a=mid outside of a media section")
		}
		m := &p.frag.Media[len(p.frag.Media)-1]
		if m.Mid != "" || value == "" || len(value) > 64 || strings.Contains(value, " ") {
			return errors.New("a=mid is repeated or not a token")
		}
		m.Mid = value
	case "candidate":
		return p.candidate(value)
	case "end-of-candidates":
		if p.inMedia {
			p.frag.Media[len(p.frag.Media)-1].End = true
		} else {
			p.ends = true
		}
	}
	return nil
}

func (p *fragmentParser) candidate(value string) error {
	if !p.inMedia {
		return errors.New("a=candidate outside of a media section")
	}
	// foundation component transport priority address port "typ" type
	if f := strings.Fields(value); len(f) < 8 || f[6] != "typ" {
		return errors.New("a=candidate is not as in RFC 8839 §5.1")
	}
	if p.candidates++; p.candidates > maxFragmentCandidates {
		return errors.New("too many candidates")
	}
	m := &p.frag.Media[len(p.frag.Media)-1]
	m.Candidates = append(m.Candidates, "candidate:"+value)
	return nil
}

func (p *fragmentParser) finish() (*sdpFragment, error) {
	if err := p.closeMedia(); err != nil {
		return nil, fmt.Errorf("%w: %w", errFragment, err)
	}
	if p.frag.Ufrag == "" || p.frag.Pwd == "" {
		return nil, fmt.Errorf("%w: a=ice-ufrag and a=ice-pwd are required", errFragment)
	}
	for i := range p.frag.Media {
		p.frag.Media[i].End = p.frag.Media[i].End || p.ends
	}
	return p.frag, nil
}

// setOnce stores an ICE credential (RFC 8839 §5.4): ice-char only, at least
// shortest and at most 256 long, and the same one in every media section.
func setOnce(dst *string, value string, shortest int) error {
	if len(value) < shortest || len(value) > 256 || strings.ContainsFunc(value, notICEChar) {
		return errors.New("an ICE credential is malformed")
	}
	if *dst != "" && *dst != value {
		return errors.New("two different ICE credentials")
	}
	*dst = value
	return nil
}

func notICEChar(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '+', r == '/':
		return false
	}
	return true
}
