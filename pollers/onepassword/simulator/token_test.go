package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"watchword/bus/event"
)

func TestTokenClaims(t *testing.T) {
	w := smallWorld(1)
	now := w.End()
	sim := New(Config{Worlds: []*World{w}, Clock: NewManualClock(now), Host: "events.1password.eu"})
	token, err := sim.Mint(TokenRequest{Account: w.Account(), Features: []event.Feed{event.FeedAuditEvents}, Expires: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token has %d parts", len(parts))
	}
	decode := func(part string) map[string]any {
		b, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if alg := decode(parts[0])["alg"]; alg != "ES256" {
		t.Errorf("alg %v", alg)
	}
	c := decode(parts[1])
	have, _ := json.Marshal([]any{c["aud"], c["1password.com/fts"], c["1password.com/auuid"], c["iss"], c["iat"], c["exp"]})
	want, _ := json.Marshal([]any{[]string{"events.1password.eu"}, []string{"auditevents"}, w.Account(), "com.1password.b5", now.Unix(), now.Add(time.Hour).Unix()})
	if string(have) != string(want) {
		t.Errorf("claims %s, want %s", have, want)
	}
	if forever := sim.Token(w.Account()); decode(strings.Split(forever, ".")[1])["exp"] != nil {
		t.Error("a token without an end has exp")
	}
	if _, err := sim.Mint(TokenRequest{Account: "NOBODY"}); err == nil {
		t.Error("a token for an account that is not served")
	}
	if _, err := sim.Mint(TokenRequest{Account: w.Account(), Features: []event.Feed{"users"}}); err == nil {
		t.Error("a token for an unknown feature")
	}
}

func TestTokensLetIn(t *testing.T) {
	worlds := NewWorlds(WorldConfig{Seed: 1, People: 5, Days: 1, Stories: []string{}}, 2)
	clock := NewManualClock(worlds[0].End())
	sim := New(Config{Worlds: worlds, Clock: clock})
	other := New(Config{Worlds: worlds, Clock: clock, Seed: 99})
	again := New(Config{Worlds: worlds, Clock: clock})
	account := worlds[0].Account()

	short, err := sim.Mint(TokenRequest{Account: account, Expires: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	revoked, rotated := sim.Token(account), sim.Token(account)
	if err := sim.Revoke(revoked); err != nil {
		t.Fatal(err)
	}
	fresh, err := sim.Rotate(rotated)
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims{Account: account, Features: []string{"auditevents"}}).
		SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	audits := sim.Token(account, event.FeedAuditEvents)
	clock.Advance(2 * time.Minute)

	cases := []struct {
		name, token, feed string
		want              int
	}{
		{"of the account", sim.Token(account), "itemusages", 200},
		{"of the other account", sim.Token(worlds[1].Account()), "itemusages", 200},
		{"of an earlier run with the same seed", again.Token(account), "itemusages", 200},
		{"after rotation", fresh, "itemusages", 200},
		{"with the feature", audits, "auditevents", 200},
		{"without the feature", audits, "itemusages", 401},
		{"none", "", "itemusages", 401},
		{"no token at all", "sesame", "itemusages", 401},
		{"expired", short, "itemusages", 401},
		{"revoked", revoked, "itemusages", 401},
		{"before rotation", rotated, "itemusages", 401},
		{"of another signer", other.Token(account), "itemusages", 401},
		{"unsigned", unsigned, "auditevents", 401},
		{"cut short", fresh[:len(fresh)-4], "itemusages", 401},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := (&client{t, sim, c.token}).do(http.MethodPost, "/api/v2/"+c.feed, "{}")
			if r.Code != c.want {
				t.Errorf("status %d, want %d: %s", r.Code, c.want, r.Body)
			}
			// Introspection takes every good token, whatever its features.
			want := c.want
			if c.name == "without the feature" {
				want = 200
			}
			if r := (&client{t, sim, c.token}).do(http.MethodGet, "/api/v2/auth/introspect", ""); r.Code != want {
				t.Errorf("introspect: status %d, want %d", r.Code, want)
			}
		})
	}
	forbidding := New(Config{Worlds: worlds, Clock: clock, Options: Options{MissingFeature: http.StatusForbidden}})
	if r := (&client{t, forbidding, audits}).do(http.MethodPost, "/api/v1/itemusages", "{}"); r.Code != http.StatusForbidden {
		t.Errorf("missing feature: %d, want 403", r.Code)
	}
	// Each token sees its own account.
	a := (&client{t, sim, sim.Token(account)}).page("/api/v2/signinattempts", fromTheStart)
	b := (&client{t, sim, sim.Token(worlds[1].Account())}).page("/api/v2/signinattempts", fromTheStart)
	if len(a.Items) == 0 || len(b.Items) == 0 || string(a.Items[0]) == string(b.Items[0]) {
		t.Error("two accounts give the same records, or none")
	}
}

func TestIntrospection(t *testing.T) {
	w := smallWorld(1)
	c := newClient(t, Config{Worlds: []*World{w}, Clock: NewManualClock(w.End())})
	v1 := c.do(http.MethodGet, "/api/auth/introspect", "").Body.String()
	id := integration(w.Account())
	if want := `{"Features":["signinattempts","itemusages","auditevents"],"IssuedAt":"2026-01-08T00:00:00Z","UUID":"` + id + `"}`; v1 != want {
		t.Errorf("v1 %s, want %s", v1, want)
	}
	v2 := c.do(http.MethodGet, "/api/v2/auth/introspect", "").Body.String()
	if want := `{"account_uuid":"` + w.Account() + `","features":["signinattempts","itemusages","auditevents"],"issued_at":"2026-01-08T00:00:00Z","uuid":"` + id + `"}`; v2 != want {
		t.Errorf("v2 %s, want %s", v2, want)
	}
}

func TestTokensAreToldToNobody(t *testing.T) {
	w := smallWorld(1)
	var log bytes.Buffer
	c := newClient(t, Config{
		Worlds: []*World{w}, Clock: NewManualClock(w.End()),
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	answers := c.do(http.MethodPost, "/api/v2/itemusages", "{}").Body.String()
	answers += c.do(http.MethodGet, "/api/v2/auth/introspect", "").Body.String()
	if err := c.sim.Revoke(c.token); err != nil {
		t.Fatal(err)
	}
	answers += c.do(http.MethodPost, "/api/v2/itemusages", "{}").Body.String()
	answers += c.do(http.MethodGet, "/simulator/state", "").Body.String()
	if err := c.sim.Revoke(c.token); err == nil || strings.Contains(err.Error(), c.token) {
		t.Errorf("revoking twice: %v", err)
	}
	signature := c.token[strings.LastIndexByte(c.token, '.')+1:]
	if log.Len() == 0 || strings.Contains(log.String()+answers, signature) {
		t.Errorf("the token was told: %s %s", log.String(), answers)
	}
}
