package rules

// Only is the set of the rules that keep says yes to.
func (s *Set) Only(keep func(*Rule) bool) *Set {
	var kept []*Rule
	for _, r := range s.rules {
		if keep(r) {
			kept = append(kept, r.copy())
		}
	}
	return newSet(kept)
}

// Enabled is the set with its disabled rules on trial (staged), for tools that
// say what a rule would do before it runs.
func (s *Set) Enabled() *Set {
	all := make([]*Rule, len(s.rules))
	for i, r := range s.rules {
		all[i] = r.copy()
		if r.Status == Disabled {
			all[i].Status = Staged
		}
	}
	return newSet(all)
}

// copy is the rule for another set, in which it has another number. The
// programs are shared: they are not changed.
func (r *Rule) copy() *Rule {
	rule, code := *r, *r.compiled
	rule.compiled = &code
	return &rule
}
