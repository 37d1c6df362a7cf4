package pattern

import (
	"math/bits"
	"slices"
)

// Resume ends the warm-up of a fold made from a time, after the hits up to the
// position that the published alerts were decided at were applied. It takes
// from them what lies too far back for the fold to have seen: of the episodes
// that began before Settled and can still grow, what was published counts.
// Completed and CompletedLast may be zero if they are not known, and Evidence
// missing from an episode that ended more than Within + Quiet before Settled.
// On a fold that does not warm up it does nothing.
//
// From then on all is exact, with one exception: where the list of evidence was
// cut, and a late hit less than Within after Settled makes evidence of one from
// before Settled that the list does not reach, that one is not counted.
func (f *Fold) Resume(published []Episode) {
	if !f.warming {
		return
	}
	f.warming = false
	for i := range published {
		p := &published[i]
		exact := instant(p.First) >= f.settled.at && !p.Truncated
		past := instant(p.Last)+f.quiet < f.settled.at-f.within
		if !exact && !past {
			f.adopt(p)
		}
	}
}

// adopt puts a published episode in the place of what the fold has found of it.
func (f *Fold) adopt(p *Episode) {
	r := record{
		first: instant(p.First), last: ref{instant(p.Last), p.CompletedLast.ID},
		count: p.Count, steps: make([]int, len(f.pattern.Steps)),
		historical: p.Historical, truncated: p.Truncated,
	}
	copy(r.steps, p.Steps)
	if n := len(p.Evidence); r.last.id == "" && n > 0 {
		r.last.id = p.Evidence[n-1].ID
	}
	if p.Completed != (Ref{}) {
		r.completed = ref{instant(p.Completed.Time), p.Completed.ID}
	}
	f.recognise(&r, p.Evidence)

	// What lies outside it was not decided when it was published: add that.
	from, to := f.recordsNear(r.first, r.last.at)
	for _, o := range f.records[from:to] {
		for i := f.timeline.seek(o.first); i < len(f.timeline.hits); i++ {
			h := &f.timeline.hits[i]
			if o.last.before(h.ref) {
				break
			}
			if h.found != 0 && (h.at < r.first || r.last.before(h.ref)) {
				r.add(h, gain{steps: h.found, fresh: true})
			}
		}
		r.completed = earlier(r.completed, o.completed)
		r.truncated = r.truncated || o.truncated
	}
	f.records = slices.Replace(f.records, from, to, r)
}

// recognise notes on the held hits what the published episode says they are.
// Hits between from and settled can be evidence by matches that begin before
// from. Where the list of evidence was cut, it may not say which these are. If
// the counts say that there are some, none of those hits is counted again.
func (f *Fold) recognise(r *record, list []Evidence) {
	oldest := ref{at: never}
	for i := range list {
		e := &list[i]
		if e.place().before(oldest) {
			oldest = e.place()
		}
		if n, known := f.timeline.find(e.place()); known {
			f.timeline.hits[n].found |= e.Steps & f.mask
		} else {
			r.head = append(r.head, *e)
		}
	}
	hits := f.timeline.hits[f.timeline.seek(r.first):f.timeline.seek(r.last.at+1)]
	count, steps := r.count, slices.Clone(r.steps) // of evidence that is not held, or not known as such
	for i := range hits {
		if hits[i].found == 0 {
			continue
		}
		count--
		for m := hits[i].found; m != 0; m &= m - 1 {
			steps[bits.TrailingZeros64(m)]--
		}
	}
	if count <= 0 && slices.Max(steps) <= 0 {
		return
	}
	for i := range hits {
		if hits[i].before(f.settled) && hits[i].before(oldest) {
			hits[i].marks |= counted
		}
	}
}
