package simulator

import (
	"sync"
	"time"
)

// Clock is the simulator's idea of now: what can be returned, token expiry,
// rate limits and the Date header follow it.
type Clock interface{ Now() time.Time }

// WallClock is the machine's own clock.
func WallClock() Clock { return wallClock{} }

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now().UTC() }

// FastClock starts at a chosen time and runs faster (or slower) than the
// machine's. Unless it may run ahead, it never passes the machine's clock: once
// it has caught up it is the machine's clock.
type FastClock struct {
	start  time.Time
	began  time.Time // on the machine's clock
	factor float64
	ahead  bool
}

// NewFastClock starts a clock now, at the given simulated time and with factor
// simulated seconds a second. Ahead allows it to pass the machine's clock.
func NewFastClock(start time.Time, factor float64, ahead bool) *FastClock {
	return &FastClock{start: start.UTC(), began: time.Now(), factor: factor, ahead: ahead}
}

// Now is the simulated time.
func (c *FastClock) Now() time.Time {
	wall := time.Now()
	now := c.start.Add(time.Duration(float64(wall.Sub(c.began)) * c.factor))
	if !c.ahead && now.After(wall) {
		now = wall
	}
	return now.UTC()
}

// ManualClock stands still until it is told to move. For tests.
type ManualClock struct {
	mu  sync.Mutex
	now time.Time
}

// NewManualClock makes a clock that stands at the given time.
func NewManualClock(now time.Time) *ManualClock { return &ManualClock{now: now.UTC()} }

// Now is the time the clock was last set to.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to a time, also backwards.
func (c *ManualClock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now.UTC()
}

// Advance moves the clock on.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
