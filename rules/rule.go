// Package rules turns rule files into checked, compiled rules.
//
// A rule is one .expr file: YAML front matter that says what the rule is, then
// one expr-lang expression that says what it detects. The file is parsed once
// and whole, its pattern is read off the tree, and only the leaves (step
// predicates, keys, values) are compiled, each to its own program. Every error
// has its file, line and column, and all of them are reported.
//
// The package is pure but for Load, which reads the files it is given. It is
// the only importer of expr-lang.
package rules

import (
	"encoding/binary"
	"time"

	"watchword/bus/alert"
)

// Status says whether a rule runs.
type Status string

// The statuses of a rule.
const (
	Active   Status = "active"
	Staged   Status = "staged"   // evaluated, its alerts marked staged
	Disabled Status = "disabled" // checked, not evaluated
)

// Rule is one checked and compiled rule. It is not changed after Load, and may
// be shared by goroutines; matching goes through a Matcher, which may not.
type Rule struct {
	ID      string // the file name without .expr
	File    string // as given to Load, for messages
	Version string // hash of the text and of the lists it names

	Title          string
	Severity       alert.Severity
	Description    string
	Attack         []string // MITRE ATT&CK technique ids
	References     []string
	FalsePositives []string
	Runbook        string
	Controls       []string
	Status         Status

	Pattern Pattern

	// Notes tell what is not said by the rule itself: that a list it names is empty.
	Notes []string

	compiled *compiled // how to match; see match.go
}

// Word is the pattern word a rule is built on.
type Word string

// The pattern words.
const (
	Bare     Word = "bare" // a step alone
	Times    Word = "times"
	Distinct Word = "distinct"
	Sequence Word = "sequence"
	Together Word = "together"
	Travel   Word = "travel"
)

// Pattern is what a rule detects, as plain data: what the leaves match is said
// by bit i of Match.Steps for step i.
type Pattern struct {
	Word  Word
	Steps []Step // one for all words but Sequence and Together

	// N is how many events (Times) or different values (Distinct) it takes.
	N int
	// KmPerHour is how fast one can travel, for Travel; above 0.
	KmPerHour float64

	Within time.Duration // the window: last.time − first.time ≤ Within
	Quiet  time.Duration // an episode ends when more than this passes between matches
	Across bool          // keys are compared across sources

	KeyNames []string // the key expressions as written: "user.uuid"
}

// Step is one step of a pattern.
type Step struct {
	Name  string // the let that names it, or its text
	Times int    // how many events it takes, ≥ 1; N for the step of Times
}

// MaxSlots bounds the events that one match of a sequence takes in all.
const MaxSlots = 64

// MaxTogether bounds the steps of Together.
const MaxTogether = 8

// Reach is how far before an event the decision about it can look: nothing
// older than Reach before an event can change what that event is part of.
func (p Pattern) Reach() time.Duration { return p.Within + p.Quiet }

// Key is the value of a rule's key for an event, with the source it belongs
// to, in one comparable string. Build it with NewKey.
type Key string

// NewKey builds a key. The source is empty for a rule across sources.
func NewKey(source string, parts ...string) Key {
	n := len(source) + 1
	for _, p := range parts {
		n += len(p) + 2
	}
	b := make([]byte, 0, n)
	b = appendPart(b, source)
	for _, p := range parts {
		b = appendPart(b, p)
	}
	return Key(b)
}

func appendPart(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// Split gives back what the key was built of.
func (k Key) Split() (source string, parts []string) {
	b := []byte(k)
	for i := 0; len(b) > 0; i++ {
		n, w := binary.Uvarint(b)
		if w <= 0 || uint64(len(b)-w) < n {
			return source, parts // not built by NewKey
		}
		s := string(b[w : w+int(n)])
		b = b[w+int(n):]
		if i == 0 {
			source = s
		} else {
			parts = append(parts, s)
		}
	}
	return source, parts
}

// Match says that an event fills steps of a rule for a key.
type Match struct {
	Rule  *Rule
	Key   Key
	Steps uint64 // bit i: the event matches Pattern.Steps[i] under this key
	// Value is what Distinct counts, or where Travel has been, as Coordinates
	// tell it; empty for other words.
	Value string
}
