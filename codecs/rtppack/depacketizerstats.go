package rtppack

// DepacketizerStats counts what a Depacketizer saw.
type DepacketizerStats struct {
	// Packets is the number of packets pushed.
	Packets uint64
	// Lost is the number of packets that never came, or too late.
	Lost uint64
	// Late is the number of packets that came after they had been given up,
	// or twice.
	Late uint64
	// Units is the number of units returned.
	Units uint64
	// Broken is the number of access units dropped because a part was lost or
	// malformed. Units of which no packet came are not in it, so that only an
	// unchanged Lost says that no picture is missing.
	Broken uint64
}
