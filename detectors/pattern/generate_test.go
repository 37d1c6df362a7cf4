package pattern

import (
	"flag"
	"fmt"
	"math/bits"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unique"

	"pgregory.net/rapid"

	"watchword/bus/alert"
	"watchword/rules"
)

// check checks a property on many cases: 2,000, or 30,000 with WATCHWORD_LONG.
func check(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	checkFewer(t, 1, property)
}

// checkFewer checks a costly property on a part of the usual cases.
func checkFewer(t *testing.T, part int, property func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks").Value
	given := checks.String()
	defer func() { _ = checks.Set(given) }()
	n := 2000
	if os.Getenv("WATCHWORD_LONG") != "" {
		n = 30_000
	}
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "rapid.checks" {
			n, _ = strconv.Atoi(given)
		}
	})
	if err := checks.Set(strconv.Itoa(max(1, n/part))); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, property)
}

// epoch is second 0 of the tests.
var epoch = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

func second(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

// between draws evenly from [low,high]. The library's own ranges prefer small
// numbers, with which hits would be few and matches rare.
func between(t *rapid.T, low, high int, label string) int {
	return rapid.Custom(func(t *rapid.T) int {
		n := 0
		for range 3 + bits.Len(uint(high-low)) {
			n *= 2
			if rapid.Bool().Draw(t, "bit") {
				n++
			}
		}
		return low + n%(high-low+1)
	}).Draw(t, label)
}

func oneOf[T any](t *rapid.T, label string, of ...T) T { return of[between(t, 0, len(of)-1, label)] }

// drawPattern makes patterns small enough that random hits match them often.
func drawPattern(t *rapid.T) *rules.Pattern {
	p := &rules.Pattern{
		Word: oneOf(t, "word", rules.Bare, rules.Times, rules.Distinct, rules.Sequence, rules.Sequence,
			rules.Together, rules.Together, rules.Travel, rules.Travel),
		Within: time.Duration(between(t, 0, 7, "within")) * time.Second,
		Quiet:  time.Duration(between(t, 0, 4, "quiet")) * time.Second,
		Steps:  []rules.Step{{Name: "a", Times: 1}},
	}
	switch p.Word {
	case rules.Times, rules.Distinct:
		p.N = between(t, 1, 4, "n")
	case rules.Sequence:
		p.Steps = nil
		for k := range between(t, 1, 3, "steps") {
			p.Steps = append(p.Steps, rules.Step{Name: string(rune('a' + k)), Times: oneOf(t, "times", 1, 1, 2, 3)})
		}
	case rules.Together:
		p.Steps = nil
		for k := range between(t, 2, 4, "steps") {
			p.Steps = append(p.Steps, rules.Step{Name: string(rune('a' + k)), Times: 1})
		}
	case rules.Travel:
		p.KmPerHour = oneOf(t, "km/h", 1, 111_000.0, 400_000, 1e9)
	}
	return p
}

// drawValue is one of few values: of few places for Travel, of which some lie
// less than 100 km apart, some are seconds apart at the speeds drawn.
func drawValue(t *rapid.T, p *rules.Pattern) string {
	if p.Word == rules.Travel {
		return oneOf(t, "place", "", "0,0", "0,0", "0.5,0.5", "0,1", "-2,1", "-4.25,1.5", "0,179", "0,-179", "89.9,45")
	}
	return oneOf(t, "value", "", "x", "y", "z", "w")
}

// drawHits makes hits that crowd together: few times, few values, often several
// steps at once. Some fill no step. They are in the order they arrive.
func drawHits(t *rapid.T, p *rules.Pattern, most, seconds int) []Hit {
	n := between(t, 0, most, "hits")
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	order = rapid.Permutation(order).Draw(t, "ids")
	hits := make([]Hit, n)
	for i := range hits {
		id := fmt.Sprintf("e%02d", order[i])
		hits[i] = Hit{
			Time: second(between(t, 0, seconds, "at")), ID: id, Seq: uint64(i + 1),
			Steps: drawSteps(t, p), Value: drawValue(t, p),
			Person:     unique.Make(alert.Person{UUID: id}),
			Historical: rapid.Bool().Draw(t, "historical"),
		}
	}
	return hits
}

// drawSteps draws the steps that a hit fills: often one, sometimes any.
func drawSteps(t *rapid.T, p *rules.Pattern) uint64 {
	n := len(p.Steps)
	if rapid.Bool().Draw(t, "one step") {
		return 1 << between(t, 0, n-1, "step")
	}
	return uint64(between(t, 0, 1<<n-1, "steps"))
}

// drawBatches splits hits as they arrive, and repeats some of them.
func drawBatches(t *rapid.T, hits []Hit, repeats bool) [][]Hit {
	var batches [][]Hit
	for at := 0; at < len(hits); {
		n := min(between(t, 1, 5, "batch"), len(hits)-at)
		batch := slices.Clone(hits[at : at+n])
		at += n
		for repeats && between(t, 0, 2, "repeat") == 0 {
			i := between(t, 0, at-1, "which")
			batch = slices.Insert(batch, between(t, 0, len(batch), "where"), hits[i])
		}
		batches = append(batches, batch)
	}
	return batches
}

// board is what a caller has published of a key: an episode takes the place of
// all that it overlaps or lies within the quiet gap of.
type board struct {
	quiet    time.Duration
	episodes []Episode
}

func (b *board) publish(changed []Episode) {
	for _, e := range changed {
		b.episodes = slices.DeleteFunc(b.episodes, func(o Episode) bool {
			return o.First.Sub(e.Last) <= b.quiet && e.First.Sub(o.Last) <= b.quiet
		})
		b.episodes = append(b.episodes, e)
	}
	slices.SortFunc(b.episodes, func(a, b Episode) int { return a.First.Compare(b.First) })
}

// copied is what has been through a store and back: nothing is shared.
func (b *board) copied() []Episode {
	list := slices.Clone(b.episodes)
	for i := range list {
		list[i].Steps = slices.Clone(list[i].Steps)
		list[i].Evidence = slices.Clone(list[i].Evidence)
	}
	return list
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func same(t fataler, what string, p *rules.Pattern, have, want []Episode) {
	t.Helper()
	if len(have) == 0 && len(want) == 0 || reflect.DeepEqual(have, want) {
		return
	}
	t.Fatalf("%s of %s n=%d steps=%v within=%v quiet=%v\nhave %s\nwant %s",
		what, p.Word, p.N, p.Steps, p.Within, p.Quiet, show(have), show(want))
}

// show prints episodes in seconds since epoch.
func show(list []Episode) string {
	var b strings.Builder
	at := func(t time.Time) string { return t.Sub(epoch).String() }
	for _, e := range list {
		fmt.Fprintf(&b, "\n  [%s %s] count=%d steps=%v completed=%s@%s last=%s@%s historical=%t truncated=%t:",
			at(e.First), at(e.Last), e.Count, e.Steps, e.Completed.ID, at(e.Completed.Time),
			e.CompletedLast.ID, at(e.CompletedLast.Time), e.Historical, e.Truncated)
		for _, v := range e.Evidence {
			fmt.Fprintf(&b, " %s@%s/%b", v.ID, at(v.Time), v.Steps)
		}
	}
	return b.String()
}
