package simulator

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"watchword/bus/event"
)

func TestSameSeedSameWorld(t *testing.T) {
	bytesOf := func(seed uint64) []byte {
		var b []byte
		for _, w := range NewWorlds(WorldConfig{Seed: seed, People: 30, Days: 5, LateItemUsages: true, MSP: true}, 2) {
			for _, f := range event.Feeds {
				w.Records(f, func(r Record) bool {
					b = fmt.Appendf(b, "%s %d\n", r.JSON, r.Available.UnixNano())
					return true
				})
			}
			b = fmt.Appendf(b, "%s %+v\n", w.Account(), w.Expected())
		}
		return b
	}
	first := bytesOf(5)
	if !bytes.Equal(first, bytesOf(5)) {
		t.Error("the same seed made two worlds")
	}
	if bytes.Equal(first, bytesOf(6)) {
		t.Error("two seeds made the same world")
	}
}

func TestPagesAreAllRecordsOnce(t *testing.T) {
	w := NewWorld(WorldConfig{Seed: 3, People: 10, Days: 3, Events: 1500, LateItemUsages: true, Rounds: 1})
	for _, now := range []time.Time{w.Complete(), w.Start().Add(30 * time.Hour)} {
		c := newClient(t, Config{Worlds: []*World{w}, Clock: NewManualClock(now), Options: unlimited})
		for _, feed := range event.Feeds {
			for _, limit := range []int{1, 7, 100, 1000} {
				for _, version := range []string{"v1", "v2"} {
					got, _ := c.drain("/api/"+version+"/"+string(feed),
						fmt.Sprintf(`{"limit":%d,"start_time":"2020-01-01T00:00:00-03:00"}`, limit))
					if want := available(w, feed, now); !slices.Equal(got, want) {
						t.Errorf("%s %s by %d at %v: %d records, want %d in this order", version, feed, limit, now, len(got), len(want))
					}
				}
			}
		}
	}
}

// A client that follows the feed through time gets each record once. What
// arrives late it gets only where late records land behind cursors; else
// reading the time again finds them.
func TestLateRecords(t *testing.T) {
	w := NewWorld(WorldConfig{Seed: 9, People: 30, Days: 4, Events: 8000, LateItemUsages: true, Rounds: 1})
	follow := func(t *testing.T, options Options, feed event.Feed) (seen []string, c *client) {
		clock := NewManualClock(w.Start().Add(5 * time.Hour))
		options.PerMinute, options.PerHour = -1, -1
		c = newClient(t, Config{Worlds: []*World{w}, Clock: clock, Options: options})
		path := "/api/v2/" + string(feed)
		r := rand.New(rand.NewPCG(1, 2))
		seen, cursor := c.drain(path, `{"limit":50,"start_time":"2026-01-01T00:00:00Z"}`)
		for clock.Now().Before(w.Complete()) {
			clock.Advance(time.Duration(r.Int64N(int64(20 * time.Minute))))
			var fresh []string
			fresh, cursor = c.drain(path, continuing(cursor))
			seen = append(seen, fresh...)
		}
		clock.Advance(time.Hour)
		fresh, _ := c.drain(path, continuing(cursor))
		return append(seen, fresh...), c
	}
	for _, feed := range event.Feeds {
		all := available(w, feed, w.Complete())
		late := 0
		w.Records(feed, func(r Record) bool {
			if r.Available.Sub(r.Time) > time.Minute {
				late++
			}
			return true
		})
		t.Run("skipped/"+string(feed), func(t *testing.T) {
			seen, c := follow(t, Options{}, feed)
			if feed == event.FeedItemUsages && (late < 100 || len(seen) > len(all)-late/2) {
				t.Errorf("%d of %d seen, %d late: too few were skipped", len(seen), len(all), late)
			}
			if feed != event.FeedItemUsages && !slices.Equal(seen, all) {
				t.Errorf("%d of %d seen, though none is late", len(seen), len(all))
			}
			again, _ := c.drain("/api/v2/"+string(feed), fromTheStart)
			if !slices.Equal(again, all) {
				t.Errorf("%d of %d seen when read again", len(again), len(all))
			}
		})
		t.Run("behind/"+string(feed), func(t *testing.T) {
			seen, _ := follow(t, Options{LateBehindCursor: true}, feed)
			slices.Sort(seen)
			want := slices.Sorted(slices.Values(all))
			if !slices.Equal(seen, want) {
				t.Errorf("%d seen, want each of %d once", len(seen), len(want))
			}
		})
	}
}

