package check

// Name is a check, as metrics and documents call it.
type Name string

// Checks on session messages, made by both ends.
const (
	// Sealed: a message is encrypted to its receiver.
	Sealed Name = "sealed"
	// Signed: a message is a JWS; nothing unsigned is read.
	Signed Name = "signed"
	// Algorithm: ES256 and nothing else.
	Algorithm Name = "algorithm"
	// Signature: the signature is right.
	Signature Name = "signature"
	// Sender: whoever a message or a key statement says it is from signed it.
	Sender Name = "sender"
	// Receiver: a message is for this peer.
	Receiver Name = "receiver"
	// Replay: an offer opens a session once.
	Replay Name = "replay"
	// Freshness: an offer was made within the last minutes.
	Freshness Name = "freshness"
	// Binding: an answer belongs to this offer, a later message to this
	// handshake.
	Binding Name = "binding"
	// Order: a message is taken once, in rising order.
	Order Name = "order"
)

// Checks on who may do what, made by a publisher.
const (
	// Allowed: a viewer is an owner, or holds a grant, or is on the list.
	Allowed Name = "allowed"
	// Issuer: a grant's chain begins with an owner of this publisher.
	Issuer Name = "issuer"
	// Holder: a grant is for the peer that shows it.
	Holder Name = "holder"
	// Audience: a grant is for this publisher or its home.
	Audience Name = "audience"
	// Expiry: a grant has not expired.
	Expiry Name = "expiry"
	// Revoked: neither a grant nor anyone in its chain was revoked.
	Revoked Name = "revoked"
	// Narrowing: a grant that was passed on gives no more than its parent.
	Narrowing Name = "narrowing"
	// Right: a request or a track needs a right that the viewer has.
	Right Name = "right"
	// ListSigner: an access list is signed by an owner.
	ListSigner Name = "list-signer"
	// ListVersion: an access list does not take back a newer one.
	ListVersion Name = "list-version"
	// Proof: pairing and invites need the secret.
	Proof Name = "proof"
	// Once: the secret of a pairing or an invite works once.
	Once Name = "once"
	// Lock: after five wrong tries nobody may try for a while.
	Lock Name = "lock"
)

// Checks of the servers.
const (
	// Registration: whoever registers a peer id proves that it has its key.
	Registration Name = "registration"
	// Host: a request names a host that is ours (DNS rebinding).
	Host Name = "host"
	// Origin: no page of another origin gets in.
	Origin Name = "origin"
	// Form: JSON is strict and not larger than its limit.
	Form Name = "form"
	// Connections: one address has only so many connections, and silent ones
	// end.
	Connections Name = "connections"
	// Sessions: one viewer has only so many sessions, and strangers take no
	// places of those who may watch.
	Sessions Name = "sessions"
	// Rate: one peer sends only so much.
	Rate Name = "rate"
)
