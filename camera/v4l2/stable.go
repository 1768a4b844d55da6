package v4l2

import "slices"

// stableNames returns the links below /dev/v4l, which outlive a restart and a camera
// that is plugged in elsewhere (by-id) or another one in the same place (by-path), by
// the node that they lead to. By-id comes first.
func (m machine) stableNames() map[string][]string {
	found := make(map[string][]string)
	for _, folder := range [...]string{"/dev/v4l/by-id/", "/dev/v4l/by-path/"} {
		names := m.names(folder)
		slices.Sort(names)
		for _, name := range names[:min(len(names), maxNodes)] {
			if to := m.link(folder + name); to != "" {
				found[to] = append(found[to], folder+name)
			}
		}
	}
	return found
}
