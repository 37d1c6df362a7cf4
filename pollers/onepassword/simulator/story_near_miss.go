package simulator

import "time"

// nearMiss: each part stays just below a threshold. It must raise nothing.
func nearMiss(s *stage) {
	s.almostGuessed()
	s.slowGuesses()
	s.narrowSpray()
	s.smallExport()
	s.deniedForGood()
	s.nextTown()
	s.recoveredOnly()
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

// nextTown: a person signs in from two places at nearly the same time, less
// than 100 km apart: where an address is thought to be is not surer than that.
func (s *stage) nextTown() {
	who := s.person()
	s.signin(who, signinMFA, atHome)
	s.wait(time.Second, 10*time.Second)
	p := who.w.people[who.index]
	town := *p.spots[0].city
	town.name, town.lat = "the next town", town.lat+0.5
	s.signin(who, signinOK, &scene{spot: spot{&town, p.spots[0].ip}, device: p.devices[0]})
}

// recoveredOnly: the recovery of one account is begun, another's two-factor is
// turned off.
func (s *stage) recoveredOnly() {
	by := s.admin()
	s.audit(by, auditBeginRecovery, atHome, s.person().index, 0)
	s.wait(time.Second, time.Minute)
	s.audit(by, auditDisableMFA, atHome, s.person().index, 0)
}
