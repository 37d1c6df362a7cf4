package detectors

import (
	"time"

	"watchword/rules"
)

// Status is what a worker is doing, for people.
type Status struct {
	Position uint64 // EVENTS sequence read up to
	LastSeq  uint64 // EVENTS sequence known to be the last
	Caught   bool   // everything known to be there has been read

	Events  uint64 // events read since the start of this worker
	Alerts  uint64 // alert revisions published since then
	Keys    int    // keys held
	Hits    int    // hits held
	Rebuilt uint64 // keys read again from the stored events, for something late
	TooLate uint64 // hits older than the stored events reach back
	Poison  uint64 // stored events that could not be read
	Cut     uint64 // keys dropped for the bound on hits in all
	Trimmed uint64 // hits cut for the bounds on one key: too many hits, or places

	Rules   []rules.RuleStats
	Trouble string    // plain words, empty when all is well
	Since   time.Time // of Trouble
}

// Status is the state of the worker as of its last batch.
func (w *Worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

func (w *Worker) trouble(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.status.Trouble, w.status.Since = "", time.Time{}
	case w.status.Trouble != err.Error():
		w.status.Trouble, w.status.Since = err.Error(), w.c.Now()
	}
}

// report makes what the state knows visible to Status.
func (s *state) report() {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	st := &s.w.status
	st.Position = s.position
	st.LastSeq = max(s.lastSeq, s.position)
	st.Caught = s.reader.Pending() == 0
	if pending := s.reader.Pending(); pending > 0 {
		st.LastSeq = max(st.LastSeq, s.position+pending)
	}
	st.Events += s.events
	st.Alerts += s.alerts
	st.Rebuilt += s.rebuilt
	st.TooLate += s.tooLate
	st.Poison += s.poison
	st.Cut += s.cut
	st.Trimmed += s.trimmed
	s.events, s.alerts, s.rebuilt, s.tooLate, s.poison, s.cut, s.trimmed = 0, 0, 0, 0, 0, 0, 0
	st.Hits = s.hits
	st.Keys = 0
	for _, p := range s.parts {
		if p != nil {
			st.Keys += len(p.keys)
		}
	}
	st.Rules = s.matcher.Stats()
	st.Trouble, st.Since = s.trouble, s.troubleSince
}
