package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"watchword/bus/alert"
)

// Lines a block shows of what can be long; `alerts show` shows all.
const (
	blockEvidence = 3
	blockRunbook  = 4
	blockPeople   = 3
	blockPlaces   = 3
)

// block prints an alert to be read at a glance: what, who, when, how much,
// what to do first. event tells the event of a piece of evidence in a few
// words, its id where it cannot be read.
func block(w io.Writer, a *alert.Alert, now time.Time, colour paint, event func(alert.Evidence) string) {
	fmt.Fprintf(w, "%s  %s%s\n", colour.severity(a.Severity), colour.bold(plain(a.Title)), marks(a))
	line := func(label, format string, args ...any) {
		fmt.Fprintf(w, "  %s %s\n", colour.dim(fmt.Sprintf("%-8s", label)), fmt.Sprintf(format, args...))
	}
	if a.Status == alert.Merged {
		line("merged", "into %s", plain(a.MergedInto))
	}
	for i, p := range a.People {
		if i == blockPeople {
			line("", "and %d more", len(a.People)-i)
			break
		}
		line(once("who", i), "%s", person(p))
	}
	line("key", "%s", key(a))
	line("when", "%s", period(a.First, a.Last, now))
	line("count", "%s", counts(a))
	for i, p := range a.Places {
		if i == blockPlaces {
			line("", "and %d more", len(a.Places)-i)
			break
		}
		line(once("from", i), "%s", place(p))
	}
	newest := a.Evidence[max(0, len(a.Evidence)-blockEvidence):]
	for i := range newest {
		e := newest[len(newest)-1-i]
		line(once("evidence", i), "%s  %s  %s", clock(e.Time, now), plain(e.Step), colour.dim(event(e)))
	}
	todo, more := plainLines(a.Runbook, blockRunbook)
	for i, l := range todo {
		if l != "" {
			line(once("do", i), "%s", l)
		}
	}
	if more > 0 {
		line("", "… (%d more lines)", more)
	}
	line("rule", "%s", plain(strings.Join(append([]string{a.Rule}, a.Attack...), "  ")))
	line("alert", "%s", plain(a.ID))
}

// once is the label on the first of several lines.
func once(label string, i int) string {
	if i > 0 {
		return ""
	}
	return label
}

// marks says in brackets what is unusual about a revision.
func marks(a *alert.Alert) string {
	var m []string
	for _, mark := range []struct {
		on   bool
		text string
	}{
		{a.Status != alert.Opened, string(a.Status)}, {a.Staged, "rule on trial"}, {a.Historical, "historical"},
		{a.Late, "late event"}, {a.Truncated, "evidence cut"},
	} {
		if mark.on {
			m = append(m, mark.text)
		}
	}
	if len(m) == 0 {
		return ""
	}
	return "  [" + plain(strings.Join(m, ", ")) + "]"
}

func person(p alert.Person) string {
	name, mail := plain(p.Name), plain(p.Email)
	switch {
	case name != "" && mail != "":
		return name + " <" + mail + ">"
	case name != "" || mail != "":
		return name + mail
	}
	return plain(p.UUID)
}

func place(p alert.Place) string {
	var where []string
	for _, s := range []string{p.City, p.Country} {
		if s != "" {
			where = append(where, plain(s))
		}
	}
	switch {
	case len(where) == 0:
		return plain(p.IP)
	case p.IP == "":
		return strings.Join(where, ", ")
	}
	return plain(p.IP) + " (" + strings.Join(where, ", ") + ")"
}

// key writes what the events were grouped by, and the source.
func key(a *alert.Alert) string {
	var parts []string
	for i, v := range a.Key {
		name := "key"
		if i < len(a.KeyNames) {
			name = a.KeyNames[i]
		}
		parts = append(parts, plain(name)+" "+plain(v))
	}
	if a.Source != "" {
		parts = append(parts, "source "+plain(a.Source))
	} else {
		parts = append(parts, "across sources")
	}
	return strings.Join(parts, ", ")
}

// period writes when: a moment, or from – to with how long, and how long ago.
func period(first, last, now time.Time) string {
	if last.Sub(first) < time.Second {
		return fmt.Sprintf("%s (%s)", clock(first, now), ago(last, now))
	}
	to := clock(last, now)
	if last := last.In(now.Location()); first.In(now.Location()).Format(time.DateOnly) == last.Format(time.DateOnly) {
		to = last.Format(time.TimeOnly)
	}
	return fmt.Sprintf("%s – %s (%s, %s)", clock(first, now), to, span(last.Sub(first)), ago(last, now))
}

func counts(a *alert.Alert) string {
	events := "events"
	if a.Count == 1 {
		events = "event"
	}
	out := fmt.Sprintf("%s %s", number(a.Count), events)
	var steps []string
	for _, s := range a.Steps {
		steps = append(steps, fmt.Sprintf("%s %s", plain(s.Name), number(s.Count)))
	}
	if len(steps) > 1 {
		out += ": " + strings.Join(steps, ", ")
	}
	return out
}
