package simulator

import "time"

// nearMiss: each part stays just below a threshold. It must raise nothing.
func nearMiss(s *stage) {
	s.almostGuessed()
	s.slowGuesses()
	s.narrowSpray()
	s.smallExport()
	s.deniedForGood()
	s.grantedByAnother()
}

// almostGuessed: four failures are one too few.
func (s *stage) almostGuessed() {
	who := s.person()
	several(4, func(int) []evidence {
		s.wait(10*time.Second, 40*time.Second)
		return s.signin(who, signinBadPassword, atHome)
	})
	s.wait(10*time.Second, time.Minute)
	s.signin(who, signinOK, atHome)
	s.wait(time.Minute, 2*time.Minute)
	s.use(who, itemExport, atHome, s.vaultOf(who), 1)
}

// slowGuesses: nine failures, and nobody gets in.
func (s *stage) slowGuesses() {
	who, from := s.person(), s.stranger()
	several(9, func(int) []evidence {
		s.wait(10*time.Second, time.Minute)
		return s.signin(who, signinBadPassword, from)
	})
}

// narrowSpray: nine people from one address.
func (s *stage) narrowSpray() {
	from := s.stranger()
	several(9, func(int) []evidence {
		s.wait(5*time.Second, 25*time.Second)
		return s.signin(s.person(), signinBadPassword, from)
	})
}

// smallExport: nineteen different items, some of them twice.
func (s *stage) smallExport() {
	who := s.person()
	vault := s.vaultOf(who)
	several(24, func(i int) []evidence {
		s.wait(time.Second, 10*time.Second)
		return s.use(who, itemExport, atHome, vault, i%19)
	})
}

// deniedForGood: the firewall denies, and nobody signs in afterwards.
func (s *stage) deniedForGood() {
	from := s.stranger()
	from.details = from.spot.city.code
	s.wait(time.Second, time.Minute)
	s.signin(s.person(), signinCountryBlocked, from)
}

// grantedByAnother: an administrator is given a vault by a colleague and uses it.
func (s *stage) grantedByAnother() {
	who := s.admin()
	vault := s.foreignVault(who.w)
	by := actor{who.w, pick(s.r, who.w.admins)}
	if by.index == who.index {
		by.index = who.w.bridge
	}
	s.audit(by, auditGrantVault, atHome, who.index, vault)
	s.wait(time.Minute, 10*time.Minute)
	s.use(who, itemReveal, atHome, vault, 1)
}
