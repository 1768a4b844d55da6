package codecs

// Codec names a coding format.
type Codec uint8

// The codecs that a Track can carry.
const (
	Unknown Codec = iota
	H264          // ITU-T H.264, RTP payload RFC 6184
	H265          // ITU-T H.265, RTP payload RFC 7798
	Opus          // RFC 6716, RTP payload RFC 7587
	PCMU          // ITU-T G.711 µ-law, RTP payload type 0
	PCMA          // ITU-T G.711 A-law, RTP payload type 8
	AAC           // ISO/IEC 14496-3, RTP payload RFC 3640
)

// String returns the codec's usual name ("H.264", "Opus", …).
func (c Codec) String() string {
	switch c {
	case H264:
		return "H.264"
	case H265:
		return "H.265"
	case Opus:
		return "Opus"
	case PCMU:
		return "PCMU"
	case PCMA:
		return "PCMA"
	case AAC:
		return "AAC"
	case Unknown:
	}
	return "unknown"
}

// Video reports whether the codec carries pictures.
func (c Codec) Video() bool { return c == H264 || c == H265 }

// Audio reports whether the codec carries sound.
func (c Codec) Audio() bool { return c != Unknown && !c.Video() }
