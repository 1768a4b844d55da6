// Package agent is the camera-side process: it keeps its cameras connected,
// answers viewers that come through a signaling server or by WHEP, and serves
// its HTTP API over data channels and over its own listener alike.
//
// docs/design/agent.md has the numbered invariants, docs/design/whep.md those
// of WHEP, docs/openapi.yaml the API.
package agent
