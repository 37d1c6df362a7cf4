package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"watchword/bus/event"
)

// over serves the simulator on a real connection and asks it once.
func over(t *testing.T, c *client, body string) (*http.Response, []byte, error) {
	t.Helper()
	server := httptest.NewServer(c.sim)
	t.Cleanup(server.Close)
	r, err := http.NewRequest(http.MethodPost, server.URL+"/api/v2/itemusages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, b, err
}

func TestFaults(t *testing.T) {
	w := smallWorld(1)
	const feed = event.FeedItemUsages
	const path = "/api/v2/itemusages"
	all := available(w, feed, w.Complete())
	fresh := func(t *testing.T) *client {
		return newClient(t, Config{Worlds: []*World{w}, Clock: NewManualClock(w.Complete()), Options: unlimited})
	}
	fail := func(t *testing.T, c *client, f Fault) {
		t.Helper()
		if err := c.sim.Fail(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []struct {
		kind   FaultKind
		status int
		body   string
	}{
		{FaultUnauthorized, 401, `{"message":"unauthorized","status":401}`},
		{FaultForbidden, 403, `{"message":"forbidden","status":403}`},
		{FaultThrottled, 429, `{"message":"rate limit exceeded","status":429}`},
		{FaultThrottledDry, 429, `{"message":"rate limit exceeded","status":429}`},
		{FaultServerError, 500, `{"message":"internal server error","status":500}`},
		{FaultBadGateway, 502, "upstream connect error or disconnect/reset before headers"},
		{FaultUnavailable, 503, "<html><body><h1>503 Service Unavailable</h1></body></html>"},
		{FaultTimeout, 504, ""},
		{FaultNotFound, 404, "404 page not found\n"},
		{FaultCursorRefused, 400, `{"message":"invalid cursor","status":400}`},
	} {
		t.Run(string(s.kind), func(t *testing.T) {
			c := fresh(t)
			cursor := c.page(path, fromTheStart).Cursor
			fail(t, c, Fault{Kind: s.kind, RetryAfter: 90 * time.Second})
			r := c.do(http.MethodPost, path, continuing(cursor))
			if r.Code != s.status || r.Body.String() != s.body {
				t.Errorf("%d %q, want %d %q", r.Code, r.Body, s.status, s.body)
			}
			want := ""
			if s.kind == FaultThrottled {
				want = "90"
			}
			if have := r.Header().Get("Retry-After"); have != want {
				t.Errorf("Retry-After %q, want %q", have, want)
			}
			if r := c.do(http.MethodPost, path, continuing(cursor)); r.Code != http.StatusOK {
				t.Errorf("afterwards: %d", r.Code)
			}
			if n := c.sim.State().Faults[s.kind]; n != 1 {
				t.Errorf("counted %d times", n)
			}
		})
	}
	t.Run("v1 errors", func(t *testing.T) {
		c := fresh(t)
		fail(t, c, Fault{Kind: FaultServerError})
		if r := c.do(http.MethodPost, "/api/v1/itemusages", "{}"); r.Body.String() != `{"Error":{"Message":"internal server error"}}` {
			t.Errorf("%s", r.Body)
		}
	})
	t.Run("slow", func(t *testing.T) {
		c := fresh(t)
		fail(t, c, Fault{Kind: FaultSlow, Delay: 50 * time.Millisecond})
		began := time.Now()
		if resp, b, err := over(t, c, fromTheStart); err != nil || resp.StatusCode != 200 || time.Since(began) < 50*time.Millisecond {
			t.Errorf("%v %d bytes %v after %v", resp, len(b), err, time.Since(began))
		}
	})
	t.Run("cut", func(t *testing.T) {
		c := fresh(t)
		fail(t, c, Fault{Kind: FaultCut})
		resp, b, err := over(t, c, fromTheStart)
		if !errors.Is(err, io.ErrUnexpectedEOF) || resp.StatusCode != 200 || len(b) == 0 || json.Valid(b) {
			t.Errorf("%v, %d bytes, %v", resp, len(b), err)
		}
	})
	t.Run("reset", func(t *testing.T) {
		c := fresh(t)
		fail(t, c, Fault{Kind: FaultReset})
		if _, _, err := over(t, c, fromTheStart); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("error %v, want a reset connection", err)
		}
	})
	t.Run("broken json", func(t *testing.T) {
		c := fresh(t)
		fail(t, c, Fault{Kind: FaultBrokenJSON})
		if r := c.do(http.MethodPost, path, fromTheStart); r.Code != 200 || r.Body.Len() == 0 || json.Valid(r.Body.Bytes()) {
			t.Errorf("%d %.100s", r.Code, r.Body)
		}
	})
	t.Run("clock skew", func(t *testing.T) {
		c := fresh(t)
		date := func() time.Time {
			d, err := http.ParseTime(c.do(http.MethodPost, path, "{}").Header().Get("Date"))
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		right := date()
		if !right.Equal(w.Complete().Truncate(time.Second)) {
			t.Errorf("Date %v is not the simulated time", right)
		}
		fail(t, c, Fault{Kind: FaultClockSkew, Skew: -7 * time.Minute})
		if off := date().Sub(right); off != -7*time.Minute {
			t.Errorf("off by %v", off)
		}
	})
	t.Run("empty page", func(t *testing.T) {
		c := fresh(t)
		first := c.page(path, fromTheStart)
		fail(t, c, Fault{Kind: FaultEmptyPage})
		empty := c.page(path, continuing(first.Cursor))
		if len(empty.Items) != 0 || !*empty.HasMore || empty.Cursor != first.Cursor {
			t.Errorf("%d records, more %v", len(empty.Items), *empty.HasMore)
		}
	})
	t.Run("false more, null items", func(t *testing.T) {
		c := fresh(t)
		_, cursor := c.drain(path, fromTheStart)
		fail(t, c, Fault{Kind: FaultFalseMore})
		fail(t, c, Fault{Kind: FaultNullItems})
		if p := c.page(path, continuing(cursor)); len(p.Items) != 0 || !*p.HasMore || p.Cursor != cursor {
			t.Errorf("%d records, more %v", len(p.Items), *p.HasMore)
		}
		if r := c.do(http.MethodPost, path, continuing(cursor)); !strings.HasSuffix(r.Body.String(), `"items":null}`) {
			t.Errorf("%s", r.Body)
		}
	})
	t.Run("duplicate", func(t *testing.T) {
		c := fresh(t)
		first := c.page(path, `{"limit":10,"start_time":"2026-01-01T00:00:00Z"}`)
		fail(t, c, Fault{Kind: FaultDuplicate})
		second := c.page(path, continuing(first.Cursor))
		rest, _ := c.drain(path, continuing(second.Cursor))
		have := slices.Concat(first.uuids(t, feed), second.uuids(t, feed), rest)
		if want := slices.Insert(slices.Clone(all), 10, all[9]); !slices.Equal(have, want) || len(second.Items) != 10 {
			t.Errorf("%d records, the second page has %d", len(have), len(second.Items))
		}
	})
	for _, kind := range []FaultKind{FaultBrokenRecord, FaultNoUUID, FaultOversized} {
		t.Run(string(kind), func(t *testing.T) {
			c := fresh(t)
			fail(t, c, Fault{Kind: kind, Size: 300_000})
			p := c.page(path, `{"limit":10,"start_time":"2026-01-01T00:00:00Z"}`)
			var good []string
			bad := 0
			for _, raw := range p.Items {
				if h, err := event.ReadHead(feed, raw); err != nil || len(raw) > 300_000 {
					bad++
				} else {
					good = append(good, h.UUID)
				}
			}
			rest, _ := c.drain(path, continuing(p.Cursor))
			if bad != 1 || len(p.Items) != 10 || !slices.Equal(append(good, rest...), all) {
				t.Errorf("%d bad of %d, %d good, want all %d", bad, len(p.Items), len(good)+len(rest), len(all))
			}
		})
	}
	t.Run("bad records even one by one", func(t *testing.T) {
		c := fresh(t)
		fail(t, c, Fault{Kind: FaultNoUUID})
		p := c.page(path, `{"limit":1,"start_time":"2026-01-07T12:00:00Z"}`)
		if len(p.Items) != 1 || !*p.HasMore {
			t.Errorf("%d records, more %v", len(p.Items), *p.HasMore)
		}
		if next := c.page(path, continuing(p.Cursor)); len(next.uuids(t, feed)) != 1 {
			t.Error("the true record is lost")
		}
	})
}

func TestFaultsHitWhomTheyShould(t *testing.T) {
	worlds := NewWorlds(WorldConfig{Seed: 1, People: 5, Days: 1, Stories: []string{}}, 2)
	sim := New(Config{Worlds: worlds, Clock: NewManualClock(worlds[0].End())})
	a := &client{t, sim, sim.Token(worlds[0].Account())}
	b := &client{t, sim, sim.Token(worlds[1].Account())}
	if err := sim.Fail(Fault{Kind: FaultForbidden, Feed: event.FeedAuditEvents, Account: worlds[1].Account(), After: 1, Times: 2}); err != nil {
		t.Fatal(err)
	}
	var have []int
	for range 4 {
		have = append(have, a.do("POST", "/api/v2/auditevents", "{}").Code, b.do("POST", "/api/v1/itemusages", "{}").Code,
			b.do("GET", "/api/auth/introspect", "").Code, b.do("POST", "/api/v2/auditevents", "{}").Code)
	}
	want := []int{200, 200, 200, 200, 200, 200, 200, 403, 200, 200, 200, 403, 200, 200, 200, 200}
	if !slices.Equal(have, want) {
		t.Errorf("%v, want %v", have, want)
	}
	if err := sim.Fail(Fault{Kind: FaultServerError, Times: -1}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if code := a.do("GET", "/api/v2/auth/introspect", "").Code; code != 500 {
			t.Errorf("%d, want 500 from now on", code)
		}
	}
	sim.ClearFaults()
	if code := a.do("GET", "/api/v2/auth/introspect", "").Code; code != 200 {
		t.Errorf("%d after the faults were cleared", code)
	}
	for _, f := range []Fault{{}, {Kind: "gremlins"}, {Kind: FaultSlow, Delay: -1}, {Kind: FaultSlow, Feed: "users"}} {
		if err := sim.Fail(f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}

// A client that tries again and drops what it knows gets every record, whatever
// goes wrong by chance, and the same things go wrong with the same seed.
func TestFaultsByChance(t *testing.T) {
	w := NewWorld(WorldConfig{Seed: 4, People: 20, Days: 5, Events: 4000, Stories: []string{}})
	all := available(w, event.FeedItemUsages, w.Complete())
	rates := map[FaultKind]float64{}
	for _, k := range FaultKinds() {
		if k != FaultCut && k != FaultReset { // a recorder has no connection
			rates[k] = 0.03
		}
	}
	run := func(seed uint64) (map[FaultKind]int, []string) {
		c := newClient(t, Config{
			Worlds: []*World{w}, Clock: NewManualClock(w.Complete()), Options: unlimited,
			Faults: Faults{Seed: seed, Rates: rates, Each: Fault{Delay: 1, Size: 100}},
		})
		seen := map[string]bool{}
		var got []string
		body := `{"limit":20,"start_time":"2026-01-01T00:00:00Z"}`
		for range 5000 {
			r := c.do(http.MethodPost, "/api/v2/itemusages", body)
			var p struct {
				Cursor string            `json:"cursor"`
				More   bool              `json:"has_more"`
				Items  []json.RawMessage `json:"items"`
			}
			if r.Code != http.StatusOK || json.Unmarshal(r.Body.Bytes(), &p) != nil {
				continue
			}
			for _, raw := range p.Items {
				h, err := event.ReadHead(event.FeedItemUsages, raw)
				if err == nil && !seen[h.UUID] && !bytes.Contains(raw, []byte("padding")) {
					seen[h.UUID] = true
					got = append(got, h.UUID)
				}
			}
			if !p.More {
				return c.sim.State().Faults, got
			}
			body = continuing(p.Cursor)
		}
		t.Fatal("never drained")
		return nil, nil
	}
	hit, got := run(1)
	if !slices.Equal(got, all) {
		t.Errorf("%d records, want %d", len(got), len(all))
	}
	if len(hit) < 10 {
		t.Errorf("only %v went wrong", hit)
	}
	if again, _ := run(1); !reflect.DeepEqual(hit, again) {
		t.Errorf("the same seed: %v, then %v", hit, again)
	}
}
