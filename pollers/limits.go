package pollers

import (
	"sync"
	"time"
)

// Requests that the API documents as allowed are 600 a minute and 30,000 an
// hour. These are a little less: introspection, a second process that takes
// over, and the console of a person share the same allowance.
const (
	defaultPerMinute = 540
	defaultPerHour   = 28_500
	// sweepReserve of a minute's requests is left to polls: a sweep never
	// makes a feed wait.
	sweepReserve = 100
)

// limits shares the requests of one token among its feeds.
type limits struct {
	mu     sync.Mutex
	now    func() time.Time // the machine's clock: the server counts real time
	minute window
	hour   window
	held   time.Time // nobody asks before
}

func newLimits(perMinute, perHour int, now func() time.Time) *limits {
	return &limits{
		now:    now,
		minute: newWindow(perMinute, time.Second),
		hour:   newWindow(perHour, time.Minute),
	}
}

// take counts a request and returns 0, or says how long to wait before asking
// again. It leaves spare requests of the minute to others.
func (l *limits) take(spare int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Before(l.held) {
		return l.held.Sub(now)
	}
	spare = min(spare, l.minute.limit/2) // a small limit still lets a sweep pass
	if wait := max(l.minute.wait(now, spare), l.hour.wait(now, 0)); wait > 0 {
		return wait
	}
	l.minute.add(now)
	l.hour.add(now)
	return 0
}

// hold keeps every feed of the token from asking for d, as the server wished.
func (l *limits) hold(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := l.now().Add(d); until.After(l.held) {
		l.held = until
	}
}

// Room is what is left of a token's allowance.
type Room struct {
	Minute int `json:"minute"` // requests left in this minute
	Hour   int `json:"hour"`   // requests left in this hour
	// HeldUntil is set while the server asked to wait.
	HeldUntil time.Time `json:"held_until,omitzero"`
}

func (l *limits) room() Room {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	r := Room{Minute: l.minute.left(now), Hour: l.hour.left(now)}
	if now.Before(l.held) {
		r.HeldUntil = l.held
	}
	return r
}

// window counts requests over the last 60 slots and the running one. It slides
// slot by slot, so no 60 slots in a row, wherever the server's window begins,
// hold more than limit.
type window struct {
	limit int
	slot  time.Duration
	count [slots]int
	at    [slots]int64 // number of the slot each count is of
	total int
}

const slots = 61

func newWindow(limit int, slot time.Duration) window { return window{limit: limit, slot: slot} }

func (w *window) number(now time.Time) int64 { return now.UnixNano() / int64(w.slot) }

// forget drops the counts that have left the window, and those of a clock that
// was set back.
func (w *window) forget(now time.Time) {
	n := w.number(now)
	for i := range w.count {
		if w.count[i] > 0 && (w.at[i] <= n-slots || w.at[i] > n) {
			w.total -= w.count[i]
			w.count[i] = 0
		}
	}
}

func (w *window) left(now time.Time) int {
	w.forget(now)
	return max(0, w.limit-w.total)
}

// wait is how long until a request may go out that leaves spare others.
func (w *window) wait(now time.Time, spare int) time.Duration {
	if w.left(now) > spare {
		return 0
	}
	// The oldest slot with requests in it is the next to leave.
	oldest := w.number(now)
	for i := range w.count {
		if w.count[i] > 0 && w.at[i] < oldest {
			oldest = w.at[i]
		}
	}
	leaves := time.Unix(0, (oldest+slots)*int64(w.slot))
	return max(leaves.Sub(now), time.Millisecond)
}

func (w *window) add(now time.Time) {
	n := w.number(now)
	i := int(n % slots)
	if w.at[i] != n {
		w.total -= w.count[i]
		w.count[i], w.at[i] = 0, n
	}
	w.count[i]++
	w.total++
}
