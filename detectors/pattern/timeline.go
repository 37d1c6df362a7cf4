package pattern

import (
	"slices"
	"sort"
	"unique"

	"watchword/bus/alert"
)

// held is a hit as a fold keeps it, and what it was found to be. A key may
// hold a hundred thousand of them, so its size matters (72 bytes).
type held struct {
	ref
	seq     uint64
	matches uint64 // bit k: the event matches step k
	found   uint64 // bit k: it is evidence for step k
	person  unique.Handle[alert.Person]
	place   unique.Handle[alert.Place]
	value   uint32 // number of its value, for Distinct and Travel
	marks
}

// marks are what is true or false of a held hit.
type marks uint8

const (
	historical marks = 1 << iota // as Hit.Historical
	starts                       // it is the first hit of a match
	ends                         // it is the last hit of a match
	counted                      // a record may count it already, for all its steps
)

func (m marks) is(x marks) bool { return m&x != 0 }

// timeline is the set of a key's hits in the order of events.
type timeline struct {
	hits   []held
	values values
}

// seek is the index of the first hit at or after the instant.
func (t *timeline) seek(at int64) int {
	return sort.Search(len(t.hits), func(i int) bool { return t.hits[i].at >= at })
}

// find is the index of the first hit that is not before r, and whether that is r.
func (t *timeline) find(r ref) (int, bool) {
	n := len(t.hits)
	if n == 0 || t.hits[n-1].before(r) { // in order, as most hits come
		return n, false
	}
	i := sort.Search(n, func(i int) bool { return !t.hits[i].before(r) })
	return i, t.hits[i].ref == r
}

// insert adds hits that are sorted, without repeats and not held yet.
func (t *timeline) insert(batch []held) {
	end := len(t.hits)
	t.hits = append(t.hits, batch...)
	if end == 0 || t.hits[end-1].before(batch[0].ref) {
		return
	}
	// From the back, so that every held hit moves once, in runs.
	for j := len(batch) - 1; j >= 0; j-- {
		p := sort.Search(end, func(i int) bool { return batch[j].before(t.hits[i].ref) })
		copy(t.hits[p+j+1:], t.hits[p:end])
		t.hits[p+j] = batch[j]
		end = p
	}
}

// drop forgets the first n hits.
func (t *timeline) drop(n int) {
	for i := range t.hits[:n] {
		t.values.release(t.hits[i].value)
	}
	t.hits = slices.Delete(t.hits, 0, n)
	if cap(t.hits) > 4*len(t.hits) { // a burst should not be remembered by its size
		t.hits = append([]held(nil), t.hits...)
	}
}

// tighten lets go of what a burst of values took. There is no hit with a value
// but those held.
func (t *timeline) tighten() {
	if !t.values.loose() {
		return
	}
	old := t.values.texts
	t.values = values{}
	for i := range t.hits {
		if h := &t.hits[i]; h.value != 0 {
			h.value = t.values.number(old[h.value])
		}
	}
}