func TestRequests(t *testing.T) {
	w := smallWorld(1)
	now := w.Start().Add(34 * time.Hour) // the second morning
	const path = "/api/v2/itemusages"
	ask := func(options Options, body string) (int, []string, *client) {
		options.PerMinute = -1
		c := newClient(t, Config{Worlds: []*World{w}, Clock: NewManualClock(now), Options: options})
		r := c.do(http.MethodPost, path, body)
		if r.Code != http.StatusOK {
			return r.Code, nil, c
		}
		return r.Code, decodePage(t, r.Body.Bytes()).uuids(t, event.FeedItemUsages), c
	}
	within := func(from, to time.Time, limit int) []string {
		var out []string
		w.Records(event.FeedItemUsages, func(r Record) bool {
			if len(out) < limit && !r.Available.After(now) && !r.Time.Before(from) && r.Time.Before(to) {
				out = append(out, r.UUID)
			}
			return true
		})
		return out
	}
	first := ""
	var firstAt time.Time
	w.Records(event.FeedItemUsages, func(r Record) bool { first, firstAt = r.UUID, r.Time; return false })
	exact := fmt.Sprintf(`{"limit":3,"start_time":%q}`, firstAt.Format(time.RFC3339Nano))
	noon := now.Add(-20 * time.Hour)

	good := []struct {
		name    string
		options Options
		body    string
		want    []string
	}{
		{"an empty object is the last hour by a hundred", Options{}, `{}`, within(now.Add(-time.Hour), now, 100)},
		{"a limit alone is the last hour", Options{}, `{"limit":1000}`, within(now.Add(-time.Hour), now, 1000)},
		{"an empty cursor is none", Options{}, `{"cursor":"","limit":5}`, within(now.Add(-time.Hour), now, 5)},
		{"nulls are as good as nothing", Options{}, `{"cursor":null,"start_time":null,"limit":4}`, within(now.Add(-time.Hour), now, 4)},
		{"an end alone is the hour before it", Options{}, fmt.Sprintf(`{"end_time":%q}`, noon.Format(time.RFC3339)), within(noon.Add(-time.Hour), noon, 100)},
		{"a start is inclusive", Options{}, exact, within(firstAt, now, 3)},
		{"a start can be exclusive", Options{ExclusiveStart: true}, exact, within(firstAt.Add(1), now, 3)},
		{"the end before the start is nothing", Options{}, `{"start_time":"2026-01-05T12:00:00Z","end_time":"2026-01-05T11:00:00Z"}`, nil},
		{"a year no clock can count", Options{}, `{"start_time":"0001-01-01T00:00:00Z","limit":2}`, within(firstAt, now, 2)},
		{"a bad cursor can be a reset", Options{BadCursorResets: true}, `{"cursor":"rubbish"}`, within(now.Add(-time.Hour), now, 100)},
	}
	for _, c := range good {
		t.Run(c.name, func(t *testing.T) {
			status, got, _ := ask(c.options, c.body)
			if status != http.StatusOK || !slices.Equal(got, c.want) {
				t.Errorf("%d, %d records %v, want %d", status, len(got), got, len(c.want))
			}
		})
	}
	if len(within(now.Add(-time.Hour), now, 1000)) <= 5 || first == "" {
		t.Error("the hour is too empty to tell anything")
	}
	for name, body := range map[string]string{
		"limit over 1000": `{"limit":1001}`, "limit 0": `{"limit":0}`, "limit below 0": `{"limit":-1}`, "a limit in halves": `{"limit":1.5}`,
		"no body": ``, "no JSON": `limit=5`, "two values": `{} {}`, "an array": `[]`, "a bad time": `{"start_time":"yesterday"}`,
		"rubbish for a cursor": `{"cursor":"rubbish"}`, "a cursor and a limit": `{"cursor":"e30","limit":5}`,
		"a number for a cursor": `{"cursor":5}`, "too much": `{"limit":5,"x":"` + string(bytes.Repeat([]byte("x"), maxBody)) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if status, _, _ := ask(Options{}, body); status != http.StatusBadRequest {
				t.Errorf("status %d, want 400", status)
			}
		})
	}
}

