package rules

// sparseKey: a key that many events of the step lack. They are left out and
// counted, and nobody sees it on an alert. A step that says what it does with
// them, such as location.country != "", is not told.
func sparseKey(s *subject) {
	for _, l := range s.leaves() {
		if l.what != "key" {
			continue // leaving out events without the value is what distinct is for
		}
		about := s.kindOf(l.step.test)
		path := s.fieldPath(unwrapped(s.behind(l.node)))
		if why, ok := absentIn(often, path, about, s.constraints(l.step.test, about)); ok {
			s.warnOn(l.node, "say so in the step, "+path+` != "", or take another key`,
				"the key %s is often empty, and events without it are left out: %s", path, why)
		}
	}
}
