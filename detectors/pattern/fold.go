package pattern

import (
	"fmt"
	"slices"
	"time"

	"watchword/rules"
)

// Fold is the state of one key of one rule. It is not safe for use by several
// goroutines. The package comment says how it is meant to be used.
type Fold struct {
	pattern *rules.Pattern
	need    int   // how many hits, or values, a match takes
	span    int64 // longest span of a match
	within  int64
	quiet   int64
	mask    uint64 // the steps there are
	maxHits int

	maxPlaces int // of Travel

	from    ref   // complete from here
	settled ref   // hits before this are late
	cut     int64 // latest hit that the bound on hits cut
	trimmed int   // hits that the bounds cut
	warming bool  // made from a time, not resumed yet

	timeline timeline
	records  []record // in order of time; they lie more than quiet apart
}

// New makes the fold of one key. Hits will be complete from the given time on;
// zero says that they are all there ever were. A fold made from a time warms up
// until Resume. It holds at most maxHits hits, the newest; 0 is no bound.
//
// The pattern is one that package rules has checked, and is not changed.
func New(p *rules.Pattern, from time.Time, maxHits int) *Fold {
	f := &Fold{
		pattern: p, within: int64(p.Within), quiet: int64(p.Quiet),
		mask: ^uint64(0) >> (64 - len(p.Steps)), maxHits: maxHits, maxPlaces: maxPlaces,
		from: ref{at: beginning}, settled: ref{at: beginning}, cut: beginning,
	}
	switch p.Word {
	case rules.Bare:
		f.need = 1
	case rules.Sequence:
		for _, s := range p.Steps {
			f.need += takes(s)
		}
		if f.need > rules.MaxSlots {
			panic(fmt.Sprintf("pattern: a sequence of %d events; a checked rule has at most %d", f.need, rules.MaxSlots))
		}
	case rules.Together:
		if f.need = len(p.Steps); f.need > rules.MaxTogether {
			panic(fmt.Sprintf("pattern: together of %d steps; a checked rule has at most %d", f.need, rules.MaxTogether))
		}
	case rules.Travel:
		f.need = 2
	default:
		f.need = max(p.N, 1)
	}
	if f.need > 1 {
		f.span = f.within // the match of a single hit is a point
	}
	if !from.IsZero() {
		f.from = ref{at: instant(from)}
		f.settled = ref{at: f.from.at + f.within}
		f.warming = true
	}
	return f
}

// Apply adds hits, in any order; repeats of held ones are no news. It returns
// the episodes that changed (new, grown, joined), each as it now stands, and
// the hits that were older than what this fold still decides (Settled). The
// late ones were not applied: the caller rebuilds the key from history. While
// the fold warms up, nothing is late and nothing is reported.
func (f *Fold) Apply(hits []Hit) (changed []Episode, late []Hit) {
	batch, late := f.admit(hits)
	if len(batch) == 0 {
		return nil, late
	}
	for len(batch) > 0 {
		piece := f.piece(batch)
		f.take(piece)
		f.bound()
		batch = batch[len(piece):]
	}
	f.timeline.tighten()
	return f.report(), late
}

// take takes in new hits and finds the matches that hold any of them.
func (f *Fold) take(batch []held) {
	f.timeline.insert(batch)
	// A match holds hits at most one span apart: look that far around what is
	// new. The stretches looked at never overlap, so that a new match is found
	// together with the new hit it holds: link needs no news but of evidence.
	for len(batch) > 0 {
		n := 1
		for n < len(batch) && batch[n].at-batch[n-1].at <= 2*f.span {
			n++
		}
		a := f.timeline.seek(batch[0].at - f.span)
		b := f.timeline.seek(batch[n-1].at + f.span + 1)
		around := f.timeline.hits[a:b]
		gains, cover := f.mark(around, batch[:n])
		f.link(around, gains, cover)
		batch = batch[n:]
	}
}

// admit sorts out what of the hits is new and to be decided.
func (f *Fold) admit(hits []Hit) (batch []held, late []Hit) {
	horizon := f.settled
	if f.warming {
		horizon = f.from
	}
	batch = make([]held, 0, len(hits))
	for i := range hits {
		h := &hits[i]
		steps := h.Steps & f.mask
		if steps == 0 || f.valued() && h.Value == "" {
			continue // cannot be evidence
		}
		r := ref{instant(h.Time), h.ID}
		if _, known := f.timeline.find(r); known {
			continue
		}
		if r.before(horizon) {
			if !f.warming {
				late = append(late, *h)
			}
			continue
		}
		n := held{ref: r, seq: h.Seq, matches: steps, person: h.Person, place: h.Place}
		if h.Historical {
			n.marks = historical
		}
		if f.valued() {
			n.value = f.timeline.values.number(h.Value)
		}
		batch = append(batch, n)
	}
	return f.unique(batch), late
}

// valued tells whether the pattern is about the values of hits.
func (f *Fold) valued() bool {
	return f.pattern.Word == rules.Distinct || f.pattern.Word == rules.Travel
}

// unique sorts the batch and leaves one of each event.
func (f *Fold) unique(batch []held) []held {
	order := func(a, b held) int {
		switch {
		case a.before(b.ref):
			return -1
		case b.before(a.ref):
			return 1
		}
		return 0
	}
	if !slices.IsSortedFunc(batch, order) {
		slices.SortStableFunc(batch, order)
	}
	kept := batch[:0]
	for i := range batch {
		if n := len(kept); n > 0 && kept[n-1].ref == batch[i].ref {
			f.timeline.values.release(batch[i].value)
			continue
		}
		kept = append(kept, batch[i])
	}
	return kept
}

// report returns the episodes that changed since the last report.
func (f *Fold) report() (changed []Episode) {
	for i := range f.records {
		r := &f.records[i]
		if r.changed && !f.warming {
			changed = append(changed, f.episode(r))
		}
		r.changed = false
	}
	return changed
}

// Episodes returns all episodes that the fold still knows, in order of time:
// those that a hit yet to come could change, and maybe more.
func (f *Fold) Episodes() []Episode {
	all := make([]Episode, len(f.records))
	for i := range f.records {
		all[i] = f.episode(&f.records[i])
	}
	return all
}

// Len is how many hits are held.
func (f *Fold) Len() int { return len(f.timeline.hits) }

// Idle tells that nothing is held and no hit to come can change an episode
// known so far: the caller may drop the fold (see the package comment).
func (f *Fold) Idle() bool {
	return !f.warming && len(f.timeline.hits) == 0 && len(f.records) == 0
}
