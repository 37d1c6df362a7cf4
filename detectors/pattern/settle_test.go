package pattern

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/rules"
)

// reach is how far before the watermark Prune settles.
func reach(p *rules.Pattern) time.Duration { return p.Within + p.Quiet }

// earliest is the time of the earliest hit; far off if there is none.
func earliest(hits []Hit) time.Time {
	first := second(1000)
	for _, h := range hits {
		if h.Time.Before(first) {
			first = h.Time
		}
	}
	return first
}

// While every hit arrives before its time is settled, even long after the
// watermark has passed it, pruning changes nothing that is published.
func TestPrune(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := drawHits(t, p, 30, 60)
		f := New(p, time.Time{}, 0)
		published := board{quiet: p.Quiet}
		if rapid.Bool().Draw(t, "roughly in order") {
			hits = roughlySorted(t, hits)
		}
		taken := 0
		for _, batch := range drawBatches(t, hits, false) {
			changed, late := f.Apply(batch)
			if len(late) != 0 {
				t.Fatalf("late: %v, settled %v", late, f.Settled())
			}
			published.publish(changed)
			taken += len(batch)
			same(t, "what is published", p, published.episodes, evaluateByPairs(p, hits[:taken]))
			if rapid.Bool().Draw(t, "prune") {
				was := f.Settled()
				complete := second(between(t, -10, 80, "complete"))
				if last := earliest(hits[taken:]).Add(reach(p)); complete.After(last) {
					complete = last
				}
				f.Prune(complete)
				want := complete.Add(-reach(p))
				if want.Before(was) {
					want = was
				}
				if !f.Settled().Equal(want) {
					t.Fatalf("settled %v, want %v", f.Settled(), want)
				}
				checkForgotten(t, f, p)
			}
		}
	})
}

// roughlySorted lets hits arrive in order, but for some seconds.
func roughlySorted(t *rapid.T, hits []Hit) []Hit {
	type arrival struct {
		hit Hit
		at  time.Time
	}
	list := make([]arrival, len(hits))
	for i, h := range hits {
		list[i] = arrival{h, h.Time.Add(time.Duration(between(t, 0, 9, "delay")) * time.Second)}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return a.at.Compare(b.at) })
	out := make([]Hit, len(list))
	for i := range list {
		out[i] = list[i].hit
	}
	return out
}

// checkForgotten: what can no more be of use is not held.
func checkForgotten(t *rapid.T, f *Fold, p *rules.Pattern) {
	needed := f.Settled().Add(-p.Within)
	for _, h := range f.timeline.hits {
		if timeOf(h.at).Before(needed) {
			t.Fatalf("a hit at %v is held, settled %v", timeOf(h.at), f.Settled())
		}
	}
	for _, e := range f.Episodes() {
		if e.Last.Add(p.Quiet).Before(needed) {
			t.Fatalf("an episode that ended at %v is held, settled %v", e.Last, f.Settled())
		}
	}
}

// A hit that comes too late is given back; the key is rebuilt from history as
// the package comment says, and then all is as if it had come in time.
func TestLate(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := drawHits(t, p, 30, 40)
		if rapid.Bool().Draw(t, "roughly in order") {
			hits = roughlySorted(t, hits)
		}
		f := New(p, time.Time{}, 0)
		published := board{quiet: p.Quiet}
		var history []Hit
		for _, batch := range drawBatches(t, hits, true) {
			settled := f.Settled()
			changed, late := f.Apply(batch)
			published.publish(changed)
			for _, h := range late {
				if !h.Time.Before(settled) {
					t.Fatalf("late at %v, settled %v", h.Time, settled)
				}
			}
			isLate := func(h Hit) bool {
				return slices.ContainsFunc(late, func(l Hit) bool { return l.ID == h.ID })
			}
			decided := append(slices.Clone(history), slices.DeleteFunc(slices.Clone(batch), isLate)...)
			history = append(history, batch...)
			if len(late) > 0 {
				from := earliest(late).Add(-2*p.Within - time.Duration(between(t, 0, 5, "more"))*time.Second)
				if rapid.Bool().Draw(t, "from the beginning") {
					from = time.Time{}
				}
				f = New(p, from, 0)
				f.Apply(decided)
				f.Resume(published.copied())
				changed, again := f.Apply(late)
				if len(again) > 0 {
					t.Fatalf("late after rebuild: %v, settled %v", again, f.Settled())
				}
				published.publish(changed)
			}
			same(t, "what is published", p, published.episodes, evaluateByPairs(p, history))
			if rapid.Bool().Draw(t, "prune") {
				f.Prune(second(between(t, 0, 60, "complete")))
			}
		}
	})
}

