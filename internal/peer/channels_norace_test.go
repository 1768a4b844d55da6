//go:build !race

package peer

// channelsAtOnce is how many connections tests open at once.
const channelsAtOnce = defaultChannelLimit
