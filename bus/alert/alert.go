// Package alert holds what travels from detectors to people: one revision of
// one alert as it is stored in the ALERTS stream.
//
// It is a leaf: it knows no bus, reads no clock and starts no goroutine.
package alert

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-json"
)

// Status is where an alert stands. It is a subject token.
type Status string

// The statuses of an alert.
const (
	Opened    Status = "opened"
	Updated   Status = "updated"
	Closed    Status = "closed"
	Merged    Status = "merged"
	Retracted Status = "retracted"
)

// Live tells whether an alert in this status still stands for an episode.
func (s Status) Live() bool { return s == Opened || s == Updated }

// Severity of a rule and of its alerts. It is a subject token.
type Severity string

// Severities, from least to most.
const (
	Info     Severity = "info"
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Severities lists all of them from least to most.
var Severities = []Severity{Info, Low, Medium, High, Critical}

// MaxEvidence, MaxPeople and MaxPlaces bound the lists of an alert; Count,
// Steps, First and Last are never cut.
const (
	MaxEvidence = 100
	MaxPeople   = 20
	MaxPlaces   = 20
)

// Alert is one revision of one alert. One alert stands for one episode of one
// rule and key; its ID does not change, whatever comes late.
type Alert struct {
	ID       string   `json:"id"`
	Status   Status   `json:"status"`
	Revision int      `json:"revision"` // from 1
	Rule     string   `json:"rule"`
	Version  string   `json:"version"` // of the rule: hash of its text and lists
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`

	// Source is the source the key belongs to, empty for a rule across sources.
	Source string `json:"source,omitempty"`
	// Key is the value of each key field; KeyNames says which fields they are.
	Key      []string `json:"key"`
	KeyNames []string `json:"key_names"`

	First time.Time `json:"first"` // time of the earliest evidence
	Last  time.Time `json:"last"`  // time of the latest evidence
	Count int       `json:"count"` // of evidence events, not capped
	Steps []Step    `json:"steps"`
	// Evidence lists the newest MaxEvidence events, oldest first.
	Evidence []Evidence `json:"evidence"`

	People []Person `json:"people,omitempty"`
	Places []Place  `json:"places,omitempty"`

	Description    string   `json:"description,omitempty"`
	Runbook        string   `json:"runbook,omitempty"`
	Attack         []string `json:"attack,omitempty"` // MITRE ATT&CK technique ids
	Controls       []string `json:"controls,omitempty"`
	References     []string `json:"references,omitempty"`
	FalsePositives []string `json:"false_positives,omitempty"`

	Staged     bool `json:"staged,omitempty"`     // the rule is on trial
	Historical bool `json:"historical,omitempty"` // completed over 24 h before the source was first connected
	Late       bool `json:"late,omitempty"`       // an event that came late made this revision
	Truncated  bool `json:"truncated,omitempty"`  // a bound cut hits this alert could have had

	// MergedInto is the id of the alert that carries on, when Status is Merged.
	MergedInto string `json:"merged_into,omitempty"`

	Generation uint64    `json:"generation"` // of the rule set
	Position   uint64    `json:"position"`   // EVENTS sequence of the newest event it was decided with
	Decided    time.Time `json:"decided"`    // wall clock of this revision
}

// Step is one step of the rule and how many evidence events filled it.
type Step struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Evidence is one event of an alert.
type Evidence struct {
	ID    string    `json:"id"`
	Seq   uint64    `json:"seq,omitempty"`   // in EVENTS
	Step  string    `json:"step"`            // which step it filled; several are joined by ","
	Steps []int     `json:"steps,omitempty"` // the same as numbers in Alert.Steps, from 0
	Time  time.Time `json:"time"`
}

// Person is somebody the evidence names as acting.
type Person struct {
	UUID  string `json:"uuid"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// Place is where evidence came from.
type Place struct {
	IP      string `json:"ip,omitempty"`
	Country string `json:"country,omitempty"`
	City    string `json:"city,omitempty"`
}

// ID gives an alert its identity: rule, version, key and the event that
// completed the first match when it was first published. A second worker that
// decides the same from the same events gives the same id.
func ID(rule, version, key, eventID string) string {
	h := sha256.New()
	for _, s := range []string{rule, version, key, eventID} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:15])) // 24 characters
}

// Encode returns the stored form.
func (a *Alert) Encode() ([]byte, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode alert %s: %w", a.ID, err)
	}
	return b, nil
}

// Decode reads the stored form.
func Decode(data []byte) (Alert, error) {
	var a Alert
	if err := json.Unmarshal(data, &a); err != nil {
		return Alert{}, fmt.Errorf("decode alert: %w", err)
	}
	if a.ID == "" || a.Rule == "" || a.Status == "" {
		return Alert{}, fmt.Errorf("decode alert: no id, rule or status")
	}
	return a, nil
}
