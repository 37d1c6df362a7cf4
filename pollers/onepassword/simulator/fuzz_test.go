package simulator

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Whatever is sent, the answer is a page or a 400, and a page's cursor is good.
func FuzzRequest(f *testing.F) {
	w := smallWorld(1)
	c := newClient(f, Config{Worlds: []*World{w}, Clock: NewManualClock(w.End()), Options: unlimited})
	behind := newClient(f, Config{Worlds: []*World{w}, Clock: NewManualClock(w.End()), Options: Options{
		PerMinute: -1, PerHour: -1, LateBehindCursor: true, BadCursorResets: true,
	}})
	for _, seed := range []string{
		`{}`, `{"limit":1000,"start_time":"2026-01-05T00:00:00Z"}`, `{"limit":2,"end_time":"9999-12-31T23:59:59+14:00"}`,
		`{"cursor":""}`, `{"cursor":null}`, `{"cursor":"e30"}`, `[]`, `{"limit":1e3}`, "\x00", `{"start_time":"0000-01-01T00:00:00Z"}`,
		continuing(c.page("/api/v2/itemusages", fromTheStart).Cursor),
		continuing(behind.page("/api/v2/itemusages", `{"limit":5}`).Cursor),
		continuing(cursor{Feed: items, Limit: 1, Start: -1 << 63, End: 1<<63 - 1, At: -1 << 63, UUID: "AAAAAAAAAAAAAAAAAAAAAAAAAA", Began: 1<<63 - 1, Taken: -1}.encode()),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, c := range []*client{c, behind} {
			c := &client{t, c.sim, c.token}
			r := c.do(http.MethodPost, "/api/v2/itemusages", body)
			switch r.Code {
			case http.StatusOK:
				p := decodePage(t, r.Body.Bytes())
				if len(p.Items) > maxLimit {
					t.Fatalf("%d records", len(p.Items))
				}
				c.page("/api/v2/itemusages", continuing(p.Cursor))
			case http.StatusBadRequest:
				if !json.Valid(r.Body.Bytes()) {
					t.Fatalf("%s", r.Body)
				}
			default:
				t.Fatalf("%d %s", r.Code, r.Body)
			}
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor{Feed: 1, Limit: 5, At: 3, UUID: "AAAAAAAAAAAAAAAAAAAAAAAAAA"}.encode(), 1)
	f.Add("", 0)
	f.Add("e30", 2)
	f.Fuzz(func(t *testing.T, text string, feed int) {
		c, err := decodeCursor(text, feed)
		if err != nil {
			return
		}
		if again, err := decodeCursor(c.encode(), feed); err != nil || again != c {
			t.Fatalf("%+v became %+v, %v", c, again, err)
		}
	})
}
