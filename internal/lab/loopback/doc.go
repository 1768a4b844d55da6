// Package loopback is TCP inside one process, for tests in virtual time: real sockets
// do not work in a testing/synctest bubble, and a timeout that is tested on the real
// clock is right or wrong by how busy the machine is. Connections have addresses of
// 127.0.0.1 and buffers, so whoever writes need not wait for whoever reads. All of it
// must be made inside the bubble.
package loopback
