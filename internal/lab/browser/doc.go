// Package browser drives a Chromium for tests, by playwright-core: it opens
// pages, presses what people press, and reads what the pages show and what WebRTC
// says of their connections. The scripts for that are in internal/e2e/browser,
// beside the packages that they need.
package browser
