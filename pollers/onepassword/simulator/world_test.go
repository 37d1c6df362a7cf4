package simulator

import (
	"testing"
	"time"

	"watchword/bus/event"
)

func TestSizeOfWorld(t *testing.T) {
	began := time.Now()
	w := NewWorld(WorldConfig{Seed: 1, LateItemUsages: true})
	total := 0
	for _, f := range event.Feeds {
		t.Log(f, w.Count(f))
		total += w.Count(f)
	}
	t.Log(time.Since(began), total, len(w.people), len(w.Expected()), len(w.free[0]), len(w.free[1]))
	if total < 204_000 || total > 300_000 {
		t.Errorf("world has %d records, want 204,000 to 300,000", total)
	}
}

func TestRecordsAreReadable(t *testing.T) {
	for _, cfg := range []WorldConfig{{Seed: 1, People: 40, Days: 7}, {Seed: 2, People: 40, Days: 3, MSP: true}} {
		w := NewWorld(cfg)
		for n, f := range event.Feeds {
			last := Record{}
			w.Records(f, func(r Record) bool {
				h, err := event.ReadHead(f, r.JSON)
				if err != nil {
					t.Fatalf("%v: %s", err, r.JSON)
				}
				if h.UUID != r.UUID || !h.Timestamp.Equal(r.Time) || h.Entity == "" {
					t.Fatalf("head %+v of %s: %s", h, r.UUID, r.JSON)
				}
				if r.Time.Before(last.Time) || r.Time.Equal(last.Time) && r.UUID <= last.UUID {
					t.Fatalf("%s at %v comes after %s at %v", r.UUID, r.Time, last.UUID, last.Time)
				}
				if r.Available.Before(r.Time) {
					t.Fatalf("%s is available before it happens", r.UUID)
				}
				last = r
				return true
			})
			t.Log(n, string(last.JSON))
		}
	}
}