func TestCursors(t *testing.T) {
	w := smallWorld(1)
	clock := NewManualClock(w.Complete().Add(time.Hour))
	c := newClient(t, Config{Worlds: []*World{w}, Clock: clock, Options: unlimited})
	const path = "/api/v2/signinattempts"

	p := c.page(path, `{"limit":7,"start_time":"2026-01-01T00:00:00Z"}`)
	if len(p.Items) != 7 || !*p.HasMore {
		t.Fatalf("%d records, has_more %v", len(p.Items), *p.HasMore)
	}
	if second := c.page(path, continuing(p.Cursor)); len(second.Items) != 7 {
		t.Errorf("a chain begun by sevens goes on by %d", len(second.Items))
	}
	a, b := c.page(path, continuing(p.Cursor)), c.page(path, continuing(p.Cursor))
	if a.Cursor != b.Cursor || !slices.Equal(a.uuids(t, event.FeedSigninAttempts), b.uuids(t, event.FeedSigninAttempts)) {
		t.Error("an old cursor, used twice, answers twice differently")
	}
	_, idle := c.drain(path, continuing(p.Cursor))
	if again := c.page(path, continuing(idle)); again.Cursor != idle || len(again.Items) != 0 || *again.HasMore {
		t.Error("an idle client gets another cursor, records or has_more")
	}
	if r := c.do(http.MethodPost, "/api/v2/itemusages", continuing(p.Cursor)); r.Code != http.StatusBadRequest {
		t.Errorf("the cursor of another feed: %d, want 400", r.Code)
	}
	// An empty window has a cursor, too, and a full last page may be followed by an empty one.
	if empty := c.page(path, `{"start_time":"2026-03-01T00:00:00Z"}`); len(empty.Items) != 0 || *empty.HasMore {
		t.Error("the future is not empty")
	}
	n := w.Count(event.FeedSigninAttempts)
	if n > maxLimit {
		t.Fatalf("%d sign-ins are too many for one page", n)
	}
	full := c.page(path, fmt.Sprintf(`{"limit":%d,"start_time":"2026-01-01T00:00:00Z"}`, n))
	if !*full.HasMore || len(c.page(path, continuing(full.Cursor)).Items) != 0 {
		t.Error("a full page does not say has_more, or something follows")
	}
	// A chain with an end never goes past it.
	end := c.page(path, `{"start_time":"2026-01-05T00:00:00Z","end_time":"2026-01-05T00:00:01Z"}`)
	if more := c.page(path, continuing(end.Cursor)); len(more.Items) != 0 {
		t.Error("a chain went past its end")
	}
	// Cursors outlive tokens.
	fresh, err := c.sim.Rotate(c.token)
	if err != nil {
		t.Fatal(err)
	}
	c.token = fresh
	if third := c.page(path, continuing(p.Cursor)); third.Cursor != a.Cursor {
		t.Error("a cursor changed with the token")
	}
}

func TestHorizon(t *testing.T) {
	w := smallWorld(1)
	clock := NewManualClock(w.Start().Add(121 * day))
	c := newClient(t, Config{Worlds: []*World{w}, Clock: clock, Options: unlimited})
	got, _ := c.drain("/api/v2/itemusages", fromTheStart)
	all := available(w, event.FeedItemUsages, clock.Now())
	if len(got) == 0 || len(got) >= len(all) || !slices.Equal(got, all[len(all)-len(got):]) {
		t.Errorf("%d of %d records within 120 days", len(got), len(all))
	}
	clock.Advance(10 * day)
	if got, _ := c.drain("/api/v2/itemusages", fromTheStart); len(got) != 0 {
		t.Errorf("%d records are older than 120 days", len(got))
	}
}
