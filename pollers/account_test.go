package pollers

import (
	"os"
	"strings"
	"testing"
	"time"

	"watchword/bus/event"
	"watchword/pollers/onepassword/simulator"
)

func TestNewTokenIsPickedUp(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	p, _ := r.start(r.config())
	r.drained(p)
	old := p.Status()[0].Token

	fresh, err := r.sim.Rotate(r.token) // revokes the old one
	if err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Hour)
	r.eventually(p, "401 in plain words", func(s FeedStatus) bool { return strings.Contains(s.Trouble, "revoked, has expired") })
	r.putToken(fresh)
	r.drained(p)
	if s := p.Status()[0]; s.Token == old || s.Trouble != "" {
		t.Errorf("status: %+v", s)
	}

	// One that is still good is replaced too.
	second := r.sim.Token(r.world.Account())
	before := p.Status()[0].Token
	r.putToken(second)
	r.eventually(p, "the second new token", func(s FeedStatus) bool { return s.Token != before })
	r.clock.Advance(time.Hour)
	r.drained(p)
	for _, text := range []string{r.token, fresh, second} {
		if strings.Contains(r.log.String(), text) {
			t.Error("the log shows a token")
		}
	}
}

func TestBadNewTokenIsNotTakenOver(t *testing.T) {
	worlds := simulator.NewWorlds(simulator.WorldConfig{Seed: 7, People: 4, Days: 1, Events: 60, Stories: []string{}}, 2)
	r := newRig(t, worlds[0], simulator.Options{})
	r.sim = simulator.New(simulator.Config{Worlds: worlds, Clock: r.clock, Options: simulator.Options{PerMinute: -1, PerHour: -1}})
	r.source.URL = serve(t, r.sim)
	r.token = r.sim.Token(worlds[0].Account())
	revoked := r.sim.Token(worlds[0].Account())
	if err := r.sim.Revoke(revoked); err != nil {
		t.Fatal(err)
	}
	r.putToken(r.token)
	p, _ := r.start(r.config())
	r.drained(p)
	old := p.Status()[0].Token
	for name, tt := range map[string]struct{ text, says string }{
		"other account": {r.sim.Token(worlds[1].Account()), "make a source of its own for that account"},
		"fewer feeds":   {r.sim.Token(worlds[0].Account(), event.FeedAuditEvents), "it may not read signinattempts, itemusages"},
		"revoked":       {revoked, "revoked, has expired"},
		"not a token":   {"two words", "keep the token alone, on one line"},
	} {
		t.Run(name, func(t *testing.T) {
			r.putToken(tt.text)
			until(t, "what is wrong with it", func() bool {
				n := p.Status()[0].Notices
				return len(n) == 1 && strings.Contains(n[0], "the token in use stays") && strings.Contains(n[0], tt.says)
			})
			r.clock.Advance(time.Hour)
			r.drained(p)
			if s := p.Status()[0]; s.Token != old {
				t.Errorf("the bad token %s is in use", s.Token)
			}
		})
	}
	if err := os.Remove(r.file); err != nil {
		t.Fatal(err)
	}
	until(t, "the file is missed", func() bool {
		n := p.Status()[0].Notices
		return len(n) == 1 && strings.Contains(n[0], "no such file")
	})
	r.putToken(r.token)
	r.eventually(p, "all is well", func(s FeedStatus) bool { return len(s.Notices) == 0 && s.Trouble == "" })
	r.wantAll()
}

func TestNoTokenAtFirst(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	if err := os.Remove(r.file); err != nil {
		t.Fatal(err)
	}
	p, _ := r.start(r.config())
	r.eventually(p, "the missing file", func(s FeedStatus) bool {
		return strings.Contains(s.Trouble, "token from file "+r.file+": no such file")
	})
	r.putToken(r.token)
	r.drained(p)
}

