package detectors

import (
	"slices"
	"time"

	"watchword/bus/alert"
	"watchword/detectors/pattern"
	"watchword/rules"
)

var zeroTime time.Time

// foldKey names one fold.
type foldKey struct {
	rule *rules.Rule
	key  rules.Key
}

// partition is the keys that are decided together, under one ledger.
type partition struct {
	n      int
	ledger Ledger
	fence  uint64 // ALERTS sequence of the newest ledger, 0 if there is none

	// resume is the position that is already decided: nothing is published for
	// it. Up to there the folds only take in hits (warm-up); then they are
	// resumed from the alerts published so far.
	resume  uint64
	resumed bool
	// adrift says that the log is not the one the ledger speaks of.
	adrift bool
	// compare says that after the warm-up the keys with hits after compareFrom
	// are compared with what was published: the ledger does not tell which of
	// them were decided.
	compare     bool
	compareFrom uint64

	keys      map[foldKey]*keyState
	dirty     []foldKey // keys to decide next
	published map[foldKey][]*published
	cold      map[foldKey]struct{} // dropped for want of room: read again when touched
}

// keyState is one fold and the hits it has not been given yet.
type keyState struct {
	source  string // the key's, empty across sources
	fold    *pattern.Fold
	pending []pattern.Hit
	queued  bool      // in partition.dirty
	late    bool      // a pending hit came late
	fresh   bool      // made since the last decision: not resumed yet
	lost    bool      // to be rebuilt before it decides
	behind  time.Time // of the earliest hit that it is rebuilt for
	touched uint64    // EVENTS sequence of its newest hit
	held    int       // hits counted into state.hits
	trimmed int       // hits counted into state.trimmed
}

// queue marks a key to be decided next.
func (p *partition) queue(k foldKey, ks *keyState) {
	if !ks.queued {
		ks.queued = true
		p.dirty = append(p.dirty, k)
	}
}

// unqueue forgets which keys were to be decided.
func (p *partition) unqueue() {
	for _, k := range p.dirty {
		if ks := p.keys[k]; ks != nil {
			ks.queued, ks.late = false, false
		}
	}
	p.dirty = p.dirty[:0]
}

func newPartition(n int) *partition {
	return &partition{
		n:         n,
		keys:      map[foldKey]*keyState{},
		published: map[foldKey][]*published{},
		cold:      map[foldKey]struct{}{},
	}
}

// published is what is remembered of an alert: enough to know it again, and
// where its newest revision is.
type published struct {
	id         string
	status     alert.Status
	order      uint64 // ALERTS sequence of the first revision: who was first
	seq        uint64 // ALERTS sequence of the newest revision
	revision   int
	first      time.Time
	last       time.Time
	count      int
	steps      []int
	historical bool
	truncated  bool
	// people and places are kept where a fold goes on from evidence it does not
	// hold: an update must not forget them.
	people []alert.Person
	places []alert.Place
}

func (p *published) set(a *alert.Alert, seq uint64) {
	p.status, p.revision, p.seq = a.Status, a.Revision, seq
	p.first, p.last, p.count = a.First, a.Last, a.Count
	p.historical, p.truncated = a.Historical, a.Truncated
	p.steps = p.steps[:0]
	for _, s := range a.Steps {
		p.steps = append(p.steps, s.Count)
	}
}

// remember notes a revision that stands in ALERTS at seq.
func (p *partition) remember(k foldKey, a *alert.Alert, seq uint64) {
	for _, known := range slices.Backward(p.published[k]) { // the newest are told of most
		if known.id == a.ID {
			known.set(a, seq)
			return
		}
	}
	pub := &published{id: a.ID, order: seq}
	pub.set(a, seq)
	p.published[k] = append(p.published[k], pub)
}
