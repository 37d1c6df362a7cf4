package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"watchword/bus/alert"
	"watchword/detectors"
	"watchword/rules"
)

// nearShown is how many near misses of a rule are shown.
const nearShown = 10

// backtestText prints what a backtest found for people.
type backtestText struct {
	io.Writer
	found  *backtestFound
	now    time.Time
	colour paint
	limit  int
}

func (t *backtestText) printf(format string, args ...any) { fmt.Fprintf(t, format, args...) }

// report prints the rules that raise an alert, or nearly, one by one; the
// others in a line at the end.
func (t *backtestText) report() {
	t.head()
	var silent, unmatched, disabled []string
	matched := map[string]uint64{}
	for _, s := range t.found.history.Matched(t.found.set) {
		matched[s.Rule] = s.Matched
	}
	for _, rule := range t.found.set.Rules() {
		switch {
		case rule.Status == rules.Disabled:
			disabled = append(disabled, rule.ID)
		case matched[rule.ID] == 0:
			unmatched = append(unmatched, rule.ID)
		case !t.rule(rule, matched[rule.ID]):
			silent = append(silent, rule.ID)
		}
	}
	for _, l := range []struct {
		label string
		ids   []string
	}{
		{"nothing raised, and nothing near", silent}, {"no event matched", unmatched}, {"disabled, not evaluated", disabled},
	} {
		if len(l.ids) > 0 {
			t.printf("%s: %s\n", l.label, strings.Join(l.ids, ", "))
		}
	}
	t.printf("%s\n", plural(t.found.count, "alert"))
}

// head says what was evaluated.
func (t *backtestText) head() {
	s := t.found.history.HistoryStats
	if s.Events == 0 {
		t.printf("no events\n")
		return
	}
	t.printf("%s, %s – %s", plural(int(s.Events), "event"), t.moment(s.First), t.moment(s.Last))
	if s.Repeated > 0 {
		t.printf(", %s repeated", number(s.Repeated))
	}
	if s.LeftOut > 0 {
		t.printf("; %s left out", plural(int(s.LeftOut), "other"))
	}
	t.printf("\n\n")
}

// rule prints what was found of a rule; false if there was nothing to tell.
func (t *backtestText) rule(rule *rules.Rule, matched uint64) bool {
	h := t.found.history
	alerts := h.Alerts(rule)
	t.found.count += len(alerts)
	misses := h.NearMisses(rule)
	if len(alerts)+len(misses) == 0 {
		return false
	}
	t.title(rule.ID, rule)
	keys := map[string]bool{}
	events := 0
	var begun []time.Time
	for i := range alerts {
		begun = append(begun, alerts[i].First)
		keys[key(&alerts[i])] = true
		events += alerts[i].Count
	}
	t.printf("  %s of %s, %s; %s matched, of %s\n", plural(len(alerts), "alert"), plural(len(keys), "key"),
		plural(events, "event"), plural(int(matched), "event"), plural(h.Keys(rule), "key"))
	for _, note := range rule.Notes {
		t.printf("  note     %s\n", plain(note))
	}
	if len(alerts) > 0 {
		bars, said := dayChart(begun, h.First.In(t.now.Location()), h.Last.In(t.now.Location()))
		t.printf("  per day  %s\n           %s\n", bars, said)
	}
	t.curves(h.Curves(rule))
	t.alerts(alerts)
	t.misses(misses)
	t.printf("\n")
	return true
}

func (t *backtestText) title(id string, rule *rules.Rule) {
	t.printf("%s  %s  %s\n", t.colour.bold(plain(id)), t.colour.severity(rule.Severity), plain(rule.Title))
}

// curves prints, for each number of the rule, the alerts it would give.
func (t *backtestText) curves(curves []detectors.Curve) {
	for _, c := range curves {
		numbers, counts := "", ""
		for _, p := range c.Points {
			n, count := fmt.Sprint(p.N), number(p.Alerts)
			if p.N == c.N {
				n = "[" + n + "]"
			}
			width := max(len(n), len(count)) + 2
			numbers += fmt.Sprintf("%*s", width, n)
			counts += fmt.Sprintf("%*s", width, count)
		}
		t.printf("  if n of %s were\n  n        %s\n  alerts   %s\n", plain(c.Step), numbers, counts)
	}
}

// alerts prints the newest alerts in order of time.
func (t *backtestText) alerts(alerts []alert.Alert) {
	slices.SortStableFunc(alerts, func(a, b alert.Alert) int { return a.First.Compare(b.First) })
	if left := len(alerts) - t.limit; t.limit > 0 && left > 0 {
		t.printf("  %s left out; --limit 0 shows all\n", plural(left, "older alert"))
		alerts = alerts[left:]
	}
	for i := range alerts {
		t.alert("", &alerts[i])
	}
}

