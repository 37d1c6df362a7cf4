package rules

import (
	"slices"

	"watchword/bus/event"
)

// index finds the steps that an event may match. Every step of every enabled
// rule is in exactly one of its places, or, if its guard has several values, in
// the place of each of them for one field.
type index struct {
	every  []candidate                        // steps about every kind
	kinds  map[event.Kind][]candidate         // steps about a kind, without guard
	guards [indexedEnd]map[string][]candidate // by the value of an indexed field
}

// candidate is a step an event may match.
type candidate struct {
	rule int // number in the set
	step int
}

func newIndex(rules []*Rule) index {
	x := index{kinds: map[event.Kind][]candidate{}}
	for r, rule := range rules {
		if rule.Status == Disabled {
			continue
		}
		for s := range rule.compiled.steps {
			x.add(candidate{r, s}, &rule.compiled.steps[s])
		}
	}
	return x
}

func (x *index) add(c candidate, step *compiledStep) {
	g := step.guard
	switch {
	case step.kind == "":
		x.every = append(x.every, c)
	case g.field == unindexed:
		x.kinds[step.kind] = append(x.kinds[step.kind], c)
	default:
		if x.guards[g.field] == nil {
			x.guards[g.field] = map[string][]candidate{}
		}
		values := slices.Clone(g.values)
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			x.guards[g.field][v] = append(x.guards[g.field][v], c)
		}
	}
}

// candidates calls visit with every step that admits the event, and no other.
func (x *index) candidates(f *event.Fields, visit func([]candidate)) {
	visit(x.every)
	kind := event.Kind(f.Kind)
	visit(x.kinds[kind])
	for i := unindexed + 1; i < indexedEnd; i++ {
		if x.guards[i] != nil && i.kind() == kind {
			visit(x.guards[i][i.of(f)])
		}
	}
}
