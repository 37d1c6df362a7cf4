package rules

import (
	"slices"

	"github.com/expr-lang/expr/vm"

	"watchword/bus/event"
)

// Matcher says which rules an event matches, and for which keys. It belongs to
// one goroutine: it has one virtual machine, which it uses again and again.
type Matcher struct {
	set   *Set
	vm    vm.VM
	stats []RuleStats // by number in the set

	found []found  // what the event at hand matches
	parts []string // of the key at hand
}

// RuleStats counts what a matcher saw of one rule.
type RuleStats struct {
	Rule    string // id
	Matched uint64 // matches: events times keys
	Keyless uint64 // events left out because a part of the key was empty
	Failed  uint64 // events that could not be evaluated; they match nothing of the rule
	// LastError is the last failure, empty if there was none.
	LastError string
}

// found is one step that the event matches under a key, or a failure.
type found struct {
	candidate
	key   Key
	value string
	err   error
	empty bool // a part of the key is empty
}

// Matcher makes a matcher over the set.
func (s *Set) Matcher() *Matcher {
	m := &Matcher{set: s, stats: make([]RuleStats, len(s.rules))}
	for i, r := range s.rules {
		m.stats[i].Rule = r.ID
	}
	return m
}

// Match calls yield for every rule and key that the event matches, in the
// order of the rules' ids. Yield must not call the matcher. A disabled rule never matches. A rule that fails at
// run time matches nothing of this event, which is counted; other rules are
// not touched by it.
func (m *Matcher) Match(f event.Fields, yield func(Match)) {
	m.found = m.found[:0]
	var env any // boxed once, and only for an event that some step may match
	m.set.index.candidates(&f, func(cs []candidate) {
		if len(cs) > 0 && env == nil {
			env = f
		}
		for _, c := range cs {
			m.try(m.set.rules[c.rule], c, env, &f)
		}
	})
	m.tell(yield, true)
}

// MatchRule does what Match does for one rule, to rebuild a key from history:
// it counts nothing, since those events were counted when they came.
func (m *Matcher) MatchRule(r *Rule, f event.Fields, yield func(Match)) {
	m.found = m.found[:0]
	number := r.compiled.number
	if number >= len(m.set.rules) || m.set.rules[number] != r || r.Status == Disabled {
		return // not of this set, or never evaluated
	}
	var env any
	for s := range r.compiled.steps {
		if r.compiled.steps[s].admits(&f) {
			if env == nil {
				env = f
			}
			m.try(r, candidate{number, s}, env, &f)
		}
	}
	m.tell(yield, false)
}

// Stats are the counts per rule since the matcher was made, by rule id.
func (m *Matcher) Stats() []RuleStats { return slices.Clone(m.stats) }

// try evaluates one step and notes what it finds.
func (m *Matcher) try(r *Rule, c candidate, env any, f *event.Fields) {
	step := &r.compiled.steps[c.step]
	hit, err := m.vm.Run(step.test, env)
	if err != nil {
		m.found = append(m.found, found{candidate: c, err: err})
		return
	}
	if hit != true {
		return
	}
	out := found{candidate: c}
	if out.err = m.readKey(r, step, env, f, &out); out.err == nil && r.compiled.value != nil && !out.empty {
		if out.value, out.err = m.text(r.compiled.value, env); out.err == nil && out.value == "" {
			return // nothing to count
		}
	}
	if r.Pattern.Word == Travel && out.err == nil && !out.empty {
		if out.value = whereabouts(&f.Location); out.value == "" {
			return // nobody knows where it was
		}
	}
	m.found = append(m.found, out)
}

// readKey evaluates the key of a step that matches.
func (m *Matcher) readKey(r *Rule, step *compiledStep, env any, f *event.Fields, out *found) error {
	m.parts = m.parts[:0]
	if r.compiled.userOrSource {
		user := f.User.UUID
		if user == "" {
			user = f.Source
		}
		m.parts = append(m.parts, user)
	}
	for _, k := range step.keys {
		part, err := m.text(k, env)
		if err != nil {
			return err
		}
		m.parts = append(m.parts, part)
	}
	if out.empty = slices.Contains(m.parts, ""); out.empty {
		return nil
	}
	source := f.Source
	if r.Pattern.Across {
		source = ""
	}
	out.key = NewKey(source, m.parts...)
	return nil
}

// text runs a program that was compiled to give a text.
func (m *Matcher) text(p *vm.Program, env any) (string, error) {
	v, err := m.vm.Run(p, env)
	if err != nil {
		return "", err
	}
	return v.(string), nil
}

// tell joins what was found, step by step, into matches rule by rule.
func (m *Matcher) tell(yield func(Match), count bool) {
	slices.SortFunc(m.found, func(a, b found) int {
		if a.rule != b.rule {
			return a.rule - b.rule
		}
		return a.step - b.step
	})
	for rest := m.found; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].rule == rest[0].rule {
			n++
		}
		m.tellRule(rest[:n], yield, count)
		rest = rest[n:]
	}
}

func (m *Matcher) tellRule(of []found, yield func(Match), count bool) {
	rule, stats := m.set.rules[of[0].rule], &m.stats[of[0].rule]
	if !count {
		stats = &RuleStats{}
	}
	for i := range of {
		if of[i].err != nil {
			stats.Failed++
			stats.LastError = of[i].err.Error()
			return
		}
	}
	if slices.ContainsFunc(of, func(f found) bool { return f.empty }) {
		stats.Keyless++
	}
	for i := range of {
		if of[i].empty {
			continue
		}
		steps, first := uint64(0), true
		for j := range of {
			if !of[j].empty && of[j].key == of[i].key {
				first = first && j >= i
				steps |= 1 << of[j].step
			}
		}
		if first {
			stats.Matched++
			yield(Match{Rule: rule, Key: of[i].key, Steps: steps, Value: of[i].value})
		}
	}
}
