package pattern

// markTimes marks the matches of Times: n hits within the span. If a hit is in
// a match at all, it is in one of n neighbours, so blocks of n are enough.
func markTimes(hits []held, n int, span int64) gains {
	var g gains
	marked := 0 // hits before this one were looked at
	for i := n - 1; i < len(hits); i++ {
		first := i - n + 1
		if hits[i].at-hits[first].at > span {
			continue
		}
		hits[first].marks |= starts
		for j := max(first, marked); j < i; j++ {
			g.add(hits, j, 1, false)
		}
		g.add(hits, i, 1, true)
		marked = i + 1
	}
	return g
}
