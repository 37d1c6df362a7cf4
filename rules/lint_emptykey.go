package rules

// emptyKey: a key or a counted value that is empty in every event of the step,
// so that the step never matches.
func emptyKey(s *subject) {
	for _, l := range s.leaves() {
		about := s.kindOf(l.step.test)
		if foreign := s.foreign(l, string(about)); foreign != nil {
			s.warnOn(foreign, "give the step a field of its own kind",
				"the %s %s is always empty for step %s, which is about %s events: it never matches", l.what, l.node, l.step.name, about)
			continue
		}
		path := s.fieldPath(unwrapped(s.behind(l.node)))
		demands := s.constraints(l.step.test, about)
		if why, ok := absentIn(never, path, about, demands); ok {
			s.warnOn(l.node, "", "the %s %s is always empty for step %s, so it never matches: %s", l.what, path, l.step.name, why)
		} else if demands[path].only("") {
			s.warnOn(l.node, "", "step %s demands that its %s %s is empty, and an event with an empty one is left out: it never matches",
				l.step.name, l.what, path)
		}
	}
}
