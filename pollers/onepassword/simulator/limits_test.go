package simulator

import (
	"net/http"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	w := smallWorld(1)
	const path = "/api/v2/auditevents"
	ask := func(c *client, token string) int {
		return (&client{t, c.sim, token}).do(http.MethodPost, path, "{}").Code
	}
	t.Run("600 a minute", func(t *testing.T) {
		clock := NewManualClock(w.End().Add(20 * time.Second))
		c := newClient(t, Config{Worlds: []*World{w}, Clock: clock})
		for i := range 600 {
			if code := ask(c, c.token); code != http.StatusOK {
				t.Fatalf("request %d: %d", i+1, code)
			}
		}
		r := c.do(http.MethodPost, path, "{}")
		if r.Code != http.StatusTooManyRequests || r.Header().Get("Retry-After") != "" || r.Header().Get("RateLimit-Limit") != "" {
			t.Errorf("request 601: %d %v", r.Code, r.Header())
		}
		if code := ask(c, c.sim.Token(w.Account())); code != http.StatusTooManyRequests {
			t.Errorf("another token of the account: %d", code)
		}
		if r := c.do(http.MethodGet, "/api/v2/auth/introspect", ""); r.Code != http.StatusTooManyRequests {
			t.Errorf("introspection: %d", r.Code)
		}
		clock.Advance(39 * time.Second)
		if code := ask(c, c.token); code != http.StatusTooManyRequests {
			t.Errorf("in the same minute: %d", code)
		}
		clock.Advance(time.Second)
		if code := ask(c, c.token); code != http.StatusOK {
			t.Errorf("in the next minute: %d", code)
		}
	})
	t.Run("an hour", func(t *testing.T) {
		clock := NewManualClock(w.End().Add(10 * time.Minute))
		c := newClient(t, Config{Worlds: []*World{w}, Clock: clock, Options: Options{PerMinute: -1, PerHour: 5, RetryAfter: true}})
		for range 5 {
			ask(c, c.token)
		}
		clock.Advance(time.Minute)
		r := c.do(http.MethodPost, path, "{}")
		if r.Code != http.StatusTooManyRequests || r.Header().Get("Retry-After") != "2940" {
			t.Errorf("%d, Retry-After %q, want 2940 s to the full hour", r.Code, r.Header().Get("Retry-After"))
		}
		clock.Advance(49 * time.Minute)
		if code := ask(c, c.token); code != http.StatusOK {
			t.Errorf("in the next hour: %d", code)
		}
	})
	t.Run("headers, by token", func(t *testing.T) {
		clock := NewManualClock(w.End().Add(20 * time.Second))
		c := newClient(t, Config{
			Worlds: []*World{w}, Clock: clock,
			Options: Options{PerMinute: 2, RateLimitHeaders: true, LimitPerToken: true},
		})
		for _, want := range []string{"1", "0", "0"} {
			h := c.do(http.MethodPost, path, "{}").Header()
			if h.Get("RateLimit-Limit") != "2" || h.Get("RateLimit-Remaining") != want || h.Get("RateLimit-Reset") != "40" {
				t.Errorf("headers %v, want %s left", h, want)
			}
		}
		if ask(c, c.token) != http.StatusTooManyRequests || ask(c, c.sim.Token(w.Account())) != http.StatusOK {
			t.Error("tokens share a limit that is each one's own")
		}
	})
}
