package verify

import "fmt"

// Lines is the report as lines of text, the result last.
func (r Report) Lines() []string {
	out := []string{fmt.Sprintf("%s, %d pictures in %d groups (GOPs).", r.Codec, r.Pictures, r.GOPs)}
	if r.Signed {
		out = append(out, "Signed by the key "+r.Key+".")
		if r.Camera != "" {
			out = append(out, "That is the key of the camera "+r.Camera.Grouped()+".")
		}
		if r.CameraName != "" {
			out = append(out, "The signer calls it "+r.CameraName+".")
		}
		if r.Subject != "" {
			out = append(out, "Its certificate says: "+r.Subject+".")
		}
	}
	for _, p := range r.Periods {
		out = append(out, fmt.Sprintf("Authentic: GOP %d to %d, %s to %s.", p.First, p.Last, stamp(p.From), stamp(p.To)))
	}
	const most = 1000
	for i, p := range r.Problems {
		if i == most {
			out = append(out, fmt.Sprintf("And %d more.", len(r.Problems)-most))
			break
		}
		out = append(out, fmt.Sprintf("[%s] %s", p.Kind, p.Text))
	}
	if r.Tail != nil {
		out = append(out, r.Tail.Text)
	}
	out = append(out, r.Notes...)
	return append(out, r.Summary)
}
