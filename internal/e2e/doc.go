// Package e2e tests the real binary from outside: Debian's Chromium, driven by
// playwright-core, watches it through signaling, and cameras that are not ours
// feed it. Screenshots and logs are kept in artifacts/.
//
// The tests need node, npm's playwright-core (make node-modules), chromium and
// for some GStreamer. Without them they skip; where CI=true they fail. All
// traffic stays on loopback.
package e2e
