package rules

// windowBeyondHistory: after a first start, the API cannot give what the rule
// looks back at.
func windowBeyondHistory(s *subject) {
	if s.rule.Pattern.Reach() > MaxWithin {
		s.warnOn(s.window(), "make the window or the quiet gap shorter",
			"%s, but 1Password keeps events for %s: until Watchword has run that long, the rule sees less", s.looksBack(), days(MaxWithin))
	}
}
