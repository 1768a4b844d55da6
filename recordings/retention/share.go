package retention

import "slices"

// shares tells which agents elsewhere have more than their share of what is recorded:
// an equal part for each of them, and one for the cameras of this process. So one
// agent alone has at most half, and cannot push out what others have recorded.
type shares struct {
	bytes map[string]int64 // what is left of each agent; "" are this process's
	total int64
}

func (p *planner) shares() shares {
	s := shares{bytes: make(map[string]int64)}
	for id, c := range p.state.Cameras {
		if n := p.bytes[id]; n > 0 {
			s.bytes[c.agent()] += n
			s.total += n
		}
	}
	return s
}

// over reports whether an agent has more than its share.
func (s *shares) over(agent string) bool {
	return agent != "" && s.bytes[agent] > s.total/int64(max(len(s.bytes), 1))
}

// without takes note of a segment that is deleted.
func (s *shares) without(agent string, bytes int64) {
	s.bytes[agent] -= bytes
	s.total -= bytes
}

// agent returns whose share the camera's recordings count against. One that has a
// bound of its own counts like this process's.
func (r *Rules) agent() string {
	if r.MaxBytes > 0 {
		return ""
	}
	return r.Agent
}

// makeRoom deletes on a disk until there is enough: each time the oldest of an agent
// that has more than its share, or else of all. It returns the rest.
func (p *planner) makeRoom(d Disk, all []candidate, s *shares) []candidate {
	for d.Free+p.freed[d.ID] < d.High {
		next := -1
		for i, c := range all {
			if c.Dir != d.ID {
				continue
			}
			rules := p.state.Cameras[c.Camera].Rules
			if over := s.over(rules.agent()); over || next < 0 {
				if next = i; over {
					break
				}
			}
		}
		if next < 0 {
			break
		}
		c := all[next]
		rules := p.state.Cameras[c.Camera].Rules
		p.delete(c, NoRoom)
		s.without(rules.agent(), c.Bytes)
		all = slices.Delete(all, next, next+1)
	}
	return all
}