// alert prints an alert in a few lines: when and whose, what of, from what to what.
func (t *backtestText) alert(what string, a *alert.Alert) {
	t.printf("  %s%s  %s%s\n", what, t.stretch(a.First, a.Last), key(a), marks(a))
	parts := []string{counts(a)}
	for i, p := range a.People {
		if i == blockPeople {
			parts = append(parts, fmt.Sprintf("and %d more", len(a.People)-i))
			break
		}
		parts = append(parts, person(p))
	}
	for i, p := range a.Places {
		if i == blockPlaces {
			parts = append(parts, fmt.Sprintf("and %d more", len(a.Places)-i))
			break
		}
		parts = append(parts, place(p))
	}
	t.printf("    %s\n", strings.Join(parts, "; "))
	t.evidence(a.Evidence)
}

func (t *backtestText) evidence(list []alert.Evidence) {
	if len(list) == 0 {
		return
	}
	first, last := list[0], list[len(list)-1]
	tell := func(e alert.Evidence) {
		t.printf("    %s  %s  %s\n", t.moment(e.Time), plain(e.Step), t.colour.dim(plain(e.ID)))
	}
	tell(first)
	if len(list) > 2 {
		t.printf("    … %d more\n", len(list)-2)
	}
	if len(list) > 1 {
		tell(last)
	}
}

// misses prints the nearest of the near misses.
func (t *backtestText) misses(misses []detectors.NearMiss) {
	if len(misses) == 0 {
		return
	}
	t.printf("  near misses: %s\n", number(len(misses)))
	for i := range misses {
		if i == nearShown {
			t.printf("    and %s more\n", number(len(misses)-i))
			break
		}
		m := &misses[i]
		why := fmt.Sprintf("%d of %d %s", m.Have, m.Want, plain(m.Step))
		if m.Late > 0 {
			why = fmt.Sprintf("all of it, but the window closed %s too early", span(m.Late))
		}
		t.printf("    %s  %s: %s\n", t.stretch(m.Alert.First, m.Alert.Last), key(&m.Alert), why)
	}
}

// comparison prints how the alerts differ from those of the rules in old.
func (t *backtestText) comparison(old string) {
	t.head()
	sum := detectors.Comparison{}
	for _, id := range t.found.ids() {
		rule, c := t.found.set.Rule(id), t.found.compare(id)
		sum.Gained, sum.Lost = append(sum.Gained, c.Gained...), append(sum.Lost, c.Lost...)
		sum.Changed, sum.Same = append(sum.Changed, c.Changed...), sum.Same+c.Same
		if len(c.Gained)+len(c.Lost)+len(c.Changed) == 0 {
			continue
		}
		if rule == nil {
			t.title(id, t.found.old.Rule(id))
			t.printf("  the rule is gone\n")
		} else {
			t.title(id, rule)
			if t.found.old.Rule(id) == nil {
				t.printf("  the rule is new\n")
			}
		}
		t.printf("  gained %d, lost %d, changed %d, same %d\n", len(c.Gained), len(c.Lost), len(c.Changed), c.Same)
		for i := range c.Gained {
			t.alert("gained   ", &c.Gained[i])
		}
		for i := range c.Lost {
			t.alert("lost     ", &c.Lost[i])
		}
		for i := range c.Changed {
			var was []string
			for j := range c.Changed[i].Old {
				o := &c.Changed[i].Old[j]
				was = append(was, fmt.Sprintf("%s (%s)", counts(o), t.stretch(o.First, o.Last)))
			}
			t.alert("changed  ", &c.Changed[i].New)
			t.printf("    was %s\n", strings.Join(was, " and "))
		}
		t.printf("\n")
	}
	t.printf("against %s: %d gained, %d lost, %d changed, %d the same\n", plain(old), len(sum.Gained), len(sum.Lost), len(sum.Changed), sum.Same)
}

// moment writes a time with its date, whatever day it is.
func (t *backtestText) moment(at time.Time) string {
	return at.In(t.now.Location()).Format(time.DateTime)
}

// stretch writes from when to when.
func (t *backtestText) stretch(first, last time.Time) string {
	if last.Sub(first) < time.Second {
		return t.moment(first)
	}
	to := last.In(t.now.Location())
	format := time.DateTime
	if first.In(t.now.Location()).Format(time.DateOnly) == to.Format(time.DateOnly) {
		format = time.TimeOnly
	}
	return fmt.Sprintf("%s – %s (%s)", t.moment(first), to.Format(format), span(last.Sub(first)))
}
