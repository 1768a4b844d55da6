package netcheck

import "github.com/sightline-cam/sightline/internal/nat"

// Measured is one of a router's two behaviours, as far as it could be measured.
type Measured struct {
	Kind nat.Behaviour `json:"kind"`
	// Certain says that nothing else would look the same.
	Certain bool `json:"certain"`
	// Reason is why Kind is unknown or not certain: one sentence.
	Reason string `json:"reason,omitempty"`
}

func unknown(reason string) Measured { return Measured{nat.BehaviourUnknown, false, reason} }

func certain(kind nat.Behaviour) Measured { return Measured{kind, true, ""} }

func likely(kind nat.Behaviour, reason string) Measured { return Measured{kind, false, reason} }
