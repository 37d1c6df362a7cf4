package pattern

// markDistinct marks the matches of Distinct: n hits with different values
// within the span. A window that holds n values makes evidence of all its hits,
// since each can stand for its value; its last hit ends a match if the window
// reaches back as far as it may, and likewise its first.
//
// count has a place for each value's number and is left as it came, all zero.
func markDistinct(hits []held, n int, span int64, count []int32) gains {
	var g gains
	different := 0 // values in the window
	enter := func(h *held) {
		if count[h.value]++; count[h.value] == 1 {
			different++
		}
	}
	leave := func(h *held) {
		if count[h.value]--; count[h.value] == 0 {
			different--
		}
	}

	left, marked := 0, 0
	for i := range hits {
		enter(&hits[i])
		for ; hits[i].at-hits[left].at > span; left++ {
			leave(&hits[left])
		}
		if different < n {
			continue
		}
		for j := max(left, marked); j < i; j++ {
			g.add(hits, j, 1, false)
		}
		g.add(hits, i, 1, true)
		marked = i + 1
	}
	for ; left < len(hits); left++ {
		leave(&hits[left])
	}

	right := len(hits) - 1
	for i := right; i >= 0; i-- {
		enter(&hits[i])
		for ; hits[right].at-hits[i].at > span; right-- {
			leave(&hits[right])
		}
		if different >= n {
			hits[i].marks |= starts
		}
	}
	for ; right >= 0; right-- {
		leave(&hits[right])
	}
	return g
}
