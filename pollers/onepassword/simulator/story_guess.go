package simulator

import (
	"slices"
	"time"
)

// guessThenExport: somebody tries passwords until one is right and takes items.
func guessThenExport(s *stage) {
	victim, from := s.person(), s.stranger()
	key := []string{victim.uuid()}
	failed := several(between(s.r, 5, 8), func(int) []evidence {
		s.wait(10*time.Second, 40*time.Second)
		return s.signin(victim, signinBadPassword, from)
	})
	s.wait(10*time.Second, time.Minute)
	in := s.signin(victim, signinOK, from)
	s.wait(time.Minute, 4*time.Minute)
	vault := s.vaultOf(victim)
	exported := several(between(s.r, 1, 6), func(i int) []evidence {
		s.wait(3*time.Second, 20*time.Second)
		return s.use(victim, itemExport, from, vault, i)
	})
	s.expect("signin-after-failures", key, failed, in)
	s.expect("export-after-failed-signins", key, failed, exported)
}

// manyFailures: one person's password is tried again and again, by a stranger
// or by a forgotten device at home, and never right.
func manyFailures(s *stage) {
	victim, from := s.person(), atHome
	if chance(s.r, 0.7) {
		from = s.stranger()
	}
	failed := several(between(s.r, 10, 25), func(int) []evidence {
		s.wait(5*time.Second, 30*time.Second)
		return s.signin(victim, signinBadPassword, from)
	})
	s.expect("many-failed-signins", []string{victim.uuid()}, failed)
}

// mfaFatigue: somebody who has the password asks for the second factor again
// and again; sometimes the person gives in.
func mfaFatigue(s *stage) {
	victim, from := s.person(), s.stranger()
	key := []string{victim.uuid()}
	failed := several(between(s.r, 5, 8), func(int) []evidence {
		s.wait(15*time.Second, time.Minute)
		return s.signin(victim, pick(s.r, []uint8{signinDuoTimeout, signinKeyTimeout, signinCodeTimeout, signinBadCode}), from)
	})
	s.expect("mfa-fatigue", key, failed)
	if chance(s.r, 0.5) {
		s.wait(5*time.Second, 30*time.Second)
		s.expect("signin-after-failures", key, failed, s.signin(victim, signinMFA, from))
	}
}

// passwordSpraying: one address tries a common password on many people; now
// and then it is somebody's.
func passwordSpraying(s *stage) {
	from := s.stranger()
	var last actor
	failed := several(between(s.r, 12, 20), func(int) []evidence {
		s.wait(5*time.Second, 25*time.Second)
		last = s.person()
		return s.signin(last, signinBadPassword, from)
	})
	if chance(s.r, 0.5) {
		s.wait(30*time.Second, 2*time.Minute)
		s.signin(last, signinOK, from)
	}
	s.expect("password-spraying", []string{from.spot.ip}, failed)
}

// twoAccounts: one address fails to sign in to two of the accounts.
func twoAccounts(s *stage) {
	from := s.stranger()
	here, there := s.person(), s.find(s.worlds[1], roleMember)
	try := func(who actor) []evidence {
		return several(between(s.r, 1, 3), func(int) []evidence {
			s.wait(20*time.Second, 5*time.Minute)
			return s.signin(who, signinBadPassword, from)
		})
	}
	s.expect("one-address-many-accounts", []string{from.spot.ip}, slices.Concat(try(here), try(there)))
}
