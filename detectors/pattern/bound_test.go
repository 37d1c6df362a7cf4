package pattern

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"watchword/bus/alert"
	"watchword/rules"
)

// In-order traffic is never late because of the bound, and loses nothing as
// long as the bound holds what one window can.
func TestBoundInOrder(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := sorted(drawHits(t, p, 40, 40))
		most := 1
		for i := range hits {
			n := 0
			for j := i; j >= 0 && hits[i].Time.Sub(hits[j].Time) <= p.Within; j-- {
				n++
			}
			most = max(most, n)
		}
		most += between(t, 0, 3, "room")
		f := New(p, time.Time{}, most)
		published := board{quiet: p.Quiet}
		for _, batch := range drawBatches(t, hits, false) {
			changed, late := f.Apply(batch)
			if len(late) > 0 {
				t.Fatalf("late: %v, settled %v", late, f.Settled())
			}
			if f.Len() > most {
				t.Fatalf("%d hits held, bound %d", f.Len(), most)
			}
			published.publish(changed)
		}
		for i := range published.episodes {
			published.episodes[i].Truncated = false
		}
		same(t, "what is published", p, published.episodes, evaluateByPairs(p, hits))
	})
}

// Whatever the bound and the order: no more is held, no hit that is not
// given back is lost in silence, nothing is counted twice, nothing is made up, and an
// episode that lacks something says so.
func TestBoundAnyOrder(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := drawHits(t, p, 30, 20)
		most := between(t, 1, 12, "bound")
		f := New(p, time.Time{}, most)
		var sofar []Hit
		for _, batch := range drawBatches(t, hits, true) {
			settled := f.Settled()
			_, late := f.Apply(batch)
			for _, h := range late {
				if h.Time.After(settled) {
					t.Fatalf("late at %v, settled %v", h.Time, settled)
				}
			}
			for _, h := range batch {
				if !slices.ContainsFunc(late, func(l Hit) bool { return l.ID == h.ID }) {
					sofar = append(sofar, h)
				}
			}
			if f.Len() > most {
				t.Fatalf("%d hits held, bound %d", f.Len(), most)
			}
			all := evaluateByPairs(p, sofar)
			for _, e := range f.Episodes() {
				within := false
				for _, o := range all {
					if o.First.After(e.First) || o.Last.Before(e.Last) {
						continue
					}
					within = true
					if e.Count > o.Count {
						t.Fatalf("more than there is:\nhave %s\nof %s", show([]Episode{e}), show([]Episode{o}))
					}
					if e.Count < o.Count && !e.Truncated {
						t.Fatalf("less than there is and does not say so:\nhave %s\nof %s", show([]Episode{e}), show([]Episode{o}))
					}
				}
				if !within {
					t.Fatalf("made up: %s\nof %s", show([]Episode{e}), show(all))
				}
			}
		}
	})
}

// A long episode lists its newest evidence and counts all of it, through
// pruning, the bound and a restart.
func TestLongEpisode(t *testing.T) {
	const n = 5 * alert.MaxEvidence
	p := &rules.Pattern{Word: rules.Sequence, Steps: steps(2, 1), Within: 20 * time.Second, Quiet: 5 * time.Second}
	var hits []Hit
	for i := range n {
		h := Hit{Time: second(i), ID: fmt.Sprintf("e%04d", i), Seq: uint64(i), Steps: 1 << (i % 5 / 4)}
		hits = append(hits, h)
	}
	want := evaluateByPairs(p, hits)
	if len(want) != 1 || len(want[0].Evidence) != alert.MaxEvidence || want[0].Count < n-10 {
		t.Fatalf("not what this test is about: %s", show(want))
	}
	for _, c := range []struct {
		name           string
		bound          int
		prune, restart bool
	}{
		{"all held", 0, false, false},
		{"pruned", 0, true, false},
		{"bounded", 30, false, false},
		{"restarted", 0, false, true},
		{"pruned and restarted", 0, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			published := board{quiet: p.Quiet}
			f := New(p, time.Time{}, c.bound)
			for i := range hits {
				if c.restart && i%37 == 36 {
					from := max(0, i-50) // S lies a window after it, the next hit another one
					f = New(p, second(from), c.bound)
					f.Apply(hits[from:i])
					f.Resume(published.copied())
				}
				changed, late := f.Apply(hits[i : i+1])
				if len(late) > 0 {
					t.Fatalf("late: %v", late)
				}
				published.publish(changed)
				if c.prune {
					f.Prune(hits[i].Time)
				}
				for _, r := range f.records {
					if len(r.head) > alert.MaxEvidence {
						t.Fatalf("%d events listed", len(r.head))
					}
				}
			}
			for i := range published.episodes {
				if published.episodes[i].Truncated != (c.bound > 0) {
					t.Errorf("truncated is %t", published.episodes[i].Truncated)
				}
				published.episodes[i].Truncated = false
			}
			same(t, "what is published", p, published.episodes, want)
		})
	}
}

// Which episodes a cut touches: those that a cut hit lies near enough to.
func TestTruncated(t *testing.T) {
	p := &rules.Pattern{Word: rules.Times, N: 2, Steps: steps(1), Within: 5 * time.Second, Quiet: 2 * time.Second}
	hits := parseHits(t, "10a 11a 30a 31a 32a 33a 34a")
	f := New(p, time.Time{}, 4)
	for _, c := range []struct {
		upTo int
		want string // the episodes that changed; ! is truncated
	}{
		{2, "10-11 2 [2] e02"},
		{4, "30-31 2 [2] e04"},
		{5, "!10-11 2 [2] e02, 30-32 3 [3] e04"},
		{6, "30-33 4 [4] e04"},
		{7, "!30-34 5 [5] e04"},
	} {
		changed, late := f.Apply(hits[:c.upTo])
		var have []string
		for _, e := range changed {
			mark := ""
			if e.Truncated {
				mark = "!"
			}
			have = append(have, mark+brief([]Episode{e}))
		}
		if have := strings.Join(have, ", "); have != c.want {
			t.Errorf("after %d hits: have %s, want %s", c.upTo, have, c.want)
		}
		for _, h := range late {
			if !h.Time.Before(f.Settled()) {
				t.Errorf("late at %v, settled %v", h.Time, f.Settled())
			}
		}
	}
	if f.Len() != 4 || !f.Settled().Equal(second(31)) {
		t.Errorf("%d hits held, settled %v", f.Len(), f.Settled())
	}
}

// An episode that no cut hit is near is whole, though it is older.
func TestNotTruncated(t *testing.T) {
	p := &rules.Pattern{Word: rules.Times, N: 2, Steps: steps(1), Within: 5 * time.Second, Quiet: 2 * time.Second}
	hits := parseHits(t, "10a 11a 19a 30a 31a")
	f := New(p, time.Time{}, 2)
	f.Apply(hits[:2])
	f.Prune(second(24)) // settled: 17, needed: 12
	f.Apply(hits[2:4])
	f.Apply(hits[4:])
	for _, e := range f.Episodes() {
		if e.Truncated {
			t.Errorf("%s is truncated", brief([]Episode{e}))
		}
	}
	if have, want := brief(f.Episodes()), "10-11 2 [2] e02, 30-31 2 [2] e05"; have != want {
		t.Errorf("have %s, want %s", have, want)
	}
}

func TestHeldSize(t *testing.T) {
	if n := unsafe.Sizeof(held{}); n != 72 {
		t.Errorf("a held hit takes %d bytes; the package comment says 72", n)
	}
}
