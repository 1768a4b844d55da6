package attacks

import "slices"

// table is every attack. Those that take longest come first.
func table() []attack {
	return slices.Concat(
		limitAttacks(), pageAttacks(), grantAttacks(), listAttacks(), pairingAttacks(), guestAttacks(), whepAttacks(), middleAttacks(),
		offerAttacks(), answerAttacks(), registrationAttacks(), webAttacks(),
	)
}
