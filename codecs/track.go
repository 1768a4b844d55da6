package codecs

// Track describes one elementary stream. A Track is immutable once handed on;
// a change of format is a new Track.
type Track struct {
	Codec Codec
	// ClockRate is the number of PTS ticks per second: 90,000 for video,
	// 48,000 for Opus, 8,000 for G.711, the sampling rate for AAC.
	ClockRate int
	// Channels is the number of audio channels; 0 for video.
	Channels int

	// VPS, SPS and PPS are parameter sets known out of band (SDP), as NAL
	// units without start code; nil when the stream carries them in band.
	// VPS is for H.265 only.
	VPS, SPS, PPS []byte

	// AudioConfig is the AAC AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).
	AudioConfig []byte
}
