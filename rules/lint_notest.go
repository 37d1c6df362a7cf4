package rules

// noTest: nobody has seen the rule fire, or keep still. Mistakes in the test
// file are told as well.
func noTest(s *subject) {
	cases, problems := LoadTests(s.folder, s.rule.ID)
	if len(problems) > 0 {
		s.problems = append(s.problems, problems...)
	} else if len(cases) == 0 {
		s.warnHead("title", "write "+s.rule.ID+TestSuffix+" beside it, with a case that fires and a near miss", "the rule has no test")
	}
}
