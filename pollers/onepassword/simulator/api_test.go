package simulator

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"watchword/bus/event"
)

func TestPathsThatAreNone(t *testing.T) {
	w := smallWorld(1)
	c := newClient(t, Config{Worlds: []*World{w}, Clock: NewManualClock(w.End())})
	for _, p := range []string{"POST /", "POST /api/v2/users", "POST /api/v3/auditevents", "GET /api/v1/auth/introspect"} {
		method, path, _ := strings.Cut(p, " ")
		if r := c.do(method, path, "{}"); r.Code != http.StatusNotFound || r.Body.String() != "404 page not found\n" {
			if path != "/api/v1/auth/introspect" || r.Code != http.StatusNotFound {
				t.Errorf("%s: %d %q", p, r.Code, r.Body)
			}
		}
	}
	if r := c.do("GET", "/api/v2/itemusages", ""); r.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET of a feed: %d", r.Code)
	}
	old := newClient(t, Config{Worlds: []*World{w}, Clock: NewManualClock(w.End()), Options: Options{NoV2: true, NoControl: true}})
	for _, p := range []string{"POST /api/v2/itemusages", "GET /api/v2/auth/introspect", "GET /simulator/state"} {
		method, path, _ := strings.Cut(p, " ")
		if r := old.do(method, path, "{}"); r.Code != http.StatusNotFound {
			t.Errorf("%s where it is not offered: %d", p, r.Code)
		}
	}
	if r := old.do("POST", "/api/v1/itemusages", "{}"); r.Code != http.StatusOK {
		t.Errorf("v1 where v2 is not offered: %d", r.Code)
	}
}

