package simulator

import (
	"sync"
	"time"
)

// Live lets worlds go on for ever: ordinary life day by day, and a story again
// and again. Every day from the world's start to the clock's now is planned, so
// a world should have begun weeks ago, not years.
type Live struct {
	// Every is how often a story begins, in real time; 20 s if zero, never if negative.
	Every time.Duration
	// First is when the first one begins; 3 s if zero.
	First time.Duration
	// Stories are the kinds told in turn; all of them if nil.
	Stories []string
}

type liveState struct {
	Live
	mu   sync.Mutex
	next time.Time // real time at which the next story begins
	told int
}

func newLiveState(l Live) *liveState {
	if l.Every == 0 {
		l.Every = 20 * time.Second
	}
	if l.First == 0 {
		l.First = 3 * time.Second
	}
	if l.Stories == nil {
		l.Stories = StoryKinds()
	}
	return &liveState{Live: l}
}

// goOn brings live worlds up to date: it plans ordinary life ahead of the
// clock and begins a story when one is due. It is called with every request
// and by Serve, and does nothing most of the time.
func (s *Simulator) goOn() {
	if s.live == nil {
		return
	}
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	for _, w := range s.worlds {
		// Days are local, so the one after tomorrow can begin tomorrow. What is
		// planned before its time is behind no cursor.
		w.planUntil(int(s.clock.Now().Sub(w.start)/day) + 3)
	}
	now := time.Now()
	switch {
	case s.live.next.IsZero():
		s.live.next = now.Add(s.live.First)
		return
	case s.live.Every < 0 || now.Before(s.live.next) || len(s.worlds) == 0 || len(s.live.Stories) == 0:
		return
	}
	s.live.next = now.Add(s.live.Every)
	kind := s.live.Stories[s.live.told%len(s.live.Stories)]
	world := s.worlds[s.live.told/len(s.live.Stories)%len(s.worlds)]
	s.live.told++
	name, err := s.Inject(kind, world.account)
	if err != nil { // the kind needs more accounts than are served
		s.live.next = now
		s.logger.Debug("story left out", "kind", kind, "err", err)
		return
	}
	s.logger.Info("story begins", "story", name, "account", world.cfg.Name)
}
