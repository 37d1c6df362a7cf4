package pattern

import (
	"math/bits"
	"slices"
	"sort"

	"watchword/bus/alert"
)

// record is what the fold keeps of an episode. Every hit that was found to be
// evidence lies, in time, within exactly one record; so hits need not say which.
type record struct {
	first     int64      // earliest evidence
	last      ref        // latest evidence
	completed ref        // earliest hit that ends a match; zero if not known
	count     int        // evidence
	steps     []int      // evidence per step
	head      []Evidence // the newest evidence that is no longer held, oldest first

	historical bool // last is
	truncated  bool
	changed    bool // since it was last reported
}

func newRecord(h *held, steps int) record {
	return record{first: h.at, last: h.ref, historical: h.is(historical), steps: make([]int, steps)}
}

// add takes in a hit, as far as it was newly found to be something.
func (r *record) add(h *held, g gain) {
	r.changed = true
	r.first = min(r.first, h.at)
	if r.last.before(h.ref) {
		r.last, r.historical = h.ref, h.is(historical)
	}
	if h.is(ends) {
		r.completed = earlier(r.completed, h.ref)
	}
	if h.is(counted) {
		return
	}
	if g.fresh {
		r.count++
	}
	for m := g.steps; m != 0; m &= m - 1 {
		r.steps[bits.TrailingZeros64(m)]++
	}
}

// absorb joins a record that lies later to this one.
func (r *record) absorb(o *record) {
	r.changed = r.changed || o.changed
	r.truncated = r.truncated || o.truncated
	r.last, r.historical = o.last, o.historical
	r.completed = earlier(r.completed, o.completed)
	r.count += o.count
	for k, n := range o.steps {
		r.steps[k] += n
	}
	r.head = newest(append(r.head, o.head...))
}

// earlier of two places, where zero is not known.
func earlier(a, b ref) ref {
	if a == (ref{}) || b != (ref{}) && b.before(a) {
		return b
	}
	return a
}

// newest cuts a list of evidence to what an alert lists.
func newest(list []Evidence) []Evidence {
	if n := len(list) - alert.MaxEvidence; n > 0 {
		return slices.Delete(list, 0, n)
	}
	return list
}

// evidence is a held hit as an alert lists it.
func (h *held) evidence() Evidence {
	return Evidence{ID: h.id, Seq: h.seq, Time: timeOf(h.at), Steps: h.found, Person: h.person, Place: h.place}
}

// place of a listed event in the order of events.
func (e *Evidence) place() ref { return ref{instant(e.Time), e.ID} }

// episode is the record as others see it.
func (f *Fold) episode(r *record) Episode {
	return Episode{
		First: timeOf(r.first), Last: timeOf(r.last.at),
		Count: r.count, Steps: slices.Clone(r.steps), Evidence: f.list(r),
		Completed: r.completed.public(), CompletedLast: r.last.public(),
		Historical: r.historical, Truncated: r.truncated,
	}
}

// list is the newest evidence of a record, of that which is held and that which
// no longer is.
func (f *Fold) list(r *record) []Evidence {
	hits := f.timeline.hits
	i := sort.Search(len(hits), func(i int) bool { return hits[i].at > r.last.at }) - 1
	j := len(r.head) - 1
	room := min(r.count, alert.MaxEvidence)
	list := make([]Evidence, 0, room)
	for len(list) < room {
		for i >= 0 && hits[i].found == 0 && hits[i].at >= r.first {
			i--
		}
		held := i >= 0 && hits[i].at >= r.first
		switch {
		case held && (j < 0 || r.head[j].place().before(hits[i].ref)):
			list = append(list, hits[i].evidence())
			i--
		case j >= 0:
			list = append(list, r.head[j])
			j--
		default: // what was published of it listed less
			room = 0
		}
	}
	slices.Reverse(list)
	return list
}
