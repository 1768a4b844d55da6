package client

import "slices"

// Service is what a signaling server offers beside signaling.
type Service struct {
	// STUN are the URLs of its STUN servers ("stun:host:port"), at most
	// signaling.MaxICEURLs.
	STUN []string
	// Relay says that this peer may ask for a relay.
	Relay bool
}

func (s Service) equal(o Service) bool { return s.Relay == o.Relay && slices.Equal(s.STUN, o.STUN) }

func (s Service) clone() Service { return Service{STUN: slices.Clone(s.STUN), Relay: s.Relay} }
