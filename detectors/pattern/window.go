package pattern

import "math/bits"

// window counts the hits that lie in a window of Together, by the steps that
// they match, so that it can tell which steps they can fill.
type window struct {
	steps int
	all   int        // sets of steps: 1 << steps
	held  [256]int32 // by mask: hits that match exactly these steps
	// fill is, by set of steps, how many hits match any of it; of those that
	// match the same steps only as many are counted as there are steps, for
	// more are never needed. So the counts of a crowded window rarely change.
	fill  [256]int16
	short int // non-empty sets with fewer hits than steps

	changed bool       // since table was made
	table   [256]uint8 // by mask: the steps that a hit with it can fill
}

func newWindow(steps int) *window {
	w := &window{steps: steps, all: 1 << steps}
	w.short = w.all - 1
	return w
}

// enter takes in a hit with the mask, which is not empty.
func (w *window) enter(mask uint8) {
	if w.held[mask]++; int(w.held[mask]) > w.steps {
		return
	}
	for set := 1; set < w.all; set++ {
		if set&int(mask) == 0 {
			continue
		}
		w.fill[set]++
		switch int(w.fill[set]) - bits.OnesCount8(uint8(set)) {
		case 0:
			w.short--
			w.changed = true
		case 1:
			w.changed = true
		}
	}
}

// leave lets go of a hit with the mask.
func (w *window) leave(mask uint8) {
	if w.held[mask]--; int(w.held[mask]) >= w.steps {
		return
	}
	for set := 1; set < w.all; set++ {
		if set&int(mask) == 0 {
			continue
		}
		switch int(w.fill[set]) - bits.OnesCount8(uint8(set)) {
		case 0:
			w.short++
			w.changed = true
		case 1:
			w.changed = true
		}
		w.fill[set]--
	}
}

// update makes the table anew.
//
// A set of steps is tight if there are just as many hits for it as it has
// steps: these hits are all needed there. So a hit that matches a step of a
// tight set fills none outside it, and any other step that it matches it can
// fill. It is enough to know, for each step, the least tight set around it:
// what two tight sets have in common is tight, too.
func (w *window) update() {
	w.changed = false
	if w.short > 0 {
		w.table = [256]uint8{}
		return
	}
	var least [8]uint8
	for k := range least {
		least[k] = 0xff
	}
	for set := 1; set < w.all; set++ {
		if int(w.fill[set]) != bits.OnesCount8(uint8(set)) {
			continue
		}
		for m := uint8(set); m != 0; m &= m - 1 {
			least[bits.TrailingZeros8(m)] &= uint8(set)
		}
	}
	var within [256]uint8 // by mask: what the tight sets around its steps have in common
	within[0] = 0xff
	for mask := 1; mask < w.all; mask++ {
		within[mask] = within[mask&(mask-1)] & least[bits.TrailingZeros8(uint8(mask))]
		w.table[mask] = uint8(mask) & within[mask]
	}
}
