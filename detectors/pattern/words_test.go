package pattern

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/rules"
)

// parseHits reads "3a 4ab 4c=x": a hit at second 3 that fills step a, one at 4
// that fills a and b, one at 4 that fills c and has the value x. Ids follow the
// order of writing.
func parseHits(t *testing.T, text string) []Hit {
	t.Helper()
	var hits []Hit
	for i, word := range strings.Fields(text) {
		word, value, _ := strings.Cut(word, "=")
		digits := strings.TrimRight(word, "abcdefgh")
		at, err := strconv.Atoi(digits)
		if err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		h := Hit{Time: second(at), ID: fmt.Sprintf("e%02d", i+1), Value: value}
		for _, step := range word[len(digits):] {
			h.Steps |= 1 << (step - 'a')
		}
		hits = append(hits, h)
	}
	return hits
}

// brief writes an episode as "first-last count steps first-completed".
func brief(list []Episode) string {
	var out []string
	for _, e := range list {
		out = append(out, fmt.Sprintf("%g-%g %d %v %s", e.First.Sub(epoch).Seconds(), e.Last.Sub(epoch).Seconds(), e.Count, e.Steps, e.Completed.ID))
	}
	return strings.Join(out, ", ")
}

func steps(times ...int) (list []rules.Step) {
	for _, n := range times {
		list = append(list, rules.Step{Times: n})
	}
	return list
}

