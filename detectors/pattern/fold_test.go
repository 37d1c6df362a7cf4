package pattern

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The two oracles agree, so the faster one may be used for more hits.
func TestOracles(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := drawHits(t, p, 12, 12)
		same(t, "oracle by pairs", p, evaluateByPairs(p, hits), Evaluate(p, hits))
	})
}

// Whatever the order, the repeats and the batches: after each batch the fold
// knows what the oracle makes of the hits so far, and reports what changed, no
// more and no less.
func TestAnyOrder(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := drawHits(t, p, 20, 25)
		f := New(p, time.Time{}, 0)
		published := board{quiet: p.Quiet}
		var sofar []Hit
		var before []Episode
		for _, batch := range drawBatches(t, hits, true) {
			sofar = append(sofar, batch...)
			changed, late := f.Apply(batch)
			if len(late) != 0 {
				t.Fatalf("late: %v", late)
			}
			now := evaluateByPairs(p, sofar)
			same(t, "episodes", p, f.Episodes(), now)
			different := slices.DeleteFunc(slices.Clone(now), func(e Episode) bool {
				return slices.ContainsFunc(before, func(o Episode) bool { return reflect.DeepEqual(o, e) })
			})
			same(t, "changes", p, changed, different)
			published.publish(changed)
			same(t, "what is published", p, published.episodes, now)
			before = now
		}
		if n := len(sorted(sofar)); f.Len() > n {
			t.Fatalf("%d hits held of %d", f.Len(), n)
		}
	})
}

// A fold that is told the events one by one in order is the simplest use.
func TestInOrder(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := sorted(drawHits(t, p, 40, 60))
		f := New(p, time.Time{}, 0)
		published := board{quiet: p.Quiet}
		for i := range hits {
			changed, _ := f.Apply(hits[i : i+1])
			published.publish(changed)
		}
		same(t, "what is published", p, published.episodes, evaluateByPairs(p, hits))
	})
}