// What the reference says about the fields, over many records.
func TestShapes(t *testing.T) {
	keys := func(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
	type seen map[string]int
	read := func(w *World, version apiVersion) map[event.Feed]seen {
		out := map[event.Feed]seen{}
		for n, f := range event.Feeds {
			out[f] = seen{}
			for i := range w.feeds[n] {
				raw := w.appendRecord(nil, n, &w.feeds[n][i], version)
				var m map[string]any
				if err := json.Unmarshal(raw, &m); err != nil {
					t.Fatalf("%v: %s", err, raw)
				}
				out[f]["records"]++
				for _, k := range keys(m) {
					out[f][k]++
					if inner, ok := m[k].(map[string]any); ok {
						for _, k2 := range keys(inner) {
							out[f][k+"."+k2]++
						}
					}
					if m[k] == nil {
						out[f][k+"=null"]++
					}
				}
				stamp := m["timestamp"].(string)
				if !strings.HasSuffix(stamp, "Z") || strings.HasSuffix(strings.TrimSuffix(stamp, "Z"), "0") && strings.Contains(stamp, ".") {
					t.Errorf("timestamp %s", stamp)
				}
				out[f]["length of timestamp "+string(rune('0'+len(stamp)/10))]++
				for _, country := range []any{m["country"], field(m, "location", "country")} {
					if c, ok := country.(string); ok {
						if code := event.Country(c); len(code) != 2 {
							t.Errorf("country %q", c)
						} else if len(c) > 2 {
							out[f]["country by name"]++
						}
					}
				}
			}
		}
		return out
	}
	always := func(t *testing.T, s seen, names ...string) {
		t.Helper()
		for _, n := range names {
			if s[n] != s["records"] {
				t.Errorf("%s in %d of %d records, want all", n, s[n], s["records"])
			}
		}
	}
	never := func(t *testing.T, s seen, names ...string) {
		t.Helper()
		for _, n := range names {
			if s[n] != 0 {
				t.Errorf("%s in %d of %d records, want none", n, s[n], s["records"])
			}
		}
	}
	sometimes := func(t *testing.T, s seen, names ...string) {
		t.Helper()
		for _, n := range names {
			if s[n] == 0 || s[n] == s["records"] {
				t.Errorf("%s in %d of %d records, want some", n, s[n], s["records"])
			}
		}
	}
	ordinary, msp := NewWorld(WorldConfig{Seed: 1, People: 40, Days: 8, Events: 4000}), NewWorld(WorldConfig{Seed: 1, People: 40, Days: 8, Events: 4000, MSP: true})

	old, plain, rich := read(msp, v1), read(ordinary, v2), read(msp, v2)
	for _, s := range []map[event.Feed]seen{old, plain, rich} {
		signin, item, audit := s[event.FeedSigninAttempts], s[event.FeedItemUsages], s[event.FeedAuditEvents]
		always(t, signin, "uuid", "timestamp", "category", "type", "country", "session_uuid", "target_user.uuid", "target_user.email")
		sometimes(t, signin, "details", "details=null", "details.value", "location", "location.latitude", "client", "client.ip_address", "country by name")
		always(t, item, "uuid", "timestamp", "action", "vault_uuid", "item_uuid", "user.uuid")
		sometimes(t, item, "used_version", "location", "client")
		never(t, item, "target_user", "details")
		always(t, audit, "uuid", "timestamp", "actor_uuid", "action", "object_type", "object_uuid")
		sometimes(t, audit, "actor_details", "object_details", "aux_id", "aux_uuid", "aux_details", "aux_info", "session", "session.ip", "location")
		never(t, audit, "client", "user", "session.ip_address")
	}
	never(t, old[event.FeedAuditEvents], "actor_type", "account_uuid", "actor_account_uuid")
	always(t, plain[event.FeedAuditEvents], "actor_type", "account_uuid", "actor_account_uuid")
	for _, f := range []event.Feed{event.FeedSigninAttempts, event.FeedItemUsages} {
		user := map[event.Feed]string{event.FeedSigninAttempts: "target_user", event.FeedItemUsages: "user"}[f]
		never(t, old[f], "account_uuid", user+".user_type", user+".user_account_uuid")
		never(t, plain[f], "account_uuid", user+".user_type", user+".user_account_uuid")
		always(t, rich[f], "account_uuid", user+".user_type", user+".user_account_uuid")
	}
}

func field(m map[string]any, object, name string) any {
	inner, _ := m[object].(map[string]any)
	return inner[name]
}

func TestUUIDs(t *testing.T) {
	seen := map[string]bool{}
	for i := range uint64(100_000) {
		u := upperUUID(i)
		if len(u) != 26 || strings.Trim(u, upperAlphabet) != "" || seen[u] {
			t.Fatalf("uuid %q of %d", u, i)
		}
		seen[u] = true
	}
	if low := lowerUUID(7); low != strings.ToLower(upperUUID(7)) {
		t.Errorf("%s", low)
	}
}

func TestControl(t *testing.T) {
	worlds := NewWorlds(WorldConfig{Seed: 1, People: 10, Days: 2, Rounds: 1}, 2)
	clock := NewManualClock(worlds[0].End())
	c := newClient(t, Config{Worlds: worlds, Clock: clock, Options: unlimited})
	get := func(method, path, body string, into any) int {
		t.Helper()
		r := c.do(method, path, body)
		if err := json.Unmarshal(r.Body.Bytes(), into); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, r.Body)
		}
		return r.Code
	}
	var expected []Expected
	get("GET", "/simulator/expected", "", &expected)
	if len(expected) == 0 || len(expected) != len(c.sim.Expected()) {
		t.Errorf("%d alerts expected, want %d", len(expected), len(c.sim.Expected()))
	}
	var story map[string]string
	if code := get("POST", "/simulator/inject?story=two-accounts&account="+worlds[1].Account(), "", &story); code != 200 || !strings.HasPrefix(story["story"], "two-accounts/") {
		t.Errorf("%d %v", code, story)
	}
	n := len(expected)
	if get("GET", "/simulator/expected", "", &expected); len(expected) != n+1 || len(expected[n].Accounts) != 2 {
		t.Errorf("after a story %d alerts are expected, want %d", len(expected), n+1)
	}
	var refused map[string]any
	if code := get("POST", "/simulator/inject?story=peace", "", &refused); code != 400 || !strings.Contains(refused["message"].(string), "peace") {
		t.Errorf("%d %v", code, refused)
	}
	if code := get("POST", "/simulator/faults", `{"kind":"forbidden","feed":"itemusages","times":1}`, &refused); code != 200 {
		t.Errorf("%d %v", code, refused)
	}
	if code := get("POST", "/simulator/faults", `{"sort":"forbidden"}`, &refused); code != 400 {
		t.Errorf("%d %v", code, refused)
	}
	if r := c.do("POST", "/api/v2/itemusages", "{}"); r.Code != 403 {
		t.Errorf("the fault did not hit: %d", r.Code)
	}
	var minted map[string]string
	get("POST", "/simulator/tokens?features=auditevents&expires=1h&account="+worlds[1].Account(), "", &minted)
	other := &client{t, c.sim, minted["token"]}
	if a, b := other.do("POST", "/api/v2/auditevents", "{}").Code, other.do("POST", "/api/v2/itemusages", "{}").Code; a != 200 || b != 401 {
		t.Errorf("the new token: %d %d", a, b)
	}
	if r := other.do("DELETE", "/simulator/tokens", ""); r.Code != 200 || other.do("POST", "/api/v2/auditevents", "{}").Code != 401 {
		t.Error("the new token was not revoked")
	}
	var kinds map[string]string
	get("GET", "/simulator/stories", "", &kinds)
	for _, k := range StoryKinds() {
		if kinds[k] == "" {
			t.Errorf("nothing is said about %s", k)
		}
	}
	var state State
	get("GET", "/simulator/state", "", &state)
	if !state.Time.Equal(clock.Now()) || len(state.Accounts) != 2 || state.Faults[FaultForbidden] != 1 ||
		state.Requests["/api/v2/itemusages"][403] != 1 || state.Accounts[0].Records["itemusages"] != worlds[0].Count(event.FeedItemUsages) {
		t.Errorf("%+v", state)
	}
}

func TestServe(t *testing.T) {
	w := smallWorld(1)
	sim := New(Config{Worlds: []*World{w}, Live: &Live{First: time.Millisecond, Every: time.Hour}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sim.Serve(ctx, listener) }()

	for deadline := time.Now().Add(10 * time.Second); len(sim.Expected()) == 0; { // nobody asks, still a story begins
		if time.Now().After(deadline) {
			t.Fatal("no story began")
		}
		time.Sleep(10 * time.Millisecond)
	}
	r, err := http.Get("http://" + listener.Addr().String() + "/simulator/state")
	if err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("%v %v", r, err)
	} else {
		r.Body.Close()
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("does not end")
	}
	if err := sim.Serve(t.Context(), listener); err == nil {
		t.Error("served a closed listener")
	}
}
