package pattern

import "math/bits"

// markTogether marks the matches of Together: a different hit for each step,
// all within the span.
//
// Whether the hits of a window can fill all steps is Hall's condition: for each
// set of steps there are at least as many hits that fill any of it. Where they
// can, every one of them fills some step of some match, for a hit can always
// take the place of another. Which steps, says window.roles.
//
// Every match lies in the window that ends with its last hit. So each hit in
// turn ends a window; when the roles of those that match the same steps grow,
// the hits in the window are given the new ones, each role once. Another turn,
// from the last hit to the first, finds which of them begin a match.
func markTogether(hits []held, steps int, span int64) gains {
	var g gains
	roles := rolesTogether(hits, steps, span)
	for i := range hits {
		if r := &roles[i]; r.found != 0 {
			g.add(hits, i, uint64(r.found), r.ends)
		}
	}
	w := newWindow(steps)
	right := len(hits) - 1
	for i := right; i >= 0; i-- {
		for ; hits[right].at-hits[i].at > span; right-- {
			w.leave(hits[right].mask())
		}
		w.enter(hits[i].mask())
		if w.short == 0 {
			hits[i].marks |= starts
		}
	}
	return g
}

// mask is the steps that a hit of Together matches: it has no more than eight.
func (h *held) mask() uint8 { return uint8(h.matches) }

// role is what a hit does in the matches of Together.
type role struct {
	alike int32 // 1 + the hit before it that matches the same steps
	found uint8 // the steps it fills in some match
	ends  bool  // it is the last hit of a match
}

func rolesTogether(hits []held, steps int, span int64) []role {
	out := make([]role, len(hits))
	w := newWindow(steps)
	var last [256]int32     // by mask: 1 + the newest hit
	var given [256][8]int32 // by mask and step: 1 + the newest hit that was given the step
	var masks []uint8       // those seen
	left := 0
	for i := range hits {
		m := hits[i].mask()
		for ; hits[i].at-hits[left].at > span; left++ {
			w.leave(hits[left].mask())
		}
		w.enter(m)
		if last[m] == 0 {
			masks = append(masks, m)
		}
		out[i].alike, last[m] = last[m], int32(i)+1
		if w.changed {
			before := w.table
			w.update()
			for _, m := range masks {
				for grown := w.table[m] &^ before[m]; grown != 0; grown &= grown - 1 {
					k := bits.TrailingZeros8(grown)
					for j := last[m]; int(j) > left && j > given[m][k]; j = out[j-1].alike {
						out[j-1].found |= 1 << k
					}
					given[m][k] = last[m]
				}
			}
		}
		out[i].found |= w.table[m]
		for now := w.table[m]; now != 0; now &= now - 1 {
			given[m][bits.TrailingZeros8(now)] = last[m]
		}
		out[i].ends = w.short == 0
	}
	return out
}
