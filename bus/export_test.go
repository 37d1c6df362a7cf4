package bus

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// SetFloor sets how much of the disk stays free and returns what it was.
func SetFloor(b *Bus, bytes int64) int64 {
	was := b.store.floor
	b.store.floor = bytes
	return was
}

// Hurry makes a bus wait less long for an answer before it doubts.
func Hurry(b *Bus, d time.Duration) { b.patience = d }

// Token is one token of a subject.
var Token = token

// Matches is the filter a Reader applies itself.
var Matches = matches

// LoseConsumer makes the server forget a reader's consumer.
func LoseConsumer(t testing.TB, r *Reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flow == nil {
		return
	}
	// It may be lost already.
	if err := r.bus.js.DeleteConsumer(t.Context(), r.stream, r.flow.name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Fatal(err)
	}
}

// StallConsumer makes a reader's consumer send nothing but heartbeats, and the
// reader doubt it sooner than it would.
func StallConsumer(t testing.TB, r *Reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.patience = 200 * time.Millisecond
	if _, err := r.bus.js.PauseConsumer(t.Context(), r.stream, r.flow.name, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// MuteConsumer makes a reader hear nothing at all any more.
func MuteConsumer(r *Reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flow.sub.Unsubscribe()
}

// Consumers is how many consumers the server has on a stream.
func Consumers(t testing.TB, b *Bus, stream string) int {
	s, err := b.js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Consumers
}
