package detectors

import (
	"fmt"
	"sort"

	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// Evaluate decides a set of events at once, with no bus and no store: what the
// alerts of the rules over exactly these events are, ordered by rule, key and
// time. It is the same matching and the same folds as a Worker's, so it serves
// rule tests and is what a worker's final alerts are compared with.
//
// An alert's ID, Revision, Position and Decided are those of a first
// publication that saw all the events at once.
func Evaluate(set *rules.Set, events []event.Event) ([]alert.Alert, error) {
	m := set.Matcher()
	hits := map[foldKey][]pattern.Hit{}
	for i := range events {
		f, err := events[i].Fields()
		if err != nil {
			return nil, fmt.Errorf("evaluate: %w", err)
		}
		h := hitter{e: &events[i], f: &f}
		m.Match(f, func(mt rules.Match) {
			k := foldKey{mt.Rule, mt.Key}
			hits[k] = append(hits[k], h.hit(mt))
		})
	}
	var alerts []alert.Alert
	for k, hs := range hits {
		fold := pattern.New(&k.rule.Pattern, zeroTime, len(hs))
		fold.Apply(hs)
		for _, e := range fold.Episodes() {
			a := compose(k.rule, k.key, &e)
			a.ID = alert.ID(k.rule.ID, k.rule.Version, string(k.key), e.Completed.ID)
			a.Status, a.Revision = alert.Opened, 1
			alerts = append(alerts, a)
		}
	}
	sort.Slice(alerts, func(i, j int) bool { return less(&alerts[i], &alerts[j]) })
	return alerts, nil
}

func less(a, b *alert.Alert) bool {
	if a.Rule != b.Rule {
		return a.Rule < b.Rule
	}
	ak, bk := string(rules.NewKey(a.Source, a.Key...)), string(rules.NewKey(b.Source, b.Key...))
	if ak != bk {
		return ak < bk
	}
	return a.First.Before(b.First)
}
