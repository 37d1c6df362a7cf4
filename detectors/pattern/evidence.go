package pattern

// EvidenceOf is the whole evidence of an episode as the fold now tells it,
// oldest first, where an Episode lists the newest only. It knows the hits that
// are held, so it is whole in a fold that was made from zero, has no bound, was
// never pruned, and of which no hits were Trimmed.
func (f *Fold) EvidenceOf(e *Episode) []Evidence {
	first, last := instant(e.First), instant(e.Last)
	all := make([]Evidence, 0, e.Count)
	// Episodes lie apart, so what was found between its ends is the episode's.
	for i := f.timeline.seek(first); i < len(f.timeline.hits) && f.timeline.hits[i].at <= last; i++ {
		if h := &f.timeline.hits[i]; h.found != 0 {
			all = append(all, h.evidence())
		}
	}
	return all
}
