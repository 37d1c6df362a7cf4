package pattern

import "watchword/rules"

// gain is what a hit was newly found to be.
type gain struct {
	index int    // of the hit, in the hits looked at
	steps uint64 // the steps it is newly evidence for; none if it only newly ends a match
	fresh bool   // it was no evidence before
}

// gains collects them in the order of the hits.
type gains []gain

// add says that hit i is evidence for the steps and, if end, ends a match.
func (g *gains) add(hits []held, i int, steps uint64, end bool) {
	h := &hits[i]
	more := steps &^ h.found
	newEnd := end && !h.is(ends)
	if more == 0 && !newEnd {
		return
	}
	*g = append(*g, gain{index: i, steps: more, fresh: h.found == 0})
	h.found |= steps
	if end {
		h.marks |= ends
	}
}

// mark finds every match among the hits, which are neighbours, that holds one
// of the news, and notes on the hits what they are. It returns what is new, and
// what the spans of those matches cover.
func (f *Fold) mark(hits, news []held) (gains, cover) {
	var g gains
	switch f.pattern.Word {
	case rules.Travel:
		return markTravel(hits, news, f.journeysOf(hits))
	case rules.Distinct:
		g = markDistinct(hits, f.need, f.span, f.timeline.values.window)
	case rules.Sequence:
		g = markSequence(hits, f.pattern.Steps, f.span)
	case rules.Together:
		g = markTogether(hits, f.need, f.span)
	default:
		g = markTimes(hits, f.need, f.span)
	}
	return g, &crossed{hits: hits, span: f.span}
}
