package attacks

import "slices"

// table is every attack. Those that wait longest come first.
func table() []attack {
	return slices.Concat(
		limitAttacks(), pageAttacks(), durationAttacks(), recorderAttacks(), whepAttacks(), guestAttacks(), grantAttacks(), listAttacks(),
		pairingAttacks(), middleAttacks(), offerAttacks(), answerAttacks(), registrationAttacks(), webAttacks(),
	)
}
