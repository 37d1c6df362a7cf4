package pattern

import (
	"slices"
	"sort"
	"time"

	"watchword/bus/alert"
	"watchword/rules"
)

// Settled is the time before which hits are late. Zero: nothing is settled.
func (f *Fold) Settled() time.Time { return timeOf(f.settled.at) }

// Prune settles what lies further back than the pattern's reach before the
// given time, up to which all hits are known but for late ones, and forgets
// hits and episodes that no acceptable hit can touch any more. What is settled
// stays so: an earlier time than before changes nothing.
func (f *Fold) Prune(complete time.Time) {
	if complete.IsZero() {
		return
	}
	settled := ref{at: instant(complete) - f.within - f.quiet}
	if !f.settled.before(settled) {
		return
	}
	f.settled = settled
	needed := settled.at - f.within // a match with a hit from settled on lies after this
	if f.from.at < needed {
		f.from = ref{at: needed}
	}
	f.drop(f.timeline.seek(needed))
	f.timeline.tighten()

	gone := sort.Search(len(f.records), func(i int) bool { return f.records[i].last.at+f.quiet >= needed })
	f.records = slices.Delete(f.records, 0, gone)
}

// bound keeps the newest hits only, and for Travel from so many places only.
// Hits before the oldest kept are late from now on. Evidence found so far stays
// evidence, and episodes that a cut hit could have touched say so.
func (f *Fold) bound() {
	n := f.beyondPlaces()
	if f.maxHits > 0 {
		n = max(n, len(f.timeline.hits)-f.maxHits)
	}
	if n <= 0 {
		return
	}
	f.trimmed += n
	oldest, newest := f.timeline.hits[0].at, f.timeline.hits[n-1].at
	f.cut = max(f.cut, newest)
	f.drop(n)
	kept := f.timeline.hits[0].ref
	if f.from.before(kept) {
		f.from = kept
	}
	if f.settled.before(kept) {
		f.settled = kept
	}
	for i := range f.records {
		r := &f.records[i]
		if f.isCut(r.first) && r.last.at+f.span+f.quiet >= oldest && !r.truncated {
			r.truncated, r.changed = true, true
		}
	}
}

// Trimmed is how many hits the bounds have cut since the fold was made.
func (f *Fold) Trimmed() int { return f.trimmed }

// Full tells that the fold holds as much as it may, so that a hit older than
// Settled would be cut again if the key were rebuilt.
func (f *Fold) Full() bool {
	return f.maxHits > 0 && len(f.timeline.hits) >= f.maxHits ||
		f.pattern.Word == rules.Travel && len(f.timeline.values.numbers) >= f.maxPlaces
}

// isCut tells whether an episode that begins then could begin with a cut hit.
func (f *Fold) isCut(first int64) bool {
	return f.cut != beginning && first <= f.cut+f.span+f.quiet
}

// drop forgets the first n hits. What an alert may still list of them stays
// with their records.
func (f *Fold) drop(n int) {
	if n == 0 {
		return
	}
	hits := f.timeline.hits[:n]
	for i := sort.Search(len(f.records), func(i int) bool { return f.records[i].last.at >= hits[0].at }); i < len(f.records); i++ {
		r := &f.records[i]
		if r.first > hits[n-1].at {
			break
		}
		r.keep(hits)
	}
	f.timeline.drop(n)
}

// keep lists the newest of the record's evidence among the hits, all of which
// are later than what its head lists.
func (r *record) keep(hits []held) {
	end := sort.Search(len(hits), func(i int) bool { return hits[i].at > r.last.at })
	begin, listed := end, 0
	for begin > 0 && hits[begin-1].at >= r.first && listed < alert.MaxEvidence {
		begin--
		if hits[begin].found != 0 {
			listed++
		}
	}
	for i := begin; i < end; i++ {
		if hits[i].found != 0 {
			r.head = append(r.head, hits[i].evidence())
		}
	}
	r.head = newest(r.head)
}
