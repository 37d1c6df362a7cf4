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
	Value string // what Distinct counts, or where Travel was: text of rules.Coordinates

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
