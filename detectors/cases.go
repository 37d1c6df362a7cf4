package detectors

import (
	"fmt"
	"slices"

	"watchword/bus/alert"
	"watchword/rules"
)

// CaseResult is how a rule did in one of its test cases.
type CaseResult struct {
	Failures []CaseFailure // none: it passed
	// Steps says which steps of the pattern some event of the case matched:
	// bit i, step i.
	Steps uint64
}

// CaseFailure is one way of delivering the events that did not end with the
// alerts it should have.
type CaseFailure struct {
	Delivery string // in words: "in order", "shuffled and doubled (seed 2)"
	Err      error  // the events could not be evaluated, and there is nothing else

	// Missing and Unexpected say what the case wants and what it got instead,
	// with the events in order and all at once.
	Missing []rules.ExpectedAlert
	// Lost are alerts that come in order and not with this delivery.
	Lost []alert.Alert
	// Unexpected are alerts that are not wanted, or that do not come in order.
	Unexpected []alert.Alert
}

// RunCase runs one test case of a rule of the set: all events at once and in
// order, which must give the alerts that the case expects; then the same events
// shuffled, doubled, in pieces and with restarts, which must give the same
// alerts. It is deterministic. A disabled rule is never matched: see
// rules.Set.Enabled.
func RunCase(set *rules.Set, rule *rules.Rule, c rules.Case) CaseResult {
	var out CaseResult
	all, err := Evaluate(set, c.Events)
	if err != nil {
		out.Failures = []CaseFailure{{Delivery: inOrderAtOnce, Err: err}}
		return out
	}
	calm := slices.DeleteFunc(all, func(a alert.Alert) bool { return a.Rule != rule.ID })
	if missing, unexpected := expect(c.Alerts, calm); len(missing)+len(unexpected) > 0 {
		out.Failures = append(out.Failures, CaseFailure{Delivery: inOrderAtOnce, Missing: missing, Unexpected: unexpected})
	}
	deliveries := newDeliveries(set, rule, c.Events)
	out.Steps = deliveries.steps
	for _, d := range deliveries.all() {
		got := deliveries.run(d)
		if lost, unexpected := difference(calm, got); len(lost)+len(unexpected) > 0 {
			out.Failures = append(out.Failures, CaseFailure{Delivery: d.name, Lost: lost, Unexpected: unexpected})
		}
	}
	return out
}

const inOrderAtOnce = "in order"

// expect pairs what is expected with what came, as many as can be, and returns
// the rest of both.
func expect(want []rules.ExpectedAlert, got []alert.Alert) (missing []rules.ExpectedAlert, unexpected []alert.Alert) {
	takenBy := make([]int, len(got)) // 1 + index in want; 0: nobody
	var seek func(i int, tried []bool) bool
	seek = func(i int, tried []bool) bool {
		for j := range got {
			if tried[j] || !answers(&want[i], &got[j]) {
				continue
			}
			tried[j] = true
			// An alert that several could take goes to the one that can take no other.
			if takenBy[j] == 0 || seek(takenBy[j]-1, tried) {
				takenBy[j] = i + 1
				return true
			}
		}
		return false
	}
	for i := range want {
		if !seek(i, make([]bool, len(got))) {
			missing = append(missing, want[i])
		}
	}
	for j := range got {
		if takenBy[j] == 0 {
			unexpected = append(unexpected, got[j])
		}
	}
	return missing, unexpected
}

// answers tells whether an alert is what is expected; what is not said may be anything.
func answers(want *rules.ExpectedAlert, a *alert.Alert) bool {
	return slices.Equal(a.Key, want.Key) && (want.Evidence == 0 || a.Count == want.Evidence) &&
		(want.Source == "" || a.Source == want.Source) && (want.Status == "" || a.Status == want.Status)
}

// difference compares alerts by what they stand for, whatever their ids and revisions.
func difference(want, got []alert.Alert) (lost, unexpected []alert.Alert) {
	count := map[string]int{}
	for i := range got {
		count[substance(&got[i])]++
	}
	for i := range want {
		if s := substance(&want[i]); count[s] > 0 {
			count[s]--
		} else {
			lost = append(lost, want[i])
		}
	}
	for i := range got {
		if s := substance(&got[i]); count[s] > 0 {
			count[s]--
			unexpected = append(unexpected, got[i])
		}
	}
	return lost, unexpected
}

func substance(a *alert.Alert) string {
	list := fmt.Sprint(a.Source, a.Key, a.First.UnixNano(), a.Last.UnixNano(), a.Count, a.Steps, a.Truncated)
	for _, e := range a.Evidence {
		list += fmt.Sprintf(" %s %s %d", e.ID, e.Step, e.Time.UnixNano())
	}
	return list
}
