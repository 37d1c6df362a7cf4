package rules

import (
	"slices"
	"strings"
)

// didYouMean is a hint naming the known word nearest to the one written, or
// nothing where none is near.
func didYouMean(written string, known []string) string {
	if best := nearest(written, known); best != "" {
		return "did you mean " + best + "?"
	}
	return ""
}

// nearest is the known word with the fewest edits from the one written; a
// third of its letters may differ. The first in alphabetical order wins a tie.
func nearest(written string, known []string) string {
	if len(written) > 64 {
		return ""
	}
	known = slices.Sorted(slices.Values(known))
	best, fewest := "", max(1, len([]rune(written))/3)+1
	for _, k := range known {
		if strings.EqualFold(k, written) {
			return k
		}
		if d := edits([]rune(strings.ToLower(written)), []rune(strings.ToLower(k)), fewest); d < fewest {
			best, fewest = k, d
		}
	}
	return best
}

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b (optimal string alignment), giving up at limit.
func edits(a, b []rune, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	older, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, last, row = last, row, older
	}
	return min(last[len(b)], limit)
}
