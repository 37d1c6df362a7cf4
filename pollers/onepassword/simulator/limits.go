package simulator

import (
	"sync"
	"time"
)

// The API's limits, from its reference.
const (
	requestsPerMinute = 600
	requestsPerHour   = 30_000
)

// limits counts requests in whole minutes and hours of the simulated clock.
type limits struct {
	perMinute, perHour int // negative: none

	mu   sync.Mutex
	seen map[string]*spent // by token or account
}

type spent struct {
	minute, hour   int64 // Unix
	inMinute, done int
}

// quota is what a client is told about its limit: that of the minute.
type quota struct {
	limit, remaining int
	reset            time.Duration // until the window that counts begins anew
}

func newLimits(options Options) *limits {
	l := &limits{perMinute: options.PerMinute, perHour: options.PerHour, seen: map[string]*spent{}}
	if l.perMinute == 0 {
		l.perMinute = requestsPerMinute
	}
	if l.perHour == 0 {
		l.perHour = requestsPerHour
	}
	return l
}

// take counts a request and says whether it may go on. One that may not is not
// counted.
func (l *limits) take(who string, now time.Time) (quota, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.seen[who]
	if s == nil {
		s = &spent{}
		l.seen[who] = s
	}
	if m := now.Unix() / 60; m != s.minute {
		s.minute, s.inMinute = m, 0
	}
	if h := now.Unix() / 3600; h != s.hour {
		s.hour, s.done = h, 0
	}
	q := quota{limit: l.perMinute, reset: now.Truncate(time.Minute).Add(time.Minute).Sub(now)}
	switch {
	case l.perHour > 0 && s.done >= l.perHour:
		q.reset = now.Truncate(time.Hour).Add(time.Hour).Sub(now)
		return q, false
	case l.perMinute > 0 && s.inMinute >= l.perMinute:
		return q, false
	}
	s.inMinute++
	s.done++
	q.remaining = max(0, l.perMinute-s.inMinute)
	return q, true
}