func TestTokenOfAnotherAccountAfterARestart(t *testing.T) {
	worlds := simulator.NewWorlds(simulator.WorldConfig{Seed: 7, People: 4, Days: 1, Events: 60, Stories: []string{}}, 2)
	r := newRig(t, worlds[0], simulator.Options{})
	r.sim = simulator.New(simulator.Config{Worlds: worlds, Clock: r.clock, Options: simulator.Options{PerMinute: -1, PerHour: -1}})
	r.source.URL = serve(t, r.sim)
	r.putToken(r.sim.Token(worlds[0].Account()))
	p, stop := r.start(r.config())
	r.drained(p)
	stop()
	r.putToken(r.sim.Token(worlds[1].Account()))
	p, _ = r.start(r.config())
	r.eventually(p, "a refusal", func(s FeedStatus) bool {
		return strings.Contains(s.Trouble, "this source has read the account "+worlds[0].Account())
	})
	r.wantAll()
}

func TestTokenWithoutAFeature(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	r.putToken(r.sim.Token(r.world.Account(), event.FeedAuditEvents))
	p, _ := r.start(r.config())
	until(t, "one feed works, two say why not", func() bool {
		s := p.Status()
		return strings.Contains(s[0].Trouble, "may not read signinattempts") &&
			strings.Contains(s[1].Trouble, "leave the feed out") && s[2].LagSeconds == 60 && s[2].Trouble == ""
	})
	r.putToken(r.sim.Token(r.world.Account()))
	r.drained(p)
	r.wantAll()
}

func TestExpiryIsWarnedOf(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	text, err := r.sim.Mint(simulator.TokenRequest{Account: r.world.Account(), Expires: 16 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	r.putToken(text)
	p, _ := r.start(r.config())
	r.drained(p)
	warned := func() int { return strings.Count(r.log.String(), "the token expires soon") }
	for _, step := range []struct {
		days, want int
		says       string
	}{{1, 0, ""}, {2, 1, "expires in 13 days"}, {3, 1, "expires in 10 days"}, {4, 2, "expires in 6 days"}, {4, 3, "expires in 2 days"}, {1, 4, "expires in 24 hours"}} {
		r.clock.Advance(time.Duration(step.days) * 24 * time.Hour)
		r.drained(p)
		until(t, "so many warnings", func() bool { return warned() >= step.want })
		if warned() != step.want {
			t.Errorf("after %d days more: want %d warnings, have %d", step.days, step.want, warned())
		}
		if n := strings.Join(p.Status()[0].Notices, " "); !strings.Contains(n, step.says) || (step.says == "") != (n == "") {
			t.Errorf("want %q, have %q", step.says, n)
		}
	}
	r.clock.Advance(2 * 24 * time.Hour)
	r.eventually(p, "expired", func(s FeedStatus) bool {
		return strings.Contains(s.Trouble, "(401)") && strings.Contains(strings.Join(s.Notices, " "), "the token expired on")
	})
}

func TestCheck(t *testing.T) {
	r := newRig(t, smallWorld(1, false), simulator.Options{})
	says := func(results []CheckResult) string {
		var b strings.Builder
		for _, x := range results {
			mark := "no  "
			if x.OK {
				mark = "yes "
			}
			b.WriteString(mark + x.What + ": " + x.Says + "\n")
		}
		if strings.Contains(b.String(), r.token) {
			t.Error("the result shows the token")
		}
		return b.String()
	}
	good := says(Check(t.Context(), r.source, r.clock.Now))
	if strings.Contains(good, "no  ") || !strings.Contains(good, "yes itemusages: 10 records of the last day read, there are more (v2)") {
		t.Errorf("have\n%s", good)
	}
	r.putToken(r.sim.Token(r.world.Account(), event.FeedAuditEvents))
	few := says(Check(t.Context(), r.source, r.clock.Now))
	if !strings.Contains(few, "no  itemusages: the token may not read this feed") || !strings.Contains(few, "yes auditevents") {
		t.Errorf("have\n%s", few)
	}
	r.putToken(r.token)
	if err := r.sim.Revoke(r.token); err != nil {
		t.Fatal(err)
	}
	gone := says(Check(t.Context(), r.source, r.clock.Now))
	if !strings.Contains(gone, "no  server: ") || !strings.Contains(gone, "make a new token") || strings.Contains(gone, "auditevents:") {
		t.Errorf("have\n%s", gone)
	}
	wrong := r.source
	wrong.URL = "http://example.com"
	if bad := says(Check(t.Context(), wrong, r.clock.Now)); !strings.HasPrefix(bad, "no  configuration: ") {
		t.Errorf("have\n%s", bad)
	}
}
