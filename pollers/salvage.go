package pollers

import (
	"time"

	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

// salvage gets a feed past answers that cannot be read as a whole. The place is
// asked for again in smaller and smaller pages, until what can be read is
// stored and what cannot is an answer of one record. Then it looks for a place
// behind it that can be read, asks once more for the first one, lest an outage
// that just ended be taken for a bad record, and only then passes over it: its
// bytes are set aside and what is covered gets a hole.
//
// None of this is stored: a poller that starts again begins at the last
// complete time, and finds the same way.
type salvage struct {
	limit int // page size; 0: not at work
	place place
	tries int       // unreadable answers in a row at this place
	read  int       // records read at this size
	seen  time.Time // of the last record read, or the time everything before is complete

	phase  phase
	origin place  // of the answer that cannot be read
	body   []byte // that answer
	beyond place  // where reading goes on behind it
	// While probing by time: from lo nothing can be read, from hi something can.
	lo, hi time.Time
}

// place is where a page begins: a cursor of the chain, or a time.
type place struct {
	cursor string
	start  time.Time
}

type phase int

const (
	reading   phase = iota
	probing         // looking for a place behind the answer that can be read
	verifying       // there is one; asking for the first place once more
	passed          // the first place is bad: what can be read beyond is taken
)

// triesEach is how often an unreadable answer is asked for at one page size.
const triesEach = 3

func (s *salvage) on() bool { return s.limit > 0 }

func (s *salvage) from() onepassword.From {
	if s.place.cursor != "" {
		return onepassword.From{Cursor: s.place.cursor}
	}
	return onepassword.From{Limit: s.limit, Start: s.place.start}
}

// smaller is the next size of page to try, 0 behind the last.
func smaller(limit int) int {
	switch {
	case limit == 0:
		return 50
	case limit > 5:
		return 5
	case limit > 1:
		return 1
	}
	return 0
}

// enough is how many records have to be read at a size until the trouble is
// behind: as many as were on the page that could not be read at the size before.
func enough(limit int) int {
	switch limit {
	case 1:
		return 5
	case 5:
		return 50
	}
	return onepassword.PageLimit
}

// unreadable notes an answer that cannot be read. start is where a new chain
// begins that misses nothing.
func (s *salvage) unreadable(e *onepassword.Error, start, now time.Time) {
	if s.phase != reading && e.Class == onepassword.ClassCut {
		return // says something of the line and nothing of the place
	}
	switch s.phase {
	case probing:
		s.lo = later(s.lo, s.place.start)
		s.probe(now)
		return
	case verifying:
		s.phase, s.place = passed, s.beyond
		return
	}
	if s.tries++; s.tries < triesEach {
		return
	}
	s.tries = 0
	if s.phase == passed { // it could be read a moment ago: begin again
		s.phase, s.place, s.body = reading, s.origin, nil
		return
	}
	if next := smaller(s.limit); next > 0 {
		from := later(start, s.seen)
		*s = salvage{limit: next, place: place{start: from}, seen: from}
		return
	}
	if e.Class == onepassword.ClassCut {
		return // the line is bad, not the record: nothing is passed over
	}
	s.phase, s.origin, s.body = probing, s.place, e.Body
	s.lo, s.hi = s.seen, time.Time{}
	if c := onepassword.SalvageCursor(e.Body); c != "" && c != s.place.cursor {
		s.place = place{cursor: c}
		return
	}
	s.probe(now)
}

// probe chooses the next place by time: in steps that double until something
// can be read, then halving the distance, down to the millisecond. When the
// present is reached without anything readable, there is no bad record but no
// good answer at all: back to where it began.
func (s *salvage) probe(now time.Time) {
	switch {
	case s.hi.IsZero():
		step := max(time.Millisecond, 2*s.lo.Sub(s.seen))
		s.place = place{start: s.seen.Add(step)}
		if s.place.start.After(now) {
			s.phase, s.place, s.body = reading, s.origin, nil
		}
	case s.hi.Sub(s.lo) > time.Millisecond:
		s.place = place{start: s.lo.Add(s.hi.Sub(s.lo) / 2)}
	default:
		s.phase, s.beyond, s.place = verifying, place{start: s.hi}, s.origin
	}
}

// readable notes an answer that could be read, and says whether it is to be
// stored. Otherwise another place has to be asked first.
func (s *salvage) readable(now time.Time) bool {
	s.tries = 0
	switch {
	case s.phase == probing && s.place.cursor != "":
		s.phase, s.beyond, s.place = verifying, s.place, s.origin
		return false
	case s.phase == probing:
		s.hi = s.place.start
		s.probe(now)
		return false
	case s.phase == verifying:
		s.phase, s.body = reading, nil
	}
	return true
}

// stored notes that the page is stored and everything before watermark is
// complete. It returns where to begin anew with pages of the usual size, zero
// while the salvage goes on.
func (s *salvage) stored(page onepassword.Page, last, watermark time.Time, ended bool) time.Time {
	if !s.on() {
		return time.Time{}
	}
	fresh := s.phase == passed
	s.phase, s.body = reading, nil
	s.place = place{cursor: page.Cursor}
	moved := last.Truncate(time.Millisecond).After(s.seen)
	s.seen = later(s.seen, later(last.Truncate(time.Millisecond), watermark))
	s.place.start = s.seen
	s.read += len(page.Items)
	if fresh && !moved || s.read < enough(s.limit) && !ended {
		return time.Time{}
	}
	seen := s.seen
	*s = salvage{}
	return seen
}

// aside makes the entries of the answer that is passed over.
func (s *salvage) aside(source string, feed event.Feed, now time.Time, k *known) []entry {
	if s.phase != passed || len(s.body) == 0 {
		return nil
	}
	key := keyOf(s.body)
	if _, ok := k.aside[key]; ok {
		return nil
	}
	return asideEntries(key, now, quarantine(source, feed, now, "", "the API's answer with this record is not JSON, in any size of page", s.body))
}

// hole tells whether e is of the failures salvage deals with.
func hole(e *onepassword.Error) bool {
	switch e.Class {
	case onepassword.ClassBroken, onepassword.ClassTooLarge, onepassword.ClassCut:
		return true
	}
	return false
}
