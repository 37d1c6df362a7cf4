package rules

import "watchword/bus/alert"

// noFalsePositives: an alert that wakes someone says what else it can be.
func noFalsePositives(s *subject) {
	if r := s.rule; len(r.FalsePositives) == 0 && (r.Severity == alert.High || r.Severity == alert.Critical) {
		s.warnHead("severity", "write false_positives: and a line for each harmless thing that looks the same",
			"the severity is %s, and the rule does not say what harmless thing looks the same", r.Severity)
	}
}