// The meaning of each word, by example.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		name          string
		word          rules.Word
		n             int
		steps         []rules.Step
		within, quiet int // seconds
		hits          string
		want          string
	}{
		{"nothing", rules.Bare, 0, steps(1), 9, 9, "", ""},
		{"each event is a match", rules.Bare, 0, steps(1), 9, 2, "1a 3a 6a", "1-3 2 [2] e01, 6-6 1 [1] e03"},
		{"the window does not join single events", rules.Bare, 0, steps(1), 9, 0, "1a 2a 2a", "1-1 1 [1] e01, 2-2 2 [2] e02"},
		{"a hit that fills no step", rules.Bare, 0, steps(1), 9, 9, "1 2b", ""},

		{"times: too few", rules.Times, 3, steps(1), 5, 0, "1a 2a", ""},
		{"times: the window hit exactly", rules.Times, 3, steps(1), 5, 0, "1a 2a 6a", "1-6 3 [3] e03"},
		{"times: just missed", rules.Times, 3, steps(1), 5, 0, "1a 2a 7a", ""},
		{"times: six when five would do", rules.Times, 5, steps(1), 9, 0, "1a 2a 3a 4a 5a 6a", "1-6 6 [6] e05"},
		{"times: windows that overlap are one episode", rules.Times, 2, steps(1), 3, 0, "1a 4a 7a", "1-7 3 [3] e02"},
		{"times: the gap between is quiet", rules.Times, 2, steps(1), 1, 3, "1a 2a 5a 6a 10a 11a", "1-6 4 [4] e02, 10-11 2 [2] e06"},
		{"times: a lone event in the gap is no evidence", rules.Times, 2, steps(1), 1, 9, "1a 2a 4a 6a 7a", "1-7 4 [4] e02"},
		{"times: at one instant", rules.Times, 3, steps(1), 0, 0, "4a 4a 4a 5a", "4-4 3 [3] e03"},

		{"distinct: the same value over and over", rules.Distinct, 2, steps(1), 5, 0, "1a=x 2a=x 3a=x", ""},
		{"distinct: no value is not a value", rules.Distinct, 2, steps(1), 5, 0, "1a=x 2a 3a", ""},
		{"distinct: all that can stand for a value", rules.Distinct, 2, steps(1), 5, 0, "1a=x 2a=x 3a=y 4a=y", "1-4 4 [4] e03"},
		{"distinct: just missed", rules.Distinct, 3, steps(1), 2, 0, "1a=x 2a=y 4a=z", ""},

		{"sequence: in order only", rules.Sequence, 0, steps(1, 1), 5, 0, "1b 2a", ""},
		{"sequence: one event fills one step", rules.Sequence, 0, steps(1, 1), 5, 0, "1ab", ""},
		{"sequence: at one instant, by id", rules.Sequence, 0, steps(1, 1), 0, 0, "1a 1b", "1-1 2 [1 1] e02"},
		{"sequence: not against the ids", rules.Sequence, 0, steps(1, 1), 0, 0, "1b 1a", ""},
		{"sequence: the window hit exactly", rules.Sequence, 0, steps(1, 1), 5, 0, "1a 6b", "1-6 2 [1 1] e02"},
		{"sequence: just missed", rules.Sequence, 0, steps(1, 1), 5, 0, "1a 7b", ""},
		{"sequence: failures, then an export", rules.Sequence, 0, steps(5, 1), 30, 0, "1a 2a 3a 4a 5a 6a 9b", "1-9 7 [6 1] e07"},
		{"sequence: others may lie between", rules.Sequence, 0, steps(2, 1), 30, 0, "1a 2b 3a 4b", "1-4 3 [2 1] e04"},
		{"sequence: an event in two roles", rules.Sequence, 0, steps(1, 1), 30, 0, "1a 2ab 3b", "1-3 3 [2 2] e02"},
		{"sequence: times at the end", rules.Sequence, 0, steps(1, 2), 4, 0, "1a 2b 5b 6b", "1-5 3 [1 2] e03"},
		{"sequence: times in the middle", rules.Sequence, 0, steps(1, 2, 1), 9, 0, "1a 2b 3c 4b 5c", "1-5 4 [1 2 1] e05"},
		{"sequence: the span joins what lies far apart", rules.Sequence, 0, steps(1, 1), 20, 0, "1a 9a 12b 21b", "1-21 4 [2 2] e03"},

		{"together: in any order", rules.Together, 0, steps(1, 1), 5, 0, "1b 2a", "1-2 2 [1 1] e02"},
		{"together: one event fills one step", rules.Together, 0, steps(1, 1), 5, 0, "1ab", ""},
		{"together: an event for each step", rules.Together, 0, steps(1, 1, 1), 5, 0, "1ab 2ab 3b", ""},
		{"together: one that fits twice goes where it is needed", rules.Together, 0, steps(1, 1), 5, 0, "1a 2ab", "1-2 2 [1 1] e02"},
		{"together: and where it is needed only", rules.Together, 0, steps(1, 1, 1), 5, 0, "1abc 2a 3b", "1-3 3 [1 1 1] e03"},
		{"together: two that fit twice", rules.Together, 0, steps(1, 1), 5, 0, "1ab 2ab", "1-2 2 [2 2] e02"},
		{"together: a step said twice takes two events", rules.Together, 0, steps(1, 1, 1), 5, 0, "1ab 2c", ""},
		{"together: and has them", rules.Together, 0, steps(1, 1, 1), 5, 0, "1ab 2c 3ab", "1-3 3 [2 2 1] e03"},
		{"together: the window hit exactly", rules.Together, 0, steps(1, 1), 5, 0, "1b 6a", "1-6 2 [1 1] e02"},
		{"together: just missed", rules.Together, 0, steps(1, 1), 5, 0, "1b 7a", ""},
		{"together: all that can stand for a step", rules.Together, 0, steps(1, 1), 9, 0, "1a 2b 3a 4b", "1-4 4 [2 2] e02"},
		{"together: what is needed at one time is free at another", rules.Together, 0, steps(1, 1), 2, 0, "1a 3ab 5b", "1-5 3 [2 2] e02"},
		{"together: windows that overlap are one episode", rules.Together, 0, steps(1, 1), 3, 0, "1a 4b 7a", "1-7 3 [2 1] e02"},
		{"together: at one instant", rules.Together, 0, steps(1, 1), 0, 0, "4b 4a 5a", "4-4 2 [1 1] e02"},

		// One degree along the equator is 111.2 km; n is the speed, at 360,000 km/h 100 km a second.
		{"travel: too far too soon", rules.Travel, 360_000, steps(1), 60, 0, "1a=0,0 12a=0,10", "1-12 2 [2] e02"},
		{"travel: just in time", rules.Travel, 360_000, steps(1), 60, 0, "1a=0,0 13a=0,10", ""},
		{"travel: beyond the window", rules.Travel, 360_000, steps(1), 10, 0, "1a=0,0 12a=0,10", ""},
		{"travel: the window hit exactly", rules.Travel, 360_000, steps(1), 11, 0, "1a=0,0 12a=0,10", "1-12 2 [2] e02"},
		{"travel: at the same instant at any speed", rules.Travel, 1e15, steps(1), 60, 0, "1a=0,0 1a=0,10 2a=0,0", "1-1 2 [2] e02"},
		{"travel: less than 100 km apart", rules.Travel, 1, steps(1), 60, 0, "1a=0,0 1a=0,0.899 2a=0,0", ""},
		{"travel: more than 100 km apart", rules.Travel, 1, steps(1), 60, 0, "1a=0,0 1a=0,0.9", "1-1 2 [2] e02"},
		{"travel: over the date line is near", rules.Travel, 1, steps(1), 60, 0, "1a=0,179.9 2a=0,-179.9", ""},
		{"travel: so is the other side of the pole", rules.Travel, 1, steps(1), 60, 0, "1a=89.9,0 2a=89.9,180", ""},
		{"travel: without coordinates nobody is anywhere", rules.Travel, 1, steps(1), 60, 0, "1a=0,0 2a 3a=", ""},
		{"travel: a place that is none", rules.Travel, 1, steps(1), 60, 0, "1a=0,0 2a=91,0 3a=0,181 4a=NaN,0 5a=here", ""},
		{"travel: one trip or the other, not both", rules.Travel, 360_000, steps(1), 60, 0, "1a=0,0 2a=0,10 40a=0,0 41a=0,10", "1-2 2 [2] e02, 40-41 2 [2] e04"},
		{"travel: both, if it is far enough", rules.Travel, 360_000, steps(1), 60, 0, "1a=0,0 2a=0,60 40a=0,0 41a=0,60", "1-41 4 [4] e02"},
		{"travel: a place on the way joins no journeys", rules.Travel, 360_000, steps(1), 60, 0, "1a=0,0 2a=0,10 14a=0,5 26a=0,0 27a=0,10", "1-2 2 [2] e02, 26-27 2 [2] e05"},
		{"travel: the quiet gap does", rules.Travel, 360_000, steps(1), 60, 24, "1a=0,0 2a=0,10 14a=0,5 26a=0,0 27a=0,10", "1-27 4 [4] e02"},
		{"travel: to and fro", rules.Travel, 360_000, steps(1), 60, 0, "1a=0,0 5a=0,10 9a=0,0 13a=0,10", "1-13 4 [4] e02"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &rules.Pattern{
				Word: c.word, N: c.n, KmPerHour: float64(c.n), Steps: c.steps,
				Within: time.Duration(c.within) * time.Second, Quiet: time.Duration(c.quiet) * time.Second,
			}
			hits := parseHits(t, c.hits)
			f := New(p, time.Time{}, 0)
			f.Apply(hits)
			if have := brief(f.Episodes()); have != c.want {
				t.Errorf("have %s\nwant %s", have, c.want)
			}
			same(t, "oracle", p, Evaluate(p, hits), f.Episodes())
		})
	}
}

