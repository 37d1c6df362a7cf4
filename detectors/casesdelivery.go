package detectors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"watchword/bus/alert"
	"watchword/bus/event"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// delivery is one way for the events of a case to arrive.
type delivery struct {
	name     string
	seed     uint64
	shuffled bool
	doubled  bool
	reversed bool
	piece    int // events at a time, at most; 0: all at once
	restarts bool
}

// seeds is how many random deliveries of each sort a case is run with.
const seeds = 4

// mostPieces bounds the pieces of a long case.
const mostPieces = 300

func (d *deliveries) all() []delivery {
	list := []delivery{
		{name: "doubled", doubled: true},
		{name: "in reverse, one at a time", reversed: true, piece: 1},
		{name: "one at a time, with restarts", piece: 1, restarts: true},
	}
	for seed := range uint64(seeds) {
		list = append(list,
			delivery{name: fmt.Sprintf("shuffled and doubled, in pieces (seed %d)", seed), seed: seed, shuffled: true, doubled: true, piece: 4},
			delivery{name: fmt.Sprintf("in order, in pieces with restarts (seed %d)", seed), seed: seed, piece: 3, restarts: true},
			delivery{name: fmt.Sprintf("shuffled and doubled, in pieces with restarts (seed %d)", seed), seed: seed, shuffled: true, doubled: true, piece: 3, restarts: true})
	}
	return list
}

// deliveries delivers the events of one case, as hits, to the folds of one rule.
type deliveries struct {
	rule   *rules.Rule
	events [][]keyHit // what each event is for the rule, in the order of the case
	steps  uint64     // that some event matches
}

type keyHit struct {
	foldKey
	hit pattern.Hit
}

func newDeliveries(set *rules.Set, rule *rules.Rule, events []event.Event) *deliveries {
	d := &deliveries{rule: rule}
	m := set.Matcher()
	for i := range events {
		f, err := events[i].Fields()
		if err != nil {
			continue // Evaluate has told
		}
		var of []keyHit
		h := hitter{e: &events[i], f: &f, seq: uint64(i + 1)}
		m.MatchRule(rule, f, func(mt rules.Match) {
			d.steps |= mt.Steps
			of = append(of, keyHit{foldKey{rule, mt.Key}, h.hit(mt)})
		})
		d.events = append(d.events, of)
	}
	return d
}

// run delivers the events and returns the alerts that are live in the end.
func (d *deliveries) run(how delivery) []alert.Alert {
	r := rand.New(rand.NewPCG(how.seed, 1))
	events := slices.Clone(d.events)
	if how.doubled {
		events = append(events, d.events...)
	}
	if how.shuffled {
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
	if how.reversed {
		slices.Reverse(events)
	}
	least := 1 + len(events)/mostPieces
	life := newLife(d.rule)
	for len(events) > 0 {
		n := len(events)
		if how.piece > 0 {
			n = min(n, least*(1+r.IntN(how.piece)))
		}
		life.take(events[:n])
		events = events[n:]
		if how.restarts {
			life = life.restarted(r)
		}
	}
	return life.live()
}

// life is a worker of one rule between two restarts, and what its streams would
// hold: the hits that are stored, and the alerts that are published.
type life struct {
	rule      *rules.Rule
	from      time.Time // folds are made from here; zero: from the beginning
	folds     map[foldKey]*pattern.Fold
	stored    map[foldKey][]pattern.Hit
	published *partition
	newest    map[string]alert.Alert // revision of each alert, by id
	revisions uint64
}

func newLife(rule *rules.Rule) *life {
	return &life{
		rule: rule, folds: map[foldKey]*pattern.Fold{}, stored: map[foldKey][]pattern.Hit{},
		published: newPartition(0), newest: map[string]alert.Alert{},
	}
}

// take decides some events and publishes what follows.
func (l *life) take(events [][]keyHit) {
	var touched []foldKey
	fresh := map[foldKey][]pattern.Hit{}
	for _, e := range events {
		for _, h := range e {
			if fresh[h.foldKey] == nil {
				touched = append(touched, h.foldKey)
			}
			fresh[h.foldKey] = append(fresh[h.foldKey], h.hit)
		}
	}
	for _, k := range touched {
		fold := l.fold(k, l.from)
		changed, late := fold.Apply(fresh[k])
		if len(late) > 0 { // rebuilt from what is stored, as a worker does
			delete(l.folds, k)
			fold = l.fold(k, zeroTime)
			fold.Apply(fresh[k])
			changed = fold.Episodes()
		}
		l.stored[k] = append(l.stored[k], fresh[k]...)
		for _, a := range reconcile(k, l.published.published[k], changed) {
			l.revisions++
			l.published.remember(k, &a, l.revisions)
			l.newest[a.ID] = a
		}
	}
}

// fold is the fold of a key, made of what is stored and published where there is none.
func (l *life) fold(k foldKey, from time.Time) *pattern.Fold {
	if l.folds[k] == nil {
		f := pattern.New(&k.rule.Pattern, from, 0)
		f.Apply(slices.DeleteFunc(slices.Clone(l.stored[k]), func(h pattern.Hit) bool { return h.Time.Before(from) }))
		var published []pattern.Episode
		for _, p := range l.published.published[k] {
			if a := l.newest[p.id]; a.Status.Live() {
				published = append(published, episodeOf(&k.rule.Pattern, &a))
			}
		}
		f.Resume(published)
		l.folds[k] = f
	}
	return l.folds[k]
}

// restarted is the next worker: it knows what is stored and published, and
// makes its folds anew, from any time.
func (l *life) restarted(r *rand.Rand) *life {
	next := *l
	next.folds, next.from = map[foldKey]*pattern.Fold{}, zeroTime
	var times []time.Time
	for _, hits := range l.stored {
		if len(hits) > alert.MaxEvidence {
			return &next // what an alert lists may not be enough to go on from in the middle
		}
		for _, h := range hits {
			times = append(times, h.Time)
		}
	}
	if len(times) > 0 && r.IntN(2) == 0 {
		slices.SortFunc(times, time.Time.Compare)
		next.from = times[r.IntN(len(times))].Add(-time.Duration(r.Int64N(int64(l.rule.Pattern.Reach()) + 1)))
	}
	return &next
}

// live are the alerts that stand for an episode.
func (l *life) live() []alert.Alert {
	var alerts []alert.Alert
	for _, a := range l.newest {
		if a.Status.Live() {
			alerts = append(alerts, a)
		}
	}
	inOrder(alerts)
	return alerts
}
