package signaling

import "fmt"

// ICEServer is a STUN or TURN server and how to use it, as WebRTC's RTCIceServer
// has it.
type ICEServer struct {
	// URLs are 1 to MaxICEURLs "stun:", "turn:" or "turns:" URLs (RFC 7064,
	// RFC 7065), each at most MaxICEText bytes.
	URLs []string `json:"urls"`
	// Username and Credential are for TURN; empty for STUN.
	Username   string `json:"username"`
	Credential string `json:"credential"`
	// Expires is when the credential ends, in seconds since the Unix epoch; 0
	// for never.
	Expires int64 `json:"expires"`
}

// Limits of an ICEServer.
const (
	// MaxICEServers is the largest number of servers in a message.
	MaxICEServers = 4
	// MaxICEURLs is the largest number of URLs of one server.
	MaxICEURLs = 4
	// MaxICEText is the longest URL, username and credential, in bytes.
	MaxICEText = 256
)

// Validate checks the limits, and that the URLs look like URLs. Errors wrap
// ErrMessage.
func (s ICEServer) Validate() error {
	if len(s.URLs) == 0 || len(s.URLs) > MaxICEURLs {
		return fmt.Errorf("%w: an ICE server has 1 to %d URLs", ErrMessage, MaxICEURLs)
	}
	for _, u := range s.URLs {
		if err := ValidateICEURL(u); err != nil {
			return err
		}
	}
	if len(s.Username) > MaxICEText || len(s.Credential) > MaxICEText || !printable(s.Username) || !printable(s.Credential) {
		return fmt.Errorf("%w: an ICE server's username and credential are at most %d bytes of ASCII", ErrMessage, MaxICEText)
	}
	if s.Expires < 0 || s.Expires > MaxInt {
		return fmt.Errorf("%w: expires is out of range", ErrMessage)
	}
	return nil
}

// ValidateICEURL checks one URL's length, scheme and alphabet; whoever uses it
// parses it. Errors wrap ErrMessage.
func ValidateICEURL(u string) error {
	for _, scheme := range []string{"stun:", "turn:", "turns:"} {
		if len(u) > len(scheme) && u[:len(scheme)] == scheme && len(u) <= MaxICEText && printable(u) {
			return nil
		}
	}
	return fmt.Errorf("%w: an ICE server's URL begins with stun:, turn: or turns: and has at most %d bytes", ErrMessage, MaxICEText)
}

func validateICE(servers []ICEServer) error {
	if servers == nil || len(servers) > MaxICEServers {
		return fmt.Errorf("%w: ice is a list of at most %d servers", ErrMessage, MaxICEServers)
	}
	for _, s := range servers {
		if err := s.Validate(); err != nil {
			return err
		}
	}
	return nil
}

func printable(text string) bool {
	for _, b := range []byte(text) {
		if b <= ' ' || b >= 0x7f {
			return false
		}
	}
	return true
}
