package detectors

import (
	"watchword/bus/alert"
	"watchword/rules"
)

// Comparison is how the alerts of two versions of rules differ over the same events.
type Comparison struct {
	Gained  []alert.Alert // share no event with an old alert of the rule and key
	Lost    []alert.Alert // share none with a new one
	Changed []Changed
	Same    int // new alerts that have the evidence of an old one
}

// Changed is a new alert whose evidence is not that of an old one, and the old
// alerts it shares events with.
type Changed struct {
	New alert.Alert
	Old []alert.Alert
}

// Compare compares alerts that list all their evidence. An alert goes on as
// another when rule and key are the same and an event is evidence of both.
func Compare(old, new []alert.Alert) Comparison {
	type evidenceOf struct {
		rule string
		key  rules.Key
		id   string
	}
	of := func(a *alert.Alert, id string) evidenceOf {
		return evidenceOf{a.Rule, rules.NewKey(a.Source, a.Key...), id}
	}
	owner := map[evidenceOf]int{} // index of the old alert; the evidence of two is never the same event
	for i := range old {
		for _, e := range old[i].Evidence {
			owner[of(&old[i], e.ID)] = i
		}
	}
	var c Comparison
	goesOn := make([]bool, len(old))
	for i := range new {
		a := &new[i]
		var from []alert.Alert
		seen, shared := map[int]bool{}, 0
		for _, e := range a.Evidence {
			o, ok := owner[of(a, e.ID)]
			if !ok {
				continue
			}
			shared++
			if !seen[o] {
				seen[o], goesOn[o] = true, true
				from = append(from, old[o])
			}
		}
		switch {
		case len(from) == 0:
			c.Gained = append(c.Gained, *a)
		case len(from) == 1 && shared == len(a.Evidence) && shared == len(from[0].Evidence):
			c.Same++
		default:
			c.Changed = append(c.Changed, Changed{New: *a, Old: from})
		}
	}
	for i := range old {
		if !goesOn[i] {
			c.Lost = append(c.Lost, old[i])
		}
	}
	return c
}
