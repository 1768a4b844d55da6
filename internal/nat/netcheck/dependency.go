package netcheck

// Dependency is what a router's behaviour depends on (RFC 4787 §4.1, §5).
type Dependency string

// The dependencies.
const (
	Unknown                 Dependency = "unknown"
	EndpointIndependent     Dependency = "endpoint-independent"
	AddressDependent        Dependency = "address-dependent"
	AddressAndPortDependent Dependency = "address-and-port-dependent"
)

// Behaviour is one of a router's two behaviours, as far as it could be measured.
type Behaviour struct {
	Kind Dependency `json:"kind"`
	// Certain says that nothing else would look the same.
	Certain bool `json:"certain"`
	// Reason is why Kind is unknown or not certain: one sentence.
	Reason string `json:"reason,omitempty"`
}

func unknown(reason string) Behaviour { return Behaviour{Unknown, false, reason} }

func certain(kind Dependency) Behaviour { return Behaviour{kind, true, ""} }

func likely(kind Dependency, reason string) Behaviour { return Behaviour{kind, false, reason} }
