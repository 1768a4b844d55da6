package backup

import "errors"

// Errors of reading a backup. Nothing has been changed when one is returned.
var (
	// ErrPassphrase says that the passphrase does not open the file.
	ErrPassphrase = errors.New("this passphrase does not open the backup; check it and try again, or take another copy if the file may be damaged")
	// ErrDamaged says that the file is no backup, or not whole any more.
	ErrDamaged = errors.New("this is no whole backup: it is damaged, cut off or something else; take another copy")
	// ErrOccupied says that there is a key where the backup would go.
	ErrOccupied = errors.New("there is a key in the folder already")
	// ErrNoKey says that a folder or a backup holds no key.
	ErrNoKey = errors.New("there is no key of a device in it")
)
