package detectors

import (
	"slices"

	"watchword/bus/alert"
	"watchword/detectors/pattern"
)

// reconcile turns the changed episodes of a key into revisions of its alerts:
// an episode without an alert opens one, an episode that grew updates its
// alert, and an episode that joined several goes on as the one that was
// published first, the others saying into which they went.
//
// It is a pure function of what was published and what is so now; whoever
// restarts or takes over comes to the same revisions.
func reconcile(k foldKey, known []*published, changed []pattern.Episode) []alert.Alert {
	var out []alert.Alert
	taken := map[*published]bool{}
	for i := range changed {
		e := &changed[i]
		mine := touching(known, e, k)
		if len(mine) == 1 && (mine[0].covers(e) || taken[mine[0]]) {
			continue
		}
		for _, p := range mine {
			taken[p] = true
		}
		next := compose(k.rule, k.key, e)
		if len(mine) == 0 {
			next.ID = alert.ID(k.rule.ID, k.rule.Version, string(k.key), e.Completed.ID)
			next.Status, next.Revision = alert.Opened, 1
			out = append(out, next)
			continue
		}
		survivor := mine[0]
		next.ID = survivor.id
		next.Status, next.Revision = alert.Updated, survivor.revision+1
		next.People = union(next.People, survivor.people, alert.MaxPeople)
		next.Places = union(next.Places, survivor.places, alert.MaxPlaces)
		out = append(out, next)
		for _, other := range mine[1:] {
			out = append(out, other.mergedInto(k, survivor.id))
		}
	}
	return out
}

// union is a and what b has besides, at most so many.
func union[T comparable](a, b []T, most int) []T {
	for _, v := range b {
		if len(a) < most && !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

// touching finds the live alerts that stand for parts of the episode, first
// published first. Evidence is never taken back, so an alert's span lies in
// the span of exactly one episode.
func touching(known []*published, e *pattern.Episode, k foldKey) []*published {
	var mine []*published
	for _, p := range known {
		if p.status.Live() && spansTouch(p.first, p.last, e.First, e.Last, k.rule.Pattern.Quiet) {
			mine = append(mine, p)
		}
	}
	slices.SortFunc(mine, func(a, b *published) int {
		if a.order < b.order {
			return -1
		}
		return 1
	})
	return mine
}

// covers tells whether the alert says as much as the episode, or more: evidence
// is never taken back, so less is no news but a sign that hits are missing, as
// where the end of the log was lost and is being fetched again.
func (p *published) covers(e *pattern.Episode) bool {
	if e.First.Before(p.first) || e.Last.After(p.last) || e.Count > p.count || e.Historical != p.historical || e.Truncated && !p.truncated {
		return false
	}
	for i, n := range e.Steps {
		if i >= len(p.steps) || n > p.steps[i] {
			return false
		}
	}
	return true
}

// mergedInto is the last revision of an alert whose episode another carries on.
func (p *published) mergedInto(k foldKey, survivor string) alert.Alert {
	e := pattern.Episode{First: p.first, Last: p.last, Count: p.count, Steps: p.steps, Historical: p.historical, Truncated: p.truncated}
	a := compose(k.rule, k.key, &e)
	a.ID, a.Status, a.Revision, a.MergedInto = p.id, alert.Merged, p.revision+1, survivor
	return a
}
