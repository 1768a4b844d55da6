// Package whep watches a stream by WHEP (WebRTC-HTTP Egress Protocol,
// draft-ietf-wish-whep): an offer is POSTed to the stream's URL, the answer
// comes back, and a DELETE of the session's URL ends it. It works with any WHEP
// server, Sightline's agents included.
//
// Unlike viewer.Dial, WHEP proves nothing but what the URL's own TLS does: use
// it on the publisher's own listener only.
package whep
