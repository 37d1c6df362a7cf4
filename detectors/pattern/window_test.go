package pattern

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/rules"
)

// Whatever enters a window and leaves it, it says what trying every assignment
// says: whether the hits can fill all steps, and which of them each can fill.
func TestWindow(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := &rules.Pattern{Word: rules.Together, Steps: steps(make([]int, between(t, 2, rules.MaxTogether, "steps"))...)}
		w := newWindow(len(p.Steps))
		var hits []Hit
		for range between(t, 1, 30, "moves") {
			if n := len(hits); n > 0 && (n > 12 || between(t, 0, 2, "leave") == 0) {
				i := between(t, 0, n-1, "which")
				w.leave(uint8(hits[i].Steps))
				hits = append(hits[:i], hits[i+1:]...)
			} else {
				h := Hit{Steps: uint64(between(t, 1, 1<<len(p.Steps)-1, "any"))}
				if between(t, 0, 2, "one") > 0 {
					h.Steps = 1 << between(t, 0, len(p.Steps)-1, "step")
				}
				hits = append(hits, h)
				w.enter(uint8(h.Steps))
			}
			if have, want := w.short == 0, othersFill(p, hits, nil); have != want {
				t.Fatalf("%v can fill all steps: have %t, want %t", hits, have, want)
			}
			if w.changed {
				w.update()
			}
			for i, h := range hits {
				want := uint64(0)
				for k := range p.Steps {
					if h.Steps&(1<<k) != 0 && othersFill(p, hits, map[int]int{i: k}) {
						want |= 1 << k
					}
				}
				if have := w.table[uint8(h.Steps)]; uint64(have) != want {
					t.Fatalf("of %v the one with %b can fill %b, want %b", hits, h.Steps, have, want)
				}
			}
		}
	})
}

// As many steps as rules allow, each hit with one or some of them.
func TestManyTogether(t *testing.T) {
	checkFewer(t, 20, func(t *rapid.T) { // the oracle is slow at this
		p := &rules.Pattern{Word: rules.Together, Steps: steps(make([]int, rules.MaxTogether)...), Quiet: time.Second}
		p.Within = time.Duration(between(t, 5, 9, "within")) * time.Second
		hits := drawHits(t, p, 24, 20)
		for i := range hits {
			if hits[i].Steps == 0 || between(t, 0, 3, "in turn") > 0 {
				hits[i].Steps = 1 << (i % len(p.Steps))
			}
		}
		f := New(p, time.Time{}, 0)
		for _, batch := range drawBatches(t, hits, false) {
			f.Apply(batch)
		}
		same(t, "episodes", p, f.Episodes(), evaluateByPairs(p, hits))
	})
}
