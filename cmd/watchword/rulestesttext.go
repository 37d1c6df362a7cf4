package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"watchword/bus/alert"
	"watchword/detectors"
	"watchword/rules"
)

// Lines of a failure that are shown; the JSON report has all.
const (
	shownDeliveries = 3
	shownEvidence   = 20
)

// print reports for people: a line for each rule, below it what failed, at the
// end the sums.
func (r *testResults) print(w io.Writer, colour paint) {
	for _, p := range r.problems {
		fmt.Fprintln(w, plainText(p.String()))
	}
	width := 0
	for i := range r.rules {
		width = max(width, len(r.rules[i].id))
	}
	var tests, failed, without, unmatched int
	for i := range r.rules {
		rule := &r.rules[i]
		tests, failed, unmatched = tests+len(rule.cases), failed+rule.failures(), unmatched+len(rule.unmatched)
		word, said := "ok   ", plural(len(rule.cases), "test")
		switch {
		case len(rule.problems) > 0:
			word, said = colour.in("1;31", "FAIL "), "the tests cannot be read"
		case rule.failed():
			word, said = colour.in("1;31", "FAIL "), fmt.Sprintf("%s, %d failed", said, rule.failures())
		case len(rule.cases) == 0:
			without++
			word, said = colour.dim("none "), "no tests: write "+rule.file
		}
		fmt.Fprintf(w, "%s %-*s  %s\n", word, width, rule.id, plain(said))
		for _, p := range rule.problems {
			printIndented(w, "      ", plainText(p.String()))
		}
		for j := range rule.cases {
			printIndented(w, "      ", plainText(rule.failureText(&rule.cases[j])))
		}
		for _, s := range rule.unmatched {
			fmt.Fprintf(w, "      no test has an event that matches %s\n", plain(s))
		}
	}
	if len(r.problems) > 0 {
		return
	}
	sum := fmt.Sprintf("%s, %s, %s", plural(len(r.rules), "rule"), plural(tests, "test"), failedText(failed))
	if without > 0 {
		sum += fmt.Sprintf("; %s without tests", plural(without, "rule"))
	}
	if unmatched > 0 {
		sum += fmt.Sprintf("; %s matched by no test", plural(unmatched, "step"))
	}
	fmt.Fprintln(w, sum)
}

func failedText(n int) string {
	if n == 0 {
		return "all fine"
	}
	return fmt.Sprintf("%d failed", n)
}

func printIndented(w io.Writer, indent, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "%s%s\n", indent, strings.TrimRight(line, "\n"))
	}
}

// failureText tells how a case failed, over several lines; empty if it did not.
func (r *ruleResult) failureText(c *caseResult) string {
	if len(c.failures) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s:%d)\n", c.Name, r.file, c.Line)
	for i := range c.failures {
		if i == shownDeliveries {
			fmt.Fprintf(&b, "  and so with %d more deliveries\n", len(c.failures)-i)
			break
		}
		f := &c.failures[i]
		fmt.Fprintf(&b, "  with the events %s (- wanted, + got):\n", f.Delivery)
		printIndented(&b, "    ", failureDiff(f))
	}
	return b.String()
}

// failureDiff shows what was wanted with - and what came instead with +. Of two
// alerts of one key only their difference is marked.
func failureDiff(f *detectors.CaseFailure) string {
	var b strings.Builder
	if f.Err != nil {
		fmt.Fprintf(&b, "the events cannot be evaluated: %v\n", f.Err)
	}
	for _, want := range f.Missing {
		fmt.Fprintf(&b, "- %s\n", wanted(&want))
	}
	unexpected := f.Unexpected
	for i := range f.Lost {
		lost := &f.Lost[i]
		var got *alert.Alert
		for j := range unexpected {
			if key(&unexpected[j]) == key(lost) {
				got = &unexpected[j]
				unexpected = append(unexpected[:j:j], unexpected[j+1:]...)
				break
			}
		}
		diffAlerts(&b, lost, got)
	}
	for i := range unexpected {
		diffAlerts(&b, nil, &unexpected[i])
	}
	return b.String()
}

// wanted is an expected alert as its test says it.
func wanted(a *rules.ExpectedAlert) string {
	text := "key " + strings.Join(a.Key, ", ")
	if a.Source != "" {
		text += ", source " + a.Source
	}
	if a.Evidence > 0 {
		text += ", " + plural(a.Evidence, "event")
	}
	if a.Status != "" {
		text += ", " + string(a.Status)
	}
	return fmt.Sprintf("%s (line %d)", text, a.Line)
}

// diffAlerts shows an alert that was wanted and one that came, either of which
// may be missing.
func diffAlerts(w io.Writer, want, got *alert.Alert) {
	wantHead, wantLines := alertLines(want)
	gotHead, gotLines := alertLines(got)
	if wantHead == gotHead {
		fmt.Fprintf(w, "  %s\n", wantHead)
	} else {
		for _, l := range []struct{ sign, head string }{{"-", wantHead}, {"+", gotHead}} {
			if l.head != "" {
				fmt.Fprintf(w, "%s %s\n", l.sign, l.head)
			}
		}
	}
	shown := 0
	tell := func(sign, line string) {
		if shown++; shown <= shownEvidence {
			fmt.Fprintf(w, "%s   %s\n", sign, line)
		}
	}
	for len(wantLines)+len(gotLines) > 0 {
		switch {
		case len(gotLines) == 0 || len(wantLines) > 0 && wantLines[0].before(gotLines[0]):
			tell("-", wantLines[0].text)
			wantLines = wantLines[1:]
		case len(wantLines) == 0 || gotLines[0].before(wantLines[0]):
			tell("+", gotLines[0].text)
			gotLines = gotLines[1:]
		case wantLines[0].text != gotLines[0].text:
			tell("-", wantLines[0].text)
			tell("+", gotLines[0].text)
			wantLines, gotLines = wantLines[1:], gotLines[1:]
		default:
			tell(" ", wantLines[0].text)
			wantLines, gotLines = wantLines[1:], gotLines[1:]
		}
	}
	if shown > shownEvidence {
		fmt.Fprintf(w, "    and %d more\n", shown-shownEvidence)
	}
}

// evidenceLine is one event of an alert, in words.
type evidenceLine struct {
	alert.Evidence
	text string
}

// before is the order of events.
func (l evidenceLine) before(o evidenceLine) bool {
	if !l.Time.Equal(o.Time) {
		return l.Time.Before(o.Time)
	}
	return l.ID < o.ID
}

func alertLines(a *alert.Alert) (head string, lines []evidenceLine) {
	if a == nil {
		return "", nil
	}
	head = fmt.Sprintf("%s, %s, %s – %s", key(a), counts(a), testTime(a.First), testTime(a.Last))
	if a.Truncated {
		head += ", evidence cut"
	}
	for _, e := range a.Evidence {
		lines = append(lines, evidenceLine{e, fmt.Sprintf("%s  %s  %s", testTime(e.Time), e.Step, e.ID)})
	}
	return head, lines
}

// testTime writes a time as a test says it, by at, where it can have.
func testTime(t time.Time) string {
	d := t.Sub(rules.Base)
	if d < 0 || d > 10*rules.MaxWithin {
		return t.UTC().Format(time.RFC3339Nano)
	}
	if d%time.Second != 0 {
		return "at " + d.String()
	}
	out := "at "
	for _, u := range []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / u.size; n > 0 || u.size == time.Second && out == "at " {
			out += fmt.Sprintf("%d%s", n, u.name)
		}
		d %= u.size
	}
	return out
}
