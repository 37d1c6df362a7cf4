package rules

// bareFold: a bare step with neither by nor quiet. What is one alert is then
// decided by defaults: all that a person does, or all events of a source that
// have no person, until nothing matches for an hour.
func bareFold(s *subject) {
	if s.form.word == Bare && s.form.steps[0].keys == nil && s.head.quiet == 0 {
		s.warnOn(s.form.node, "write | by(user.uuid) or the fields that tell one alert from another, or quiet: 1h in the front matter",
			"nothing says what belongs into one alert: it is all that one person does without a pause of an hour")
	}
}
