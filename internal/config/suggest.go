package config

import (
	"strings"
)

// suggest returns `; did you mean "x"?` for the known key nearest to an
// unknown one, or the list of known keys if none is near.
func suggest(key string, known []string) string {
	best, distance := "", len(key)/3+2
	for _, k := range known {
		if d := editDistance(plain(key), plain(k)); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return "; known here: " + strings.Join(known, ", ")
	}
	return `; did you mean "` + best + `"?`
}

// plain makes camelCase, snake_case and kebab-case alike.
func plain(key string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(key))
}

// editDistance returns how many bytes must be inserted, removed or replaced to
// make a into b (Levenshtein). Long keys are cut: they are not near anything.
func editDistance(a, b string) int {
	const longest = 64
	a, b = a[:min(len(a), longest)], b[:min(len(b), longest)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
