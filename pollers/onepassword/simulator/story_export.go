package simulator

import (
	"slices"
	"time"
)

// massExport: one person takes many items at once.
func massExport(s *stage) {
	who := s.person()
	vault := s.vaultOf(who)
	exported := several(between(s.r, 20, 45), func(i int) []evidence {
		s.wait(time.Second, 10*time.Second)
		return s.use(who, itemExport, atHome, vault, i)
	})
	s.expect("mass-item-export", []string{who.uuid()}, exported)
}

// vaultExport: an administrator exports a whole vault, which shows as one audit
// event and an item usage for each item in it.
func vaultExport(s *stage) {
	who := s.admin()
	key, vault := []string{who.uuid()}, s.vaultOf(who)
	s.expect("vault-exported", key, s.audit(who, auditVaultExport, atHome, -1, vault))
	n := between(s.r, 5, 40)
	exported := several(n, func(i int) []evidence {
		s.wait(200*time.Millisecond, 2*time.Second)
		return s.use(who, itemExport, atHome, vault, i)
	})
	if n >= 20 {
		s.expect("mass-item-export", key, exported)
	}
}

// exportBeforeSuspension: a person packs, in one or two goes, and is suspended
// within a fortnight.
func exportBeforeSuspension(s *stage) {
	who := s.person()
	vault := s.vaultOf(who)
	gap := min(6*day, s.until.Sub(s.at)/2-30*time.Minute)
	item := 0
	pack := func(n int) []evidence {
		return several(n, func(int) []evidence {
			s.wait(5*time.Second, time.Minute)
			item++
			return s.use(who, itemExport, atHome, vault, item)
		})
	}
	exported := pack(between(s.r, 1, 8))
	s.wait(gap/4, gap)
	exported = slices.Concat(exported, pack(between(s.r, 0, 4)))
	s.wait(gap/4, gap)
	by := actor{who.w, pick(s.r, who.w.admins)}
	suspended := s.audit(by, auditSuspend, atHome, who.index, 0)
	who.w.people[who.index].leaves = s.at
	s.expect("export-before-suspension", []string{who.uuid()}, exported, suspended)
}
