// Package signaling introduces peers to each other: the messages they sign and
// seal for one another, and the frames in which a server passes them on. This page
// is the protocol's specification; docs/design/signaling.md has its invariants,
// goals and reasons.
//
// There are two layers. Session messages go from peer to peer, signed and then
// sealed; the server can neither read nor make nor change nor reuse them. Frames
// go between a client and the server.
//
// # Common rules
//
// All JSON is UTF-8, at most one value, and strict: an unknown, repeated or
// differently cased name is an error, and so is a value above its limit. "Token
// of n bytes" means random or hashed bytes as unpadded base64url, in the one
// canonical spelling. PeerIDs are canonical: 52 lower-case characters. Integers
// are 0 to 2^53-1.
//
// A JWS is a compact serialization (RFC 7515 §7.1) of at most 73,728 bytes with
// alg ES256. Its protected header has the members alg, typ and jwk and no other:
//
//	{"alg":"ES256","typ":"sightline+jws","jwk":{"kty":"EC","crv":"P-256","x":"…","y":"…"}}
//
// The jwk has those four members and no other (WebCrypto's exportKey adds
// "ext" and "key_ops": leave them out). The receiver computes the PeerID of the
// jwk and requires that it is the "from" (in a registration the "id") inside.
//
// A sealed message is a compact JWE (RFC 7516 §7.1) of at most 100,352 bytes
// whose plaintext is a compact JWS: ECDH-ES (RFC 7518 §4.6) with a fresh P-256
// key and without party info, A256GCM. Its encrypted key is empty and its
// protected header has the members alg, enc, typ and epk and no other:
//
//	{"alg":"ECDH-ES","enc":"A256GCM","typ":"sightline+jwe","epk":{"kty":"EC","crv":"P-256","x":"…","y":"…"}}
//
// It is sealed with the receiver's agreement key, an uncompressed P-256 point (65
// bytes) as unpadded base64url. A publisher's is in its key statement, a JWS of
// at most 1,024 bytes over
//
//	{"type":"keys","id":PeerID,"agreement":"…"}
//
// which the server hands out and a viewer verifies: it must be signed by the very
// peer that is dialled. A viewer's is in its offer. Sealing says nothing about the
// sender; the JWS inside does, and names its receiver.
//
// # Session messages
//
// Every session message has
//
//	type     "offer", "answer", "reject", "candidate", "bye", "restart",
//	         "restarted" or "restart-request"
//	from     PeerID of the sender, who signs
//	to       PeerID of the one receiver, another peer
//	session  token of 16 bytes, chosen by the viewer, fresh for every session
//	seq      1 for each side's first message, then rising (gaps are allowed)
//	exp      Unix seconds: the sender's time + 60
//
// and, by type,
//
//	offer      nonce (token of 16 bytes, fresh), key (the viewer's agreement key),
//	           claim ("", "pair" or "invite"), grants (at most 4 compact JWS, all
//	           together at most 6,144 bytes), sdp (1 to 40,960 bytes),
//	           media (at most 32 of {"mid","camera"}; camera "" is the first one)
//	answer     nonce (fresh), peerNonce (the offer's), offerHash, sdp, ice
//	reject     offerHash, code, reason (at most 256 bytes)
//	candidate  transcript, candidate (at most 1,024 bytes; "" is the end), mid
//	bye        transcript, reason
//	restart    transcript, sdp: the viewer's offer of new ICE parameters
//	restarted  transcript, restart (the restart's seq), sdp, ice
//	restart-request
//	           transcript, reason: the publisher asks for a restart
//
// ice is a list of at most 4 STUN and TURN servers {"urls","username",
// "credential","expires"}: 1 to 4 URLs and texts of at most 256 bytes each;
// expires in Unix seconds, 0 for never.
//
// offerHash is the token of SHA-256(offer's JWS), transcript the token of
// SHA-256(offer's JWS + "." + answer's JWS): hashes of the compact
// serializations as they were sent. A mid is "" (candidates only) or up to 16
// token characters; a camera id is 1 to 64 of a-z, 0-9, '-', '_', beginning
// with a letter or digit. Reject codes are forbidden, busy, bad_request,
// no_camera, expired, pairing_closed and locked.
//
// The handshake, seen by each side:
//
//	viewer:    offer -> (answer | reject)   then (candidate | restart)* [bye]
//	publisher: offer -> answer or reject    then (candidate | restarted | restart-request)* [bye]
//
// A viewer offers once per session. It holds its candidates back until the
// answer, because they need the transcript; it waits a moment for gathering
// before it offers, and the answer carries all of the publisher's candidates.
// Neither side sends after a reject or a bye. A receiver ignores what does not
// fit: a message that is not from the other end of this session to itself, a
// second or unasked answer, another offerHash, peerNonce or transcript, a seq
// that does not rise.
//
// A publisher accepts an offer if, in this order, it is for itself, the viewer
// is allowed, it has not expired, and its (from, nonce) is not in the memory of
// offers seen. "Expired" is an exp more than two minutes before the publisher's
// clock, or more than two minutes after that clock + 60. A clock before 2026
// counts for nothing: the latest signing time of an accepted offer takes its
// place if it is later, and then no offer is from the future. A viewer whose
// offer is rejected with "expired" may offer again, in a new session, with the
// publisher's time, which is the reject's exp - 60. All other messages are fresh
// by the nonce or the transcript in them, and their exp is compared with no
// clock.
//
// # Frames
//
// A WebSocket at /v1/signal with the subprotocol "sightline.signal.v1"; text
// messages of at most 102,400 bytes, one frame each. A browser's Origin must be
// the server's own or one that it lists, the Host must be one of its names.
//
//	server  {"type":"challenge","nonce":token of 32 bytes}
//	client  {"type":"register","jws":"…","keys":"the client's key statement"}
//	server  {"type":"registered","id":PeerID,"resume":token of 16 bytes,"resumed":bool,
//	         "stun":[URL],"relay":bool}
//	client  {"type":"lookup","to":PeerID,"ref":int}
//	server  {"type":"keys","of":PeerID,"ref":int,"keys":"…"}      or an error with that ref
//	client  {"type":"send","to":PeerID,"ref":int,"payload":"…"}   optionally "ack":true
//	server  {"type":"sent","ref":int}                             only if asked by "ack"
//	server  {"type":"message","from":PeerID,"payload":"…"}
//	client  {"type":"relay","ref":int}
//	server  {"type":"relay","ref":int,"ice":{…}}                  or an error with that ref
//	server  {"type":"error","code":"…","ref":int,"message":"…"}
//
// The register's jws signs
//
//	{"type":"register","nonce":the challenge's,"host":"…","id":PeerID,"resume":token or ""}
//
// with host as in the dialled URL: lower case, "name" or "name:port", without
// the ports 80 and 443 and without a final dot. The server requires that it is
// the Host of this very connection's request, so that a proof made for one
// server is of no use at another.
//
// A lookup is answered with the key statement that the peer registered with, or
// with unreachable. A client may send one right behind register, without waiting
// for registered, so that it costs no time. A publisher that was started again has
// another key, and cannot answer what was sealed with the old one: a viewer looks
// the key up for every session.
//
// stun lists the service's STUN servers, at most 4 "stun:host:port" (RFC 7064);
// two of them at different ports or addresses let a client see whether its NAT
// changes the port for every destination. relay says whether this peer may ask
// for a relay, as its operator has decided; the server decides again when asked.
// The answer to relay is a TURN server as in ice above, with a credential for
// this one request that ends in some hours. A publisher asks for each session and
// hands it to the viewer in the answer, sealed; a viewer has nothing to ask for.
//
// ref is the client's choice, and 0 in errors that are about no frame. With
// "ack" every send frame is answered, by sent or by an error; without it, only
// errors come. "sent" means that the server took the message, not that the other
// peer read it: the answer to an offer says that. Frames from one client to one
// other arrive in order, and the server never delivers one twice. A client may
// send a message again over a new connection if it does not know what became of
// it: nonces and seq make a repeated message harmless.
//
// # Errors
//
//	code             when                                                connection
//	bad_message      not text, not JSON, unknown or malformed frame      closed, 1008
//	unauthenticated  a frame before register, a register that proves     closed, 1008
//	                 nothing, or no register within 10 s
//	unreachable      the receiver is unknown or offline; the two look    goes on
//	                 the same in content and in timing
//	rate_limited     too many frames; the frame was not delivered        goes on; closed
//	                                                                     (1008) if it does not stop
//	too_large        a message over 102,400 bytes                        closed, 1009
//	server_busy      too many connections, or a receiver that reads too  goes on if about a
//	                 slowly                                              send, else closed, 1013
//	displaced        the same key registered again, with proof           closed, 4001
//	forbidden        the relay is not for this peer                      goes on
//	unsupported      the service has no relay                            goes on
//
// Before the WebSocket exists the server answers with an HTTP status: 421 for a
// foreign Host, 403 for a foreign Origin, 400 or 426 for a request that is no
// WebSocket of this subprotocol, 429 with Retry-After for too many connections
// from one address or while the address is held off for what it did before, 503
// for too many in total or while it closes. A key that is held off is answered
// rate_limited when it registers, and closed with 1013. A server that shuts down
// closes with 1001.
//
// # Keep-alive and resume
//
// Both sides send WebSocket pings and give the connection up when no pong
// comes. A client that closes with 1000 or 1001 is offline at once. When a
// connection is lost in any other way, the server holds up to 32 messages for that
// peer for 30 s and delivers them, first, to whoever next proves to hold the
// key; if that registration carries the resume token, "resumed" is true and
// tells the client that the server kept what came in between (what it had
// already written to the lost connection may be lost with it). For messages
// still held after that time the sender, if it is still there, gets an error
// unreachable. A second registration of a key takes over from the first at once.
package signaling
