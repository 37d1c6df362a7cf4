package detectors

import (
	"slices"

	"watchword/detectors/pattern"
	"watchword/rules"
)

// Curve says how many alerts a rule would have raised had one of its numbers
// been another.
type Curve struct {
	Step   string // the step whose number it is
	N      int    // the rule's own
	Points []Point
}

// Point is one number of a curve, and the alerts it would have given.
type Point struct {
	N, Alerts int
}

// The numbers a curve has, besides those around the rule's own.
const curveFrom, curveTo = 3, 10

// Curves are the curves of a rule: one for times or distinct, one for each
// step of a sequence that takes several events, none for a rule without a number.
func (h *History) Curves(rule *rules.Rule) []Curve {
	var curves []Curve
	var variants [][]*variant // of each curve
	for _, number := range numbersOf(&rule.Pattern) {
		c := Curve{Step: rule.Pattern.Steps[number.step].Name, N: number.n}
		var of []*variant
		for n := 1; n <= max(curveTo, number.n+1); n++ {
			told := n >= curveFrom && n <= curveTo || n >= 2 && n >= number.n-1 && n <= number.n+1 || n == number.n
			if !told {
				continue
			}
			if v := number.changed(n); v != nil {
				c.Points, of = append(c.Points, Point{N: n}), append(of, v)
			}
		}
		curves, variants = append(curves, c), append(variants, of)
	}
	counts := eachKey(h.keys[rule], func(k keyHits) [][]int {
		var counts [][]int
		for _, of := range variants {
			var points []int
			for _, v := range of {
				points = append(points, h.episodesOf(v, k.hits))
			}
			counts = append(counts, points)
		}
		return counts
	})
	for _, key := range counts {
		for i, points := range key {
			for j, n := range points {
				curves[i].Points[j].Alerts += n
			}
		}
	}
	return curves
}

// number is a count of events, or of values, that a pattern asks for.
type number struct {
	pattern *rules.Pattern
	step    int // the step it belongs to
	n       int
}

func numbersOf(p *rules.Pattern) []number {
	switch p.Word {
	case rules.Times, rules.Distinct:
		return []number{{p, 0, p.N}}
	}
	var all []number
	for i, s := range p.Steps {
		if s.Times > 1 {
			all = append(all, number{p, i, s.Times})
		}
	}
	return all
}

// variant is a pattern that differs from a rule's in one place.
type variant struct {
	rules.Pattern
	needs int // fewer hits than this cannot match
}

// changed is the pattern with another number, from 1; nil where it would ask
// for more events than a sequence may.
func (of number) changed(n int) *variant {
	v := &variant{Pattern: *of.pattern}
	v.Steps = slices.Clone(v.Steps)
	switch v.Word {
	case rules.Times:
		v.Steps[0].Times = n
		fallthrough
	case rules.Distinct:
		v.N = n
		v.needs = n
	default:
		v.Steps[of.step].Times = n
		v.needs = slots(&v.Pattern)
		if v.needs > rules.MaxSlots {
			return nil
		}
	}
	return v
}

// episodesOf is how many episodes a pattern makes of the hits.
func (h *History) episodesOf(v *variant, hits []pattern.Hit) int {
	if len(hits) < v.needs {
		return 0
	}
	_, found := episodes(&v.Pattern, hits)
	return len(slices.DeleteFunc(found, func(e pattern.Episode) bool { return h.isPast(e.Last) }))
}

// slots is how many events a match of a sequence takes.
func slots(p *rules.Pattern) int {
	n := 0
	for _, s := range p.Steps {
		n += max(s.Times, 1)
	}
	return n
}
