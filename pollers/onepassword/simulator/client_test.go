package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"watchword/bus/event"
)

// client asks a simulator without a network between.
type client struct {
	t     testing.TB
	sim   *Simulator
	token string
}

func newClient(t testing.TB, cfg Config) *client {
	t.Helper()
	sim := New(cfg)
	return &client{t, sim, sim.Token(cfg.Worlds[0].Account())}
}

func (c *client) do(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	w := httptest.NewRecorder()
	c.sim.ServeHTTP(w, r)
	return w
}

// reply is a page as a client sees it.
type pageReply struct {
	Cursor  string            `json:"cursor"`
	HasMore *bool             `json:"has_more"`
	Items   []json.RawMessage `json:"items"`
}

func (p pageReply) uuids(t testing.TB, feed event.Feed) []string {
	t.Helper()
	var out []string
	for _, raw := range p.Items {
		h, err := event.ReadHead(feed, raw)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, h.UUID)
	}
	return out
}

func (c *client) page(path, body string) pageReply {
	c.t.Helper()
	w := c.do(http.MethodPost, path, body)
	if w.Code != http.StatusOK {
		c.t.Fatalf("POST %s %s: %d %s", path, body, w.Code, w.Body)
	}
	return decodePage(c.t, w.Body.Bytes())
}

func decodePage(t testing.TB, body []byte) pageReply {
	t.Helper()
	var p pageReply
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("page: %v: %.300s", err, body)
	}
	if p.Cursor == "" || p.HasMore == nil {
		t.Fatalf("page without cursor or has_more: %.300s", body)
	}
	return p
}

func continuing(cursor string) string { return `{"cursor":"` + cursor + `"}` }

// drain reads on until nothing more is said to follow.
func (c *client) drain(path, body string) (uuids []string, cursor string) {
	c.t.Helper()
	feed := event.Feed(path[strings.LastIndexByte(path, '/')+1:])
	for range 100_000 {
		p := c.page(path, body)
		uuids = append(uuids, p.uuids(c.t, feed)...)
		if !*p.HasMore {
			return uuids, p.Cursor
		}
		body = continuing(p.Cursor)
	}
	c.t.Fatal("has_more never ends")
	return nil, ""
}

// available lists the uuids of the records that can be returned at the time.
func available(w *World, feed event.Feed, now time.Time) []string {
	var out []string
	w.Records(feed, func(r Record) bool {
		if !r.Available.After(now) {
			out = append(out, r.UUID)
		}
		return true
	})
	return out
}

// unlimited switches the rate limits off.
var unlimited = Options{PerMinute: -1, PerHour: -1}

// smallWorld is a few days of twenty people without attacks.
func smallWorld(seed uint64) *World {
	return NewWorld(WorldConfig{Seed: seed, People: 20, Days: 3, Events: 3000, Stories: []string{}})
}

const fromTheStart = `{"limit":1000,"start_time":"2026-01-01T00:00:00Z"}`
