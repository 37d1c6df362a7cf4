package pollers

import (
	"fmt"
	"time"
)

// warnDays are the days before a token's expiry at which a warning is logged.
var warnDays = []int{1, 3, 7, 14}

// warnOfExpiry logs once for each of warnDays that is reached. The caller has
// the turn and a token.
func (a *account) warnOfExpiry() {
	h := a.get()
	token := h.client.Token()
	expires := token.Claims().Expires
	for _, days := range warnDays {
		if expires.IsZero() || expires.Sub(a.now()) > time.Duration(days)*24*time.Hour {
			continue
		}
		if h.warned == 0 || days < h.warned {
			a.set(func(h *held) { h.warned = days })
			a.log.Warn("the token expires soon", "source", a.source.Name, "token", token,
				"says", expiryNotice(expires, a.now(), a.source.Token.String()))
		}
		return
	}
}

// expiryNotice is what to say about a token's expiry at now, empty while it is
// more than 14 days away.
func expiryNotice(expires, now time.Time, from string) string {
	left := expires.Sub(now)
	if expires.IsZero() || left > time.Duration(warnDays[len(warnDays)-1])*24*time.Hour {
		return ""
	}
	when := expires.UTC().Format("2006-01-02 15:04 UTC")
	advice := "make a new one in Integrations → Events Reporting and put it into " + from
	if left <= 0 {
		return fmt.Sprintf("the token expired on %s; %s", when, advice)
	}
	return fmt.Sprintf("the token expires in %s, on %s; %s", inWords(left), when, advice)
}

func inWords(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return fmt.Sprintf("%d minutes", int(d/time.Minute))
}

// tokenState is what the status shows of a token.
type tokenState struct {
	From        string
	Fingerprint string
	Expires     time.Time
	Host        string
	Notices     []string
}

func (a *account) state() tokenState {
	s := tokenState{From: a.source.Token.String()}
	h := a.get()
	if h.client == nil {
		return s
	}
	t := h.client.Token()
	s.Fingerprint, s.Expires, s.Host = t.Fingerprint(), t.Claims().Expires, h.client.Host()
	for _, n := range []string{h.notice, expiryNotice(s.Expires, a.now(), s.From)} {
		if n != "" {
			s.Notices = append(s.Notices, n)
		}
	}
	return s
}
