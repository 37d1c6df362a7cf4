package pattern

import (
	"time"
	"unique"

	"watchword/bus/alert"
)

// Ref names an event by its place in the order of events.
type Ref struct {
	Time time.Time
	ID   string
}

// Evidence is one event of an episode.
type Evidence struct {
	ID     string
	Seq    uint64 // in EVENTS
	Time   time.Time
	Steps  uint64 // bit i: it fills Steps[i] of the pattern in some match
	Person unique.Handle[alert.Person]
	Place  unique.Handle[alert.Place]
}

// Episode is a cluster of matches of one key, as it now stands. Its slices are
// the receiver's to keep.
type Episode struct {
	First, Last time.Time  // earliest and latest evidence, UTC
	Count       int        // evidence events, never capped
	Steps       []int      // per step: how many evidence events fill it
	Evidence    []Evidence // the newest alert.MaxEvidence, oldest first

	// Completed is the event that completed the first match, in the order of
	// events; CompletedLast the one that completed the last. The latter is
	// also the latest evidence.
	Completed, CompletedLast Ref

	Historical bool // CompletedLast is
	Truncated  bool // the bound on hits cut some that it could have had
}
