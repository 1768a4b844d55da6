package attacks

import "slices"

// table is every attack, in the order in which they are printed when they take
// equally long.
func table() []attack {
	return slices.Concat(offerAttacks(), answerAttacks(), registrationAttacks(), webAttacks())
}
