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
	hits := harvest{}
	for i := range events {
		f, err := events[i].Fields()
		if err != nil {
			return nil, fmt.Errorf("evaluate: %w", err)
		}
		h := hitter{e: &events[i], f: &f}
		m.Match(f, func(mt rules.Match) { hits.add(mt, h.hit(mt)) })
	}
	var alerts []alert.Alert
	for k, hs := range hits {
		alerts = append(alerts, alertsOf(k, hs, newestEvidence)...)
	}
	inOrder(alerts)
	return alerts, nil
}

// harvest is the hits that events brought, by rule and key.
type harvest map[foldKey][]pattern.Hit

func (h harvest) add(m rules.Match, hit pattern.Hit) {
	k := foldKey{m.Rule, m.Key}
	h[k] = append(h[k], hit)
}

// episodes folds all hits of a key at once.
func episodes(p *rules.Pattern, hits []pattern.Hit) (*pattern.Fold, []pattern.Episode) {
	fold := pattern.New(p, zeroTime, 0)
	fold.Apply(hits)
	return fold, fold.Episodes()
}

// How much evidence an alert lists.
type extent bool

const (
	newestEvidence extent = false // as a stored alert
	allEvidence    extent = true
)

// alertsOf are the alerts of one key, as first published by who saw all hits at once.
func alertsOf(k foldKey, hits []pattern.Hit, evidence extent) []alert.Alert {
	fold, found := episodes(&k.rule.Pattern, hits)
	alerts := make([]alert.Alert, len(found))
	for i := range found {
		e := &found[i]
		if evidence == allEvidence {
			e.Evidence = fold.EvidenceOf(e)
		}
		alerts[i] = compose(k.rule, k.key, e)
		alerts[i].ID = alert.ID(k.rule.ID, k.rule.Version, string(k.key), e.Completed.ID)
		alerts[i].Status, alerts[i].Revision = alert.Opened, 1
	}
	return alerts
}

// inOrder sorts alerts by rule, key and time.
func inOrder(alerts []alert.Alert) {
	sort.Slice(alerts, func(i, j int) bool { return less(&alerts[i], &alerts[j]) })
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
