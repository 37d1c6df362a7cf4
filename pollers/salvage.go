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
	step   time.Duration
	hole   time.Time // with phase passed: what is covered next begins here
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
	switch s.phase {
	case verifying:
		s.phase, s.place = passed, s.beyond
		return
	case probing, passed:
		s.phase = probing
		s.probe(now)
		return
	}
	if s.tries++; s.tries < triesEach {
		return
	}
	if next := smaller(s.limit); next > 0 {
		*s = salvage{limit: next, place: place{start: later(start, s.seen)}, seen: later(start, s.seen)}
		return
	}
	s.tries = 0
	if e.Class == onepassword.ClassCut {
		return // the line is bad, not the record: nothing is passed over
	}
	s.phase, s.origin, s.body, s.step = probing, s.place, e.Body, 0
	if c := onepassword.SalvageCursor(e.Body); c != "" && c != s.place.cursor {
		s.place = place{cursor: c}
		return
	}
	s.probe(now)
}

// probe moves on by time, in steps that double. When it has reached the
// present without finding anything that can be read, there is no bad record
// but no good answer at all: back to where it began.
func (s *salvage) probe(now time.Time) {
	s.step = max(time.Millisecond, 2*s.step)
	s.place = place{start: s.seen.Add(s.step)}
	if s.place.start.After(now) {
		s.phase, s.place, s.body = reading, s.origin, nil
	}
}

// readable notes an answer that could be read, and says whether it is to be
// stored. Otherwise another place has to be asked first.
func (s *salvage) readable() bool {
	s.tries = 0
	switch s.phase {
	case probing:
		s.phase, s.beyond, s.place = verifying, s.place, s.origin
		return false
	case verifying:
		s.phase, s.body = reading, nil
	case passed:
		s.hole = s.beyond.start
		if s.hole.IsZero() {
			s.hole = s.seen.Add(time.Millisecond) // the least that shows
		}
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
	s.phase, s.body, s.hole = reading, nil, time.Time{}
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
