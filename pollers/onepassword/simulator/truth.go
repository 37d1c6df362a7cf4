package simulator

import (
	"slices"
	"strings"
	"time"
)

// Expected is an alert that a story must raise: the ground truth. It is
// written down by the story itself, not found by evaluating rules, and over
// all stories nothing else may be raised by the rules named here.
type Expected struct {
	// Rule is the id of the built-in rule.
	Rule string `json:"rule"`
	// Key is what the alert is about, the values of the rule's by(…).
	Key []string `json:"key"`
	// Accounts are the uuids of the accounts that the evidence comes from: one,
	// or for a rule across accounts several, sorted.
	Accounts []string `json:"accounts"`
	// Story names the story, kind and number: "guess-then-export/3".
	Story string `json:"story"`
	// First and Last are the times of the first and last event of the evidence.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Events are the uuids of the whole evidence in order of time, then uuid.
	Events []string `json:"events"`
}

// evidence is one event of a story.
type evidence struct {
	at      int64
	uuid    string
	account string
}

func expectation(story, rule string, key []string, events []evidence) Expected {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b evidence) int {
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		return strings.Compare(a.uuid, b.uuid)
	})
	e := Expected{
		Rule: rule, Key: key, Story: story,
		First: time.Unix(0, events[0].at).UTC(), Last: time.Unix(0, events[len(events)-1].at).UTC(),
	}
	for _, ev := range events {
		e.Events = append(e.Events, ev.uuid)
		if !slices.Contains(e.Accounts, ev.account) {
			e.Accounts = append(e.Accounts, ev.account)
		}
	}
	slices.Sort(e.Accounts)
	return e
}

// Expected lists the alerts that the stories told so far must raise, those of
// stories still going on included, by the time of their first event.
// An alert across accounts is listed by the account the story began in.
func (w *World) Expected() []Expected {
	w.mu.RLock()
	defer w.mu.RUnlock()
	all := slices.Clone(w.expected)
	slices.SortStableFunc(all, func(a, b Expected) int { return a.First.Compare(b.First) })
	return all
}
