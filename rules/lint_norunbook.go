package rules

// noRunbook: whoever gets the alert does not know what to do.
func noRunbook(s *subject) {
	if s.rule.Runbook == "" {
		s.warnHead("title", "write runbook: | and below it what to look at, whom to ask and what to do", "the rule has no runbook")
	}
}
