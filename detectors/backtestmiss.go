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
	_, told := episodes(p, k.hits)
	var out []NearMiss
	for _, n := range near {
		if len(k.hits) < n.needs {
			continue
		}
		fold, found := episodes(&n.Pattern, k.hits)
		for i := range found {
			e := &found[i]
			if slices.ContainsFunc(told, func(t pattern.Episode) bool {
				return spansTouch(t.First, t.Last, e.First, e.Last, p.Quiet)
			}) {
				continue
			}
			told = append(told, *e)
			m := NearMiss{Step: n.step, Have: n.have, Want: n.want}
			if n.wider {
				if fold, e, m.Late = tightest(p, n.Within, hitsOf(k.hits, fold.EvidenceOf(e))); e == nil {
					continue
				}
			}
			e.Evidence = fold.EvidenceOf(e)
			m.Alert = compose(rule, k.key, e)
			out = append(out, m)
		}
	}
	return out
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

// hitsOf are those of the hits that are the evidence.
func hitsOf(hits []pattern.Hit, evidence []pattern.Evidence) []pattern.Hit {
	ids := make(map[string]bool, len(evidence))
	for i := range evidence {
		ids[evidence[i].ID] = true
	}
	var out []pattern.Hit
	for i := range hits {
		if ids[hits[i].ID] {
			out = append(out, hits[i])
		}
	}
	return out
}
