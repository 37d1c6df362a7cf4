package rules

// noAttack: the rule has no place in the coverage table.
func noAttack(s *subject) {
	if len(s.rule.Attack) == 0 {
		s.warnHead("title", "write attack: [T1110], see https://attack.mitre.org", "the rule names no ATT&CK technique")
	}
}
