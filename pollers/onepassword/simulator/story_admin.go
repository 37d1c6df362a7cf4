package simulator

import "time"

// selfGrantedVault: an administrator gives himself a vault and looks into it.
func selfGrantedVault(s *stage) {
	who := s.admin()
	vault := s.foreignVault(who.w)
	granted := s.audit(who, auditGrantVault, atHome, who.index, vault)
	s.wait(time.Minute, 10*time.Minute)
	used := several(between(s.r, 2, 8), func(i int) []evidence {
		s.wait(5*time.Second, time.Minute)
		return s.use(who, pick(s.r, []uint8{itemReveal, itemCopy, itemExport}), atHome, vault, i)
	})
	s.expect("self-granted-vault-use", []string{who.uuid(), who.w.vaults[vault]}, granted, used)
}

// unapprovedToken: an administrator makes a service account and a token or two
// for it. Nobody verifies them.
func unapprovedToken(s *stage) {
	who := s.admin()
	s.audit(who, auditServiceAccount, atHome, -1, s.r.IntN(1<<20))
	created := several(between(s.r, 1, 2), func(int) []evidence {
		s.wait(10*time.Second, 3*time.Minute)
		return s.audit(who, auditTokenCreate, atHome, -1, s.r.IntN(1<<20))
	})
	s.expect("service-account-token-created", []string{who.uuid()}, created)
}

// accountRecovery: an administrator turns somebody's two-factor off and begins
// the recovery of the account, in either order.
func accountRecovery(s *stage) {
	by, victim := s.admin(), s.person()
	verbs := []uint8{auditDisableMFA, auditBeginRecovery}
	s.r.Shuffle(len(verbs), func(i, j int) { verbs[i], verbs[j] = verbs[j], verbs[i] })
	first := s.audit(by, verbs[0], atHome, victim.index, 0)
	s.wait(time.Minute, 50*time.Minute)
	second := s.audit(by, verbs[1], atHome, victim.index, 0)
	s.expect("recovery-and-two-factor-off", []string{victim.uuid()}, first, second)
}

// firewallChange: an administrator changes from where people may sign in.
func firewallChange(s *stage) {
	who := s.admin()
	changed := several(between(s.r, 1, 3), func(int) []evidence {
		s.wait(time.Minute, 15*time.Minute)
		return s.audit(who, auditFirewall, atHome, -1, 0)
	})
	s.expect("firewall-rules-changed", []string{who.uuid()}, changed)
}
