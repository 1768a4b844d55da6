// Package client keeps one peer registered at a signaling server and carries its
// signed messages. It does not look into them: signaling.Open does.
package client
