package rules

import (
	"slices"
	"strings"
	"time"
)

// Set is an immutable set of rules, safe to share.
type Set struct {
	rules []*Rule // by id
	index index
}

func newSet(rules []*Rule) *Set {
	slices.SortFunc(rules, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	for i, r := range rules {
		r.compiled.number = i
	}
	return &Set{rules: rules, index: newIndex(rules)}
}

// Rules lists every rule by id, disabled ones too. The slice is the caller's.
func (s *Set) Rules() []*Rule { return slices.Clone(s.rules) }

// Rule is the rule with the id, nil if there is none.
func (s *Set) Rule(id string) *Rule {
	i, ok := slices.BinarySearchFunc(s.rules, id, func(r *Rule, id string) int { return strings.Compare(r.ID, id) })
	if !ok {
		return nil
	}
	return s.rules[i]
}

// Reach is the longest reach of the rules that are not disabled.
func (s *Set) Reach() time.Duration {
	var longest time.Duration
	for _, r := range s.rules {
		if r.Status != Disabled {
			longest = max(longest, r.Pattern.Reach())
		}
	}
	return longest
}

// EntityKeyed tells whether the first key field of every step is user.uuid, so
// that the history of a key is that of one person: one subject filter. It is
// false for a bare step without by, whose key can be a source.
func (r *Rule) EntityKeyed() bool { return r.compiled.entityKeyed }
