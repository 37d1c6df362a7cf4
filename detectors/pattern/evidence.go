package pattern

import (
	"slices"
	"sort"
)

// EvidenceOf is the whole evidence of an episode as the fold now tells it,
// oldest first, where an Episode lists the newest only. It knows the hits that
// are held, and of those that are not what the episode lists: so it is whole in
// a fold that was made from zero, never pruned, and has not reached a bound.
func (f *Fold) EvidenceOf(e *Episode) []Evidence {
	first, last := instant(e.First), instant(e.Last)
	all := make([]Evidence, 0, e.Count)
	if i := sort.Search(len(f.records), func(i int) bool { return f.records[i].first >= first }); i < len(f.records) && f.records[i].first == first {
		all = append(all, f.records[i].head...)
	}
	dropped := len(all)
	// Episodes lie apart, so what was found between its ends is the episode's.
	for i := f.timeline.seek(first); i < len(f.timeline.hits) && f.timeline.hits[i].at <= last; i++ {
		if h := &f.timeline.hits[i]; h.found != 0 {
			all = append(all, h.evidence())
		}
	}
	if dropped > 0 {
		slices.SortFunc(all, func(a, b Evidence) int {
			if a.place().before(b.place()) {
				return -1
			}
			return 1
		})
	}
	return all
}
