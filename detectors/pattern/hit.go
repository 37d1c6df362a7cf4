// Package pattern decides what a rule's pattern means for one key: which
// events are evidence, and which episodes they form.
//
// It is pure: it reads no clock, does no I/O and starts no goroutine. The
// episodes of a Fold depend on the set of hits it was given, never on their
// order, repetition or batching; the naive evaluator in oracle_test.go says
// what is right, and property tests compare the two.
package pattern

import (
	"time"
	"unique"

	"watchword/bus/alert"
)

// Hit is an event that fills steps of a rule for a key. Hits are ordered by
// (Time, ID); ID alone says whether two hits are the same event.
type Hit struct {
	Time  time.Time
	ID    string
	Seq   uint64 // in EVENTS
	Steps uint64 // bit i: it matches Steps[i] of the pattern
	Value string // what Distinct counts

	Person     unique.Handle[alert.Person]
	Place      unique.Handle[alert.Place]
	Historical bool
}

// Before is the order of events: by time, then by id.
func (h *Hit) Before(o *Hit) bool {
	if !h.Time.Equal(o.Time) {
		return h.Time.Before(o.Time)
	}
	return h.ID < o.ID
}
