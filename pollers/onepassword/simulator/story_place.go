package simulator

import "time"

// twoCountries: a person signs in at home, and soon after from another country,
// the nearest of which, seen from any office, takes longer at 900 km/h.
func twoCountries(s *stage) {
	who, from := s.person(), s.stranger()
	first := s.signin(who, signinMFA, atHome)
	s.wait(20*time.Minute, 80*time.Minute)
	second := s.signin(who, signinOK, from)
	s.expect("signins-from-two-countries", []string{who.uuid()}, first, second)
	s.expect("impossible-travel", []string{who.uuid()}, first, second)
}

// deniedThenIn: the firewall denies one country, and then an address that is
// allowed gets in.
func deniedThenIn(s *stage) {
	who, from := s.person(), s.stranger()
	from.details = from.spot.city.code
	denied := several(between(s.r, 1, 3), func(int) []evidence {
		s.wait(20*time.Second, 2*time.Minute)
		return s.signin(who, signinCountryBlocked, from)
	})
	s.wait(2*time.Minute, 15*time.Minute)
	s.expect("signin-after-firewall-denial", []string{who.uuid()}, denied, s.signin(who, signinOK, atHome))
}