// The longest sequences that rules allow.
func TestManySlots(t *testing.T) {
	checkFewer(t, 50, func(t *rapid.T) { // the oracle is slow at this
		p := &rules.Pattern{Word: rules.Sequence, Quiet: time.Second}
		p.Within = time.Duration(between(t, 20, 60, "within")) * time.Second
		switch oneOf(t, "shape", "one step", "all steps", "mixed") {
		case "one step":
			p.Steps = steps(rules.MaxSlots)
		case "all steps":
			for range rules.MaxSlots {
				p.Steps = append(p.Steps, rules.Step{Times: 1})
			}
		case "mixed":
			p.Steps = steps(1, 20, 1, 1, 40, 1)
		}
		// A match with some of its hits missing or moved, and some more.
		var hits []Hit
		slots := slotsOf(p)
		for i := range len(slots) + between(t, 0, 20, "more") {
			h := Hit{Time: second(i/2 + between(t, 0, 1, "at")), ID: fmt.Sprintf("e%03d", i)}
			h.Steps = 1 << slots[min(i, len(slots)-1)]
			if between(t, 0, 9, "other") == 0 {
				h.Steps = 1 << between(t, 0, len(p.Steps)-1, "step")
			}
			if between(t, 0, 9, "any") == 0 {
				h.Steps |= 1<<len(p.Steps) - 1
			}
			hits = append(hits, h)
		}
		hits = rapid.Permutation(hits).Draw(t, "order")
		f := New(p, time.Time{}, 0)
		for _, batch := range drawBatches(t, hits, false) {
			f.Apply(batch)
		}
		same(t, "episodes", p, f.Episodes(), evaluateByPairs(p, hits))
	})
}

// What rules allow is all that is taken.
func TestTooManySlots(t *testing.T) {
	for what, p := range map[string]*rules.Pattern{
		"a sequence of 65 events": {Word: rules.Sequence, Steps: steps(60, 5)},
		"nine steps together":     {Word: rules.Together, Steps: steps(1, 1, 1, 1, 1, 1, 1, 1, 1)},
	} {
		t.Run(what, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was taken")
				}
			}()
			New(p, time.Time{}, 0)
		})
	}
}
