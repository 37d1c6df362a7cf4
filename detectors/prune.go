package detectors

import (
	"cmp"
	"slices"
	"time"
)

// pruneEvery is how far, in event time, the coverage of a source moves before
// its folds are pruned again.
const pruneEvery = time.Hour

// backfill is how much history a newly connected source brings unless told
// otherwise (package pollers).
const backfill = 31 * 24 * time.Hour

// prune settles what the watermarks have left behind and lets go of folds that
// hold nothing. It follows the watermark, never the clock, and changes no
// episode: what comes later than this for such a time is rebuilt from history.
func (s *state) prune() {
	moved := map[string]bool{}
	for source := range s.coverage.feeds {
		if s.settle(source) {
			moved[source] = true
		}
	}
	if s.settle("") {
		moved[""] = true
	}
	if len(moved) == 0 {
		return
	}
	for _, p := range s.parts {
		if p == nil || !p.resumed {
			continue
		}
		for k, ks := range p.keys {
			if !moved[ks.source] || len(ks.pending) > 0 || ks.lost {
				continue
			}
			if ks.fold.Prune(s.pruned[ks.source]); ks.fold.Idle() {
				s.hits -= ks.held
				delete(p.keys, k)
				continue
			}
			s.recount(ks)
		}
	}
}

// settle moves up to where the folds of a source are pruned, and tells whether
// it moved.
func (s *state) settle(source string) bool {
	complete := s.coverage.of(source)
	if complete.IsZero() {
		return false
	}
	complete = complete.Add(-slack)
	if source == "" {
		// A source that is connected later brings its history, which for keys
		// across sources would all be late.
		complete = complete.Add(-backfill)
	}
	if old, ok := s.pruned[source]; ok && complete.Sub(old) < pruneEvery {
		return false
	}
	s.pruned[source] = complete
	return true
}

// boundHits drops the folds that were touched longest ago until what is held
// is a tenth below the bound. They are read again when touched.
func (s *state) boundHits() {
	limit := s.w.c.Limits.Hits
	if s.hits <= limit {
		return
	}
	type held struct {
		p *partition
		k foldKey
		*keyState
	}
	var all []held
	for _, p := range s.parts {
		if p == nil {
			continue
		}
		for k, ks := range p.keys {
			if ks.held > 0 {
				all = append(all, held{p, k, ks})
			}
		}
	}
	slices.SortFunc(all, func(a, b held) int { return cmp.Compare(a.touched, b.touched) })
	for _, h := range all {
		if s.hits <= limit-limit/10 {
			break
		}
		s.hits -= h.held
		s.cut++
		delete(h.p.keys, h.k)
		h.p.cold[h.k] = struct{}{}
	}
}