// A fold made anew at any position, from any time, goes on where the old one
// was: what is published in the end is what the oracle makes of the hits that
// were not given back.
func TestRestart(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := drawHits(t, p, 30, 40)
		if rapid.Bool().Draw(t, "roughly in order") {
			hits = roughlySorted(t, hits)
		}
		stop := between(t, 0, len(hits), "stop")
		published := board{quiet: p.Quiet}
		old := New(p, time.Time{}, 0)
		for _, batch := range drawBatches(t, hits[:stop], false) {
			changed, _ := old.Apply(batch)
			published.publish(changed)
		}

		from := second(between(t, -5, 40, "from"))
		f := New(p, from, 0)
		if want := from.Add(p.Within); !f.Settled().Equal(want) {
			t.Fatalf("settled %v, want %v", f.Settled(), want)
		}
		seen := hits[:stop]
		if rapid.Bool().Draw(t, "history is cut at the time") {
			seen = slices.DeleteFunc(slices.Clone(seen), func(h Hit) bool { return h.Time.Before(from) })
		}
		for _, batch := range drawBatches(t, seen, true) {
			if changed, late := f.Apply(batch); len(changed)+len(late) > 0 {
				t.Fatalf("changed %v and late %v while it warms up", changed, late)
			}
		}
		if f.Idle() {
			t.Fatal("idle while it warms up")
		}
		resumed := published.copied()
		asStored := rapid.Bool().Draw(t, "as alerts store it")
		if asStored {
			forget(resumed, true)
		}
		f.Resume(resumed)
		known := slices.DeleteFunc(slices.Clone(published.episodes), func(e Episode) bool {
			return e.Last.Add(p.Quiet).Before(from)
		})
		again := f.Episodes()
		if asStored { // when an episode was first completed may be lost, until then
			forget(again, false)
			forget(known, false)
		}
		same(t, "episodes after resume", p, again, known)

		decided := slices.Clone(hits[:stop])
		for _, batch := range drawBatches(t, hits[stop:], false) {
			settled := f.Settled()
			changed, late := f.Apply(batch)
			published.publish(changed)
			for _, h := range batch {
				was := slices.ContainsFunc(late, func(l Hit) bool { return l.ID == h.ID })
				valued := p.Word == rules.Distinct || p.Word == rules.Travel
				fills := h.Steps != 0 && (!valued || h.Value != "")
				if was != (fills && h.Time.Before(settled)) {
					t.Fatalf("hit at %v, settled %v: late is %t", h.Time, settled, was)
				}
				if !was {
					decided = append(decided, h)
				}
			}
			have, want := published.copied(), evaluateByPairs(p, decided)
			if asStored {
				forget(have, false)
				forget(want, false)
			}
			same(t, "what is published", p, have, want)
			if rapid.Bool().Draw(t, "prune") {
				f.Prune(second(between(t, 0, 50, "complete")))
			}
		}
	})
}

// forget takes away what alerts do not store.
func forget(list []Episode, lastToo bool) {
	for i := range list {
		list[i].Completed = Ref{}
		if lastToo {
			list[i].CompletedLast = Ref{}
		}
	}
}

// An idle fold may be dropped and made anew in either of the two ways that the
// package comment gives.
func TestIdle(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := roughlySorted(t, drawHits(t, p, 20, 120))
		published := board{quiet: p.Quiet}
		f := New(p, time.Time{}, 0)
		for i := range hits {
			changed, late := f.Apply([]Hit{hits[i], hits[i]})
			if len(late) > 0 {
				t.Fatalf("late: %v, settled %v", late, f.Settled())
			}
			published.publish(changed)
			same(t, "what is published", p, published.episodes, evaluateByPairs(p, hits[:i+1]))
			complete := earliest(hits[i+1:]).Add(reach(p))
			f.Prune(complete)
			if f.Idle() {
				if n := len(f.timeline.values.numbers); n > 0 {
					t.Fatalf("%d values are remembered", n)
				}
				from := f.Settled().Add(-p.Within)
				if rapid.Bool().Draw(t, "by the watermark") {
					from = complete.Add(-p.Quiet - 2*p.Within)
				}
				f = New(p, from, 0)
				f.Resume(nil)
			}
		}
		f.Prune(second(1000))
		if !f.Idle() || f.Len() != 0 {
			t.Fatalf("not idle after all: %d hits, %d records", f.Len(), len(f.records))
		}
	})
}

// While a fold warms up it takes no hits that it would not need.
func TestWarmUpIsBounded(t *testing.T) {
	p := &rules.Pattern{Word: rules.Times, N: 2, Steps: steps(1), Within: 5 * time.Second, Quiet: 2 * time.Second}
	hits := parseHits(t, "9a 10a 11a 30a 31a 32a")

	f := New(p, second(10), 2)
	f.Apply(hits)
	f.Apply(hits)
	if f.Len() != 2 || !f.Settled().Equal(second(31)) {
		t.Errorf("%d hits held, settled %v", f.Len(), f.Settled())
	}
	f.Resume(nil)
	if have, want := brief(f.Episodes()), "10-11 2 [2] e03, 30-32 3 [3] e05"; have != want {
		t.Errorf("have %s, want %s", have, want)
	}

	f = New(p, second(10), 0)
	f.Prune(second(42)) // settled: 35, needed: 30
	f.Apply(hits)
	if f.Len() != 3 || !f.Settled().Equal(second(35)) {
		t.Errorf("%d hits held, settled %v", f.Len(), f.Settled())
	}
}

// Times that no clock shows are taken as the edge of what can be.
func TestFarTimes(t *testing.T) {
	p := &rules.Pattern{Word: rules.Times, N: 2, Steps: steps(1), Within: 120 * 24 * time.Hour, Quiet: time.Hour}
	var hits []Hit
	for i, year := range []int{1, 1600, 2025, 2300, 9999} {
		hits = append(hits, Hit{ID: string(rune('a' + i)), Steps: 1, Time: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)})
	}
	f := New(p, time.Time{}, 0)
	f.Apply(hits)
	var have []string
	for _, e := range f.Episodes() {
		have = append(have, e.Evidence[0].ID+e.CompletedLast.ID+" "+e.First.Format("2006 ")+e.Last.Format("2006"))
	}
	if want := []string{"ab 1823 1823", "de 2116 2116"}; !slices.Equal(have, want) {
		t.Errorf("have %q, want %q", have, want)
	}
	f.Prune(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
	if f.Len() != 2 {
		t.Errorf("%d hits held", f.Len())
	}
}
