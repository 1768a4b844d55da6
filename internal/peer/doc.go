// Package peer connects two peers: it is the only user of pion/webrtc. An
// Endpoint answers viewers' offers on one UDP port and sends them video from
// shared frames; Dial is the viewer's side. HTTP runs over data channels both
// ways.
package peer
