// Package faultfs is a file system in memory that forgets: at a crash, what was not
// synced is lost, torn or out of order, file contents and names alike, as POSIX
// allows. It also runs out of room, fails and goes read-only when told to.
package faultfs
