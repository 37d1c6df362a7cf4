package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"watchword/bus/alert"
)

// digest folds historical alerts: what happened before a source was first
// connected is told in one block for each source, not one by one.
type digest map[string]map[string]alert.Alert // by source, then by alert id

func (d digest) add(a *alert.Alert) {
	if d[a.Source] == nil {
		d[a.Source] = map[string]alert.Alert{}
	}
	kept := *a
	kept.Evidence = nil
	d[a.Source][a.ID] = kept
}

// text is the digest of every source, empty when there is nothing to tell.
func (d digest) text(now time.Time) string {
	var b strings.Builder
	for _, source := range slices.Sorted(maps.Keys(d)) {
		type line struct {
			severity alert.Severity
			title    string
			count    int
		}
		lines := map[string]*line{}
		first, last, open := time.Time{}, time.Time{}, 0
		for _, a := range d[source] {
			if !a.Status.Live() {
				continue
			}
			open++
			if first.IsZero() || a.First.Before(first) {
				first = a.First
			}
			if a.Last.After(last) {
				last = a.Last
			}
			l := lines[a.Rule]
			if l == nil {
				l = &line{severity: a.Severity, title: a.Title}
				lines[a.Rule] = l
			}
			l.count++
		}
		if open == 0 {
			continue
		}
		name := "across sources"
		if source != "" {
			name = plain(source)
		}
		fmt.Fprintf(&b, "history  %s: %s from before it was connected, %s – %s\n", name, plural(open, "alert"), clock(first, now), clock(last, now))
		ordered := slices.SortedFunc(maps.Values(lines), func(x, y *line) int {
			return cmp.Or(severityRank(y.severity)-severityRank(x.severity), y.count-x.count, strings.Compare(x.title, y.title))
		})
		for _, l := range ordered {
			fmt.Fprintf(&b, "         %5s  %-8s  %s\n", number(l.count), plain(string(l.severity)), plain(l.title))
		}
	}
	return b.String()
}
