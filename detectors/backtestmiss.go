package detectors

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"watchword/bus/alert"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// NearMiss is what almost made an alert: a key that came one or two events
// short, or whose events were there but lay a little too far apart.
type NearMiss struct {
	Alert alert.Alert // as it would have been, with all its evidence; it has no id

	Step       string        // the step that was short of events or values; empty if none was
	Have, Want int           // of that step
	Late       time.Duration // by how much the window closed too early, to the second; 0 if it did not
}

// nearWindow: a window that closed too early by at most a quarter is near.
const nearWindow = 4

// NearMisses are the near misses of a rule, the nearest first. What touches an
// alert is none.
func (h *History) NearMisses(rule *rules.Rule) []NearMiss {
	near := nearMisses(&rule.Pattern)
	all := slices.Concat(eachKey(h.keys[rule], func(k keyHits) []NearMiss {
		return slices.DeleteFunc(near.of(rule, k), func(m NearMiss) bool { return h.isPast(m.Alert.Last) })
	})...)
	slices.SortStableFunc(all, func(a, b NearMiss) int {
		return cmp.Or(
			cmp.Compare(a.Want-a.Have, b.Want-b.Have),
			cmp.Compare(a.Late, b.Late),
			a.Alert.First.Compare(b.Alert.First))
	})
	return all
}

// nearPattern is a pattern that is a little easier to match than the rule's.
type nearPattern struct {
	*variant
	step       string
	have, want int
	wider      bool
}

// nearPatterns are in order of how near they are: all the events are there, only
// too far apart; one is missing; two are.
type nearPatterns []nearPattern

func nearMisses(p *rules.Pattern) nearPatterns {
	var near nearPatterns
	short := func(by int) {
		for _, number := range numbersOf(p) {
			least := 2 // a single event is near nothing,
			if len(p.Steps) > 1 {
				least = 1 // but may be in a sequence
			}
			if n := number.n - by; n >= least {
				near = append(near, nearPattern{variant: number.changed(n), step: p.Steps[number.step].Name, have: n, want: number.n})
			}
		}
	}
	if p.Word != rules.Bare {
		v := &variant{Pattern: *p, needs: 2}
		v.Within += max(p.Within/nearWindow, time.Second)
		near = append(near, nearPattern{variant: v, wider: true})
	}
	short(1)
	short(2)
	return near
}

// of are the near misses of one key, each stretch of time told once, as what is nearest.
func (near nearPatterns) of(rule *rules.Rule, k keyHits) []NearMiss {
	p := &rule.Pattern
	var told stretches
	if len(near) > 0 {
		_, found := episodes(p, k.hits)
		told.add(found)
	}
	var out []NearMiss
	for _, n := range near {
		if len(k.hits) < n.needs {
			continue
		}
		fold, found := episodes(&n.Pattern, k.hits)
		found = slices.DeleteFunc(found, func(e pattern.Episode) bool { return told.touch(&e, p.Quiet) })
		told.add(found)
		for i := range found {
			m := NearMiss{Step: n.step, Have: n.have, Want: n.want}
			from, e := fold, &found[i]
			if n.wider {
				from, e, m.Late = tightest(p, n.Within, hitsOf(k.hits, fold.EvidenceOf(e)))
				if e == nil {
					continue
				}
			}
			e.Evidence = from.EvidenceOf(e)
			m.Alert = compose(rule, k.key, e)
			out = append(out, m)
		}
	}
	return out
}

// stretches are spans of time in order, none of which lies within the quiet gap
// of another.
type stretches []stretch

type stretch struct{ first, last time.Time }

// add takes in episodes that touch none of the stretches, nor one another.
func (s *stretches) add(found []pattern.Episode) {
	for i := range found {
		*s = append(*s, stretch{found[i].First, found[i].Last})
	}
	slices.SortFunc(*s, func(a, b stretch) int { return a.first.Compare(b.first) })
}

// touch tells whether an episode lies within the gap of one of them.
func (s stretches) touch(e *pattern.Episode, gap time.Duration) bool {
	i := sort.Search(len(s), func(i int) bool { return !s[i].last.Add(gap).Before(e.First) })
	return i < len(s) && spansTouch(s[i].first, s[i].last, e.First, e.Last, gap)
}

// tightest finds the shortest window, to the second and at most the widest
// given, in which the hits hold a match, and the first episode in it. There is
// none where a longer window is no easier to match.
func tightest(p *rules.Pattern, widest time.Duration, hits []pattern.Hit) (*pattern.Fold, *pattern.Episode, time.Duration) {
	try := func(late time.Duration) (*pattern.Fold, []pattern.Episode) {
		longer := *p
		longer.Within += late
		return episodes(&longer, hits)
	}
	most := int((widest - p.Within + time.Second - 1) / time.Second)
	late := time.Duration(sort.Search(most, func(s int) bool {
		_, found := try(time.Duration(s) * time.Second)
		return len(found) > 0
	})) * time.Second
	late = min(late, widest-p.Within)
	fold, found := try(late)
	if len(found) == 0 {
		return nil, nil, 0
	}
	return fold, &found[0], late
}

// hitsOf are those of the hits, which are in order, that are the evidence.
func hitsOf(hits []pattern.Hit, evidence []pattern.Evidence) []pattern.Hit {
	if len(evidence) == 0 {
		return nil
	}
	from := sort.Search(len(hits), func(i int) bool { return !hits[i].Time.Before(evidence[0].Time) })
	var out []pattern.Hit
	for _, h := range hits[from:] {
		if len(out) == len(evidence) {
			break
		}
		if h.ID == evidence[len(out)].ID {
			out = append(out, h)
		}
	}
	return out
}
