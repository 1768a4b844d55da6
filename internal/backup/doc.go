// Package backup writes the state folder of a device (its keys, who may do
// what, the access log) into one file that a passphrase opens, and puts it back.
//
// The file is an age file (age-encryption.org/v1) for one scrypt recipient. In
// it is a tar archive: first sightline-backup.json, which says the version, then
// folders and plain files by their names below the state folder. Nothing else is
// taken when it is read: a backup comes from a disk that somebody else may have
// had in hand.
//
// Invariants:
//
//  1. A backup holds each file as it was at one moment, and all of them together:
//     when something was replaced meanwhile, everything is read again.
//  2. A restore changes the state folder by one rename, or not at all. What was
//     there is moved aside, never deleted.
//  3. Nothing of a backup is used before its last byte has been authenticated.
package backup
