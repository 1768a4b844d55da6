package nal

// AccessUnit is what an Assembler makes of the NAL units of one time stamp.
type AccessUnit struct {
	// Payload is ready to be a codecs.Unit's; nil if there is no picture.
	Payload [][]byte
	// Key and Discardable are as in codecs.Unit.
	Key, Discardable bool
	// Changed says that Assembler.Track has changed with this unit: there are
	// other parameter sets, perhaps another resolution. Announce the track
	// before the unit is handed on.
	Changed bool
	// Undecodable says that parameter sets which the picture refers to have
	// not been received. Such a unit is never Key.
	Undecodable bool
	// Continues says that the first slice is not the first of a picture: the
	// beginning was lost, or the camera spreads a picture over several units
	// and they have to be joined before they come here.
	Continues bool
	// RecoveryPoint marks a unit with a recovery point message: decoding that
	// starts here shows a correct picture some time later. That is not Key:
	// browsers start at IDR and IRAP pictures only, and what a viewer or a
	// recording begins with has to be whole. A camera that refreshes pictures
	// bit by bit sends recovery points and no key pictures; it cannot be
	// watched until it is told to send key frames.
	RecoveryPoint bool
	// Reordered marks evidence of pictures sent in another order than they
	// are shown in; see BFrameDetector.
	Reordered bool
}
