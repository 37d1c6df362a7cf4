package detectors

import (
	"slices"
	"strings"
	"time"

	"watchword/bus/alert"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// compose makes the alert that tells of an episode. What identifies the
// revision (id, status, revision, position, time) is the caller's.
func compose(r *rules.Rule, key rules.Key, e *pattern.Episode) alert.Alert {
	source, parts := key.Split()
	if parts == nil {
		parts = []string{}
	}
	a := alert.Alert{
		Rule: r.ID, Version: r.Version, Title: r.Title, Severity: r.Severity,
		Source: source, Key: parts, KeyNames: r.Pattern.KeyNames,
		First: e.First.UTC(), Last: e.Last.UTC(), Count: e.Count,
		Description: r.Description, Runbook: r.Runbook, Attack: r.Attack, Controls: r.Controls,
		References: r.References, FalsePositives: r.FalsePositives,
		Staged: r.Status == rules.Staged, Historical: e.Historical, Truncated: e.Truncated,
	}
	for i, n := range e.Steps {
		a.Steps = append(a.Steps, alert.Step{Name: r.Pattern.Steps[i].Name, Count: n})
	}
	a.Evidence = make([]alert.Evidence, 0, len(e.Evidence))
	for _, ev := range e.Evidence {
		names, numbers := stepNames(&r.Pattern, ev.Steps)
		a.Evidence = append(a.Evidence, alert.Evidence{ID: ev.ID, Seq: ev.Seq, Step: names, Steps: numbers, Time: ev.Time.UTC()})
	}
	a.People = distinct(e.Evidence, alert.MaxPeople, func(ev pattern.Evidence) alert.Person { return ev.Person.Value() })
	a.Places = distinct(e.Evidence, alert.MaxPlaces, func(ev pattern.Evidence) alert.Place { return ev.Place.Value() })
	return a
}

// distinct lists the different non-zero values of the evidence, newest first.
func distinct[T comparable](evidence []pattern.Evidence, most int, of func(pattern.Evidence) T) []T {
	var zero T
	var out []T
	seen := map[T]bool{zero: true}
	for i := len(evidence) - 1; i >= 0 && len(out) < most; i-- {
		if v := of(evidence[i]); !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

func stepNames(p *rules.Pattern, bits uint64) (names string, numbers []int) {
	var all []string
	for i, s := range p.Steps {
		if bits&(1<<i) != 0 {
			numbers = append(numbers, i)
			if !slices.Contains(all, s.Name) {
				all = append(all, s.Name)
			}
		}
	}
	return strings.Join(all, ","), numbers
}

func stepBits(numbers []int) uint64 {
	var bits uint64
	for _, i := range numbers {
		bits |= 1 << i
	}
	return bits
}

// episodeOf reads back from an alert what a fold needs to go on from it.
func episodeOf(p *rules.Pattern, a *alert.Alert) pattern.Episode {
	e := pattern.Episode{
		First: a.First, Last: a.Last, Count: a.Count,
		Historical: a.Historical, Truncated: a.Truncated,
		Steps: make([]int, len(p.Steps)),
	}
	for i := range p.Steps {
		if i < len(a.Steps) {
			e.Steps[i] = a.Steps[i].Count
		}
	}
	for _, ev := range a.Evidence {
		e.Evidence = append(e.Evidence, pattern.Evidence{
			ID: ev.ID, Seq: ev.Seq, Time: ev.Time, Steps: stepBits(ev.Steps),
			Person: nobody, Place: nowhere,
		})
	}
	return e
}

// spansTouch tells whether two spans overlap or lie no more than gap apart.
func spansTouch(aFirst, aLast, bFirst, bLast time.Time, gap time.Duration) bool {
	return !aFirst.After(bLast.Add(gap)) && !bFirst.After(aLast.Add(gap))
}
