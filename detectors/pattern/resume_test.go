package pattern

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/rules"
)

// An alert lists only so much evidence. Where its list was cut, hits that come
// after a restart are still counted right if they come no later than a window
// after Settled. Of later ones, only what they make evidence of before Settled
// may go uncounted; nothing is counted twice.
func TestResumeFromCutLists(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		hits := drawHits(t, p, 40, 30)
		stop := between(t, 0, len(hits), "stop")
		old := New(p, time.Time{}, 0)
		old.Apply(hits[:stop])
		published := board{quiet: p.Quiet, episodes: old.Episodes()}
		resumed := published.copied()
		listed := between(t, 0, 3, "listed")
		for i := range resumed {
			list := resumed[i].Evidence
			resumed[i].Evidence = list[max(0, len(list)-listed):]
		}

		f := New(p, second(between(t, -5, 25, "from")), 0)
		f.Apply(hits[:stop])
		f.Resume(resumed)
		settled := f.Settled()
		exact := rapid.Bool().Draw(t, "in time")
		decided := slices.Clone(hits[:stop])
		for _, h := range hits[stop:] {
			if h.Time.Before(settled) || exact && h.Time.Before(settled.Add(p.Within)) {
				continue
			}
			changed, _ := f.Apply([]Hit{h})
			published.publish(changed)
			decided = append(decided, h)
		}
		unsure := 0
		for _, h := range decided {
			if !exact && h.Time.Before(settled) {
				unsure++
			}
		}
		want := evaluateByPairs(p, decided)
		if len(published.episodes) != len(want) {
			t.Fatalf("have %s\nwant %s", show(published.episodes), show(want))
		}
		for i, e := range published.episodes {
			w := want[i]
			if e.Count > w.Count || e.Count < w.Count-unsure || !e.First.Equal(w.First) || e.CompletedLast != w.CompletedLast {
				t.Fatalf("%d unsure\nhave %s\nwant %s", unsure, show(published.episodes), show(want))
			}
			for k, n := range e.Steps {
				if n > w.Steps[k] || n < w.Steps[k]-unsure {
					t.Fatalf("%d unsure\nhave %s\nwant %s", unsure, show(published.episodes), show(want))
				}
			}
		}
	})
}

// restart gives the episodes after a restart: all hits before are decided and
// published, those from the index on that are not before the time are read
// again, and what is published goes through change.
func restart(p *rules.Pattern, hits []Hit, from time.Time, change func(*Episode)) *Fold {
	old := New(p, time.Time{}, 0)
	old.Apply(hits)
	published := old.Episodes()
	for i := range published {
		change(&published[i])
	}
	f := New(p, from, 0)
	f.Apply(hits)
	f.Resume(published)
	return f
}

// A late hit makes evidence of one before Settled that was none. The list of
// evidence was cut, so only the counts can tell that it was none.
func TestResumeKnowsByCounts(t *testing.T) {
	p := &rules.Pattern{Word: rules.Sequence, Steps: steps(1, 1), Within: 10 * time.Second, Quiet: 10 * time.Second}
	cut := func(e *Episode) { e.Evidence = e.Evidence[len(e.Evidence)-1:] }

	// All evidence but the last is unlisted, yet found again: so 4a was none.
	all := parseHits(t, "1a 2b 4a 11a 16b 14b")
	hits, late := all[:5], all[5:]
	f := restart(p, hits, second(0), cut) // settled: 10
	f.Apply(late)
	same(t, "known by counts", p, counts(f.Episodes()), counts(Evaluate(p, append(slices.Clone(hits), late...))))

	// 1a was evidence with what is not read again; so 4a may have been.
	f = restart(p, hits, second(3), cut) // settled: 13
	f.Apply(late)
	have, want := f.Episodes(), Evaluate(p, append(slices.Clone(hits), late...))
	if len(have) != 1 || have[0].Count != want[0].Count-1 || have[0].Steps[1] != want[0].Steps[1] {
		t.Errorf("have %s\nwant one less than %s", show(have), show(want))
	}
}

// counts are episodes without their lists.
func counts(list []Episode) []Episode {
	list = slices.Clone(list)
	for i := range list {
		list[i].Evidence = nil
	}
	return list
}

// Published before the last hits were decided: what lies outside it is added,
// and reported with the next change.
func TestResumeBehind(t *testing.T) {
	p := &rules.Pattern{Word: rules.Times, N: 2, Steps: steps(1), Within: 5 * time.Second, Quiet: 5 * time.Second}
	hits := parseHits(t, "11a 12a 14a 17a 9a 30a 32a 33a")
	old := New(p, time.Time{}, 0)
	old.Apply(hits[:3])
	f := New(p, second(7), 0) // settled: 12
	f.Apply(hits[:6])
	f.Resume(old.Episodes())
	same(t, "episodes", p, f.Episodes(), Evaluate(p, hits[:6]))
	changed, _ := f.Apply(hits[6:])
	same(t, "changes", p, changed, Evaluate(p, hits))

	// What began at Settled or later is known in full, whatever was published.
	hits = parseHits(t, "11a 14a 12a")
	old = New(p, time.Time{}, 0)
	old.Apply(hits[:2])
	f = New(p, second(6), 0) // settled: 11
	f.Apply(hits)
	f.Resume(old.Episodes())
	same(t, "episodes", p, f.Episodes(), Evaluate(p, hits))
}

// A restarted fold with a lower bound says of what it cut that it did.
func TestResumeWithLowerBound(t *testing.T) {
	p := &rules.Pattern{Word: rules.Times, N: 2, Steps: steps(1), Within: 5 * time.Second, Quiet: 5 * time.Second}
	hits := parseHits(t, "11a 12a 14a 17a")
	old := New(p, time.Time{}, 0)
	old.Apply(hits)
	f := New(p, second(7), 2)
	f.Apply(hits)
	f.Resume(old.Episodes())
	want := Evaluate(p, hits)
	want[0].Truncated = true
	same(t, "episodes", p, f.Episodes(), want)
}

// Two published episodes whose evidence is not stored any more are joined by a
// hit to come: nothing of what they say is lost.
func TestResumeWithoutHistory(t *testing.T) {
	p := &rules.Pattern{Word: rules.Bare, Steps: steps(1), Within: 5 * time.Second, Quiet: 5 * time.Second}
	hits := parseHits(t, "1a 3a 10a 11a 7a 30a")
	old := New(p, time.Time{}, 0)
	old.Apply(hits[:4])
	published := old.Episodes()
	published[1].Truncated = true
	f := New(p, second(1), 0) // settled: 6
	f.Resume(published)
	f.Apply(hits[4:])
	want := Evaluate(p, hits)
	want[0].Truncated = true
	same(t, "episodes", p, f.Episodes(), want)
}

// Resume is for folds that warm up.
func TestResumeWhenWarm(t *testing.T) {
	p := &rules.Pattern{Word: rules.Bare, Steps: steps(1)}
	hits := parseHits(t, "1a")
	f := New(p, time.Time{}, 0)
	f.Apply(hits)
	f.Resume([]Episode{{First: second(1), Last: second(2), Count: 7, Steps: []int{7}}})
	same(t, "episodes", p, f.Episodes(), Evaluate(p, hits))
}
