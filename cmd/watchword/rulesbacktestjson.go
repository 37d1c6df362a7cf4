package main

import (
	"time"

	"watchword/bus/alert"
)

// foundAlert is an alert that a tool found, as a line of JSON: what it stands
// for and all its evidence, without what the rule says anyway.
type foundAlert struct {
	// Change is gained, lost or changed, where rules are compared.
	Change string `json:"change,omitempty"`

	ID       string          `json:"id"`
	Status   alert.Status    `json:"status"`
	Rule     string          `json:"rule"`
	Version  string          `json:"version"`
	Title    string          `json:"title"`
	Severity alert.Severity  `json:"severity"`
	Source   string          `json:"source"` // empty for a rule across sources
	Key      []string        `json:"key"`
	KeyNames []string        `json:"key_names"`
	First    time.Time       `json:"first"`
	Last     time.Time       `json:"last"`
	Count    int             `json:"count"`
	Steps    []alert.Step    `json:"steps"`
	Evidence []foundEvidence `json:"evidence"`

	People []alert.Person `json:"people,omitempty"`
	Places []alert.Place  `json:"places,omitempty"`

	Staged     bool `json:"staged,omitempty"`
	Historical bool `json:"historical,omitempty"`
	Truncated  bool `json:"truncated,omitempty"`
}

type foundEvidence struct {
	ID   string    `json:"id"` // ends in the API's uuid
	Step string    `json:"step"`
	Time time.Time `json:"time"`
	Seq  uint64    `json:"seq,omitempty"` // in EVENTS, where it is stored
}

func foundAlerts(list []alert.Alert) []foundAlert {
	var out []foundAlert
	for i := range list {
		out = append(out, newFound(&list[i]))
	}
	return out
}

func newFound(a *alert.Alert) foundAlert {
	f := foundAlert{
		ID: a.ID, Status: a.Status, Rule: a.Rule, Version: a.Version, Title: a.Title, Severity: a.Severity,
		Source: a.Source, Key: a.Key, KeyNames: a.KeyNames, First: a.First, Last: a.Last, Count: a.Count, Steps: a.Steps,
		Evidence: make([]foundEvidence, len(a.Evidence)), People: a.People, Places: a.Places,
		Staged: a.Staged, Historical: a.Historical, Truncated: a.Truncated,
	}
	for i, e := range a.Evidence {
		f.Evidence[i] = foundEvidence{ID: e.ID, Step: e.Step, Time: e.Time, Seq: e.Seq}
	}
	return f
}
