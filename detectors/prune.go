package detectors

import (
	"cmp"
	"slices"
	"time"
)

// pruneEvery is how far, in event time, the coverage of a source moves before
// its folds are pruned again.
const pruneEvery = time.Hour

// prune settles what the watermarks have left behind and lets go of folds that
// hold nothing. It follows the watermark, never the clock, and changes no
// episode: what comes later than this for such a time is rebuilt from history.
func (s *state) prune() {
	moved := false
	for source := range s.coverage.feeds {
		moved = s.settle(source) || moved
	}
	if moved = s.settle("") || moved; !moved {
		return
	}
	for _, p := range s.parts {
		if p == nil || !p.resumed {
			continue
		}
		for k, ks := range p.keys {
			if len(ks.pending) > 0 || ks.lost {
				continue
			}
			source, _ := k.key.Split()
			complete, ok := s.pruned[source]
			if !ok {
				continue
			}
			if ks.fold.Prune(complete); ks.fold.Idle() {
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
		if p == nil || !p.resumed {
			continue
		}
		for k, ks := range p.keys {
			all = append(all, held{p, k, ks})
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
