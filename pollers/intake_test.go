package pollers

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
	"watchword/bus/event"
	"watchword/pollers/onepassword"
)

var someday = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func signin(uuid string, at time.Time, more string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{ "uuid":%q, "timestamp":%q,"category":"success","type":"credentials_ok"%s}`, uuid, at.Format(time.RFC3339Nano), more))
}

func someSorter() sorter {
	return sorter{source: "acme", feed: event.FeedSigninAttempts, account: "ACC", first: someday, now: someday, latest: someday, known: newKnown(time.Time{})}
}

func TestSort(t *testing.T) {
	s := someSorter()
	large := `,"country":"` + strings.Repeat("x", maxRecord) + `"`
	endless := `,"target_user":{"uuid":"` + strings.Repeat("u", 2000) + `"}`
	items := []json.RawMessage{
		signin("OLD", someday.Add(-25*time.Hour), ""),
		signin("A", someday.Add(-2*time.Hour), ""),
		signin("A", someday.Add(-2*time.Hour), `,"location":null,"unheard_of":7`), // nothing a rule can see
		signin("A", someday.Add(-2*time.Hour), `,"country":"FR"`),                 // other content
		signin("A", someday.Add(-2*time.Hour), `,"country":"FR"`),                 // again: once is enough
		json.RawMessage(`null`), json.RawMessage(`{"uuid":"B"}`), json.RawMessage(`{"uuid":7,"timestamp":"x"}`),
		signin("C", someday.Add(-2*time.Hour), large),
		signin("D", someday.Add(-2*time.Hour), `,"account_uuid":"`+strings.Repeat("a", 450<<10)+`"`), // in the envelope and in the raw object
		signin("E", someday.Add(-2*time.Hour), endless),
		signin("SOON", someday.Add(4*time.Minute), ""),
		signin("FUTURE", someday.Add(6*time.Minute), ""),
		signin("ANCIENT", someday.Add(-122*24*time.Hour), ""),
	}
	out := s.sort(items)
	var events []event.Event
	var aside []string
	for _, e := range out.entries {
		switch {
		case e.part:
		case e.aside:
			q, err := event.DecodeQuarantined(e.msgs[len(e.msgs)-1].Data)
			if err != nil {
				t.Fatal(err)
			}
			aside = append(aside, q.ID+": "+q.Reason)
		default:
			ev, err := event.Decode(e.msgs[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, ev)
		}
	}
	have := ""
	for _, e := range events {
		have += fmt.Sprintf("%s %v %v; ", strings.TrimPrefix(e.ID, "acme/signinattempts/"), e.Historical, e.TimeSuspect)
	}
	if want := "OLD true false; A false false; E false false; SOON false false; FUTURE false true; ANCIENT true true; "; have != want {
		t.Errorf("want %s\nhave %s", want, have)
	}
	want := []string{"known id with other content", "no uuid", "no timestamp", "uuid", "larger than 512 KiB", "larger than 900 KiB as a message"}
	if len(aside) != len(want) {
		t.Errorf("set aside: %.300q", aside)
	}
	for i, w := range want {
		if i >= len(aside) || !strings.Contains(aside[i], w) {
			t.Fatalf("want %q set aside in place %d, have %q", w, i, aside)
		}
	}
	if out.known != 2 {
		t.Errorf("want 2 known, have %d", out.known)
	}
	if out.ordered {
		t.Error("the page is out of order")
	}
	// Once it is stored, all of it is known.
	s.known.take(out.entries)
	if again := s.sort(items); len(again.entries) > 0 || int(again.known) != len(items) {
		t.Errorf("%d entries of known records, %d known", len(again.entries), again.known)
	}
}

func TestOrderIsByTheMillisecond(t *testing.T) {
	s := someSorter()
	at := someday.Add(-time.Hour)
	if out := s.sort([]json.RawMessage{signin("A", at.Add(900*time.Microsecond), ""), signin("B", at.Add(100*time.Microsecond), "")}); !out.ordered {
		t.Error("within a millisecond there is no order")
	}
	if out := s.sort([]json.RawMessage{signin("A", at.Add(time.Millisecond), ""), signin("B", at, "")}); out.ordered {
		t.Error("the second is earlier")
	}
}

// TestKnownIsRebuilt stores records of every sort and reads them back.
func TestKnownIsRebuilt(t *testing.T) {
	b := bustest.New(t)
	f := newFeed(Source{Name: "acme"}, event.FeedSigninAttempts, nil, Config{Bus: b}.withDefaults(), 0)
	f.known = newKnown(someday.Add(-sweepHorizon))
	f.config.Now = func() time.Time { return someday }
	f.waits = f.config.backoff()
	s := someSorter()
	huge := json.RawMessage(`"` + strings.Repeat("x", 20*partBytes) + `"`)
	items := []json.RawMessage{
		signin("A", someday.Add(-time.Hour), ""), signin("B", someday.Add(-time.Hour), `, "country":"<&>"`),
		signin("A", someday.Add(-time.Hour), `,"country":"FR"`), json.RawMessage(`{"uuid":"C"}`), huge,
		signin(strings.Repeat("D", 450<<10), someday.Add(-time.Hour), ""), // its id alone would fill the message
	}
	next := event.Progress{Source: "acme", Feed: event.FeedSigninAttempts, First: someday, Watermark: someday}
	if err := f.store(t.Context(), s.sort(items).entries, next, false); err != nil {
		t.Fatal(err)
	}
	if c := f.marker.Counts; c.Events != 2 || c.Quarantined != 4 {
		t.Errorf("counts: %+v", c)
	}
	k := newKnown(someday.Add(-sweepHorizon))
	info, err := b.Info(t.Context(), bus.Events)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.read(t.Context(), b, "acme", event.FeedSigninAttempts, sweepHorizon, info.LastSeq); err != nil {
		t.Fatal(err)
	}
	if len(k.events) != 2 || len(k.aside) != 4 || !k.earliest.Equal(someday) {
		t.Errorf("known: %d events, %d set aside, earliest %s", len(k.events), len(k.aside), k.earliest)
	}
	s.known = k
	if out := s.sort(items); len(out.entries) > 0 {
		t.Errorf("%d entries are not known again", len(out.entries))
	}
	var whole []byte
	for _, q := range read(t, b).aside {
		if q.Parts == 20+1 {
			whole = append(whole, q.Bytes...)
		}
	}
	if string(whole) != string(huge) {
		t.Errorf("the parts of the large record have %d bytes together, want %d", len(whole), len(huge))
	}
	k.forget(someday.Add(48 * time.Hour))
	if len(k.events)+len(k.aside) > 0 {
		t.Error("what is past the horizon is kept")
	}
}

func TestLargePagesGoInSeveralBatches(t *testing.T) {
	b := bustest.New(t)
	f := newFeed(Source{Name: "acme"}, event.FeedSigninAttempts, nil, Config{Bus: b}.withDefaults(), 0)
	f.known = newKnown(time.Time{})
	f.config.Now = func() time.Time { return someday }
	var items []json.RawMessage
	body := `,"country":"` + strings.Repeat("x", 400<<10) + `"`
	for i := range 100 { // 40 MB
		items = append(items, signin(fmt.Sprint("U", i), someday.Add(-time.Hour), body))
	}
	entries := someSorter().sort(items).entries
	if n := len(split(entries)); n < 3 {
		t.Fatalf("want several batches, have %d", n)
	}
	if err := f.store(t.Context(), entries, event.Progress{Source: "acme", Feed: f.name, Cursor: "next", First: someday}, false); err != nil {
		t.Fatal(err)
	}
	if f.marker.Cursor != "next" || f.marker.Counts.Events != 100 || len(f.known.events) != 100 {
		t.Errorf("marker: %+v", f.marker)
	}
}

// brokenAPI serves records by time, one of which no answer can hold.
type brokenAPI struct {
	mu      sync.Mutex
	times   []time.Time
	bad     int // index of the record that breaks its answer; -1: none
	outage  int // so many requests get no JSON at all
	noCur   bool
	sizes   map[int]int
	cursors map[string][2]int // position, limit
}

func (a *brokenAPI) page(body string) (int, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.outage > 0 {
		a.outage--
		return 200, "<html>log in to the hotel first</html>"
	}
	var req struct {
		Cursor string    `json:"cursor"`
		Limit  int       `json:"limit"`
		Start  time.Time `json:"start_time"`
	}
	if err := json.Unmarshal([]byte(body), &req); err != nil {
		return 400, err.Error()
	}
	at, limit := 0, req.Limit
	if req.Cursor != "" {
		p := a.cursors[req.Cursor]
		at, limit = p[0], p[1]
	} else {
		for at < len(a.times) && a.times[at].Before(req.Start) {
			at++
		}
	}
	a.sizes[limit]++
	end := min(len(a.times), at+limit)
	items := []string{}
	for i := at; i < end; i++ {
		if i == a.bad {
			items = append(items, `{"uuid":"BAD",}`)
			continue
		}
		items = append(items, string(signin(fmt.Sprint("U", i), a.times[i], "")))
	}
	cursor := fmt.Sprint(end, "-", limit)
	a.cursors[cursor] = [2]int{end, limit}
	field := fmt.Sprintf(`"cursor":%q,`, cursor)
	if a.noCur && at <= a.bad && a.bad < end {
		field = `"cursor":oops,`
	}
	return 200, fmt.Sprintf(`{%s"has_more":%v,"items":[%s]}`, field, end < len(a.times), strings.Join(items, ","))
}

func TestSalvage(t *testing.T) {
	for _, tt := range []struct {
		name   string
		bad    int
		outage int
		noCur  bool
		aside  int
	}{
		{name: "a record that breaks its answer, with a cursor", bad: 777, aside: 1},
		{name: "a record that breaks its answer, without cursor", bad: 777, noCur: true, aside: 1},
		{name: "the first record", bad: 0, noCur: true, aside: 1},
		{name: "the last record", bad: 1499, aside: 1},
		{name: "an outage that answers 200", bad: -1, outage: 60},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &brokenAPI{bad: tt.bad, outage: tt.outage, noCur: tt.noCur, sizes: map[int]int{}, cursors: map[string][2]int{}}
			for i := range 1500 {
				a.times = append(a.times, someday.Add(-24*time.Hour+time.Duration(i)*50*time.Second))
			}
			r := &rig{t: t, bus: bustest.New(t), log: &logBuffer{}}
			now := someday
			r.file = t.TempDir() + "/token"
			r.putToken("opaque-token-of-a-test")
			r.source = sourceAt(api(t, a.page), r.file)
			r.source.Feeds = []event.Feed{event.FeedSigninAttempts}
			r.source.Start = Start{Back: 48 * time.Hour}
			c := Config{Bus: r.bus, Sources: []Source{r.source}, Now: func() time.Time { return now }, Logger: slogTo(r.log),
				RetryFirst: time.Millisecond, RetryMost: 2 * time.Millisecond, PerMinute: 1e6, PerHour: 1e7}
			p, stop := r.start(c)
			want := 1500 - tt.aside
			r.eventually(p, "all that can be read", func(s FeedStatus) bool {
				return int(s.Counts.Events) >= want && int(s.Counts.Quarantined) >= tt.aside && s.Trouble == "" && !s.CatchingUp && s.State == "watching"
			})
			stop()
			content := r.contents()
			if len(content.events) != want || len(content.aside) != tt.aside {
				t.Fatalf("want %d events and %d set aside, have %d and %d", want, tt.aside, len(content.events), len(content.aside))
			}
			m := r.marker(event.FeedSigninAttempts)
			if tt.aside > 0 {
				if q := content.aside[0]; !strings.Contains(string(q.Bytes), `"BAD"`) || strings.Count(string(q.Bytes), "uuid") != 1 {
					t.Errorf("set aside: %s", q.Bytes)
				}
				if s := p.Status()[0]; len(s.Notices) == 0 || !strings.Contains(strings.Join(s.Notices, " "), "could not be read in any size of page") {
					t.Errorf("notices: %q", s.Notices)
				}
				in := a.times[tt.bad]
				for _, v := range m.Covered {
					if !in.Before(v.From) && !in.After(v.To) && tt.bad > 0 && tt.bad < 1499 {
						t.Errorf("the bad record at %s is called covered: %+v", in, m.Covered)
					}
				}
			} else if len(m.Covered) != 1 {
				t.Errorf("an outage left holes: %+v", m.Covered)
			}
		})
	}
}

// TestHasMoreForEver: has_more with nothing behind it neither spins nor stops.
func TestHasMoreForEver(t *testing.T) {
	var mu sync.Mutex
	asked := 0
	url := api(t, func(string) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return 200, `{"cursor":"same","has_more":true,"items":null}`
	})
	r := &rig{t: t, bus: bustest.New(t), log: &logBuffer{}}
	r.file = t.TempDir() + "/token"
	r.putToken("opaque-token-of-a-test")
	r.source = sourceAt(url, r.file)
	r.source.Feeds, r.source.Interval = []event.Feed{event.FeedAuditEvents}, 50*time.Millisecond
	began := time.Now()
	p, stop := r.start(Config{Bus: r.bus, Sources: []Source{r.source}, Now: func() time.Time { return someday }, Logger: slogTo(r.log)})
	r.eventually(p, "complete in the end", func(s FeedStatus) bool { return s.Watermark.Equal(someday.Add(-time.Minute)) })
	stop()
	if most := 3 + int(time.Since(began)/r.source.Interval); asked > most {
		t.Errorf("asked %d times, at most %d fit the interval", asked, most)
	}
}

func TestSmallerPagesEnd(t *testing.T) {
	n := 0
	for limit := 0; ; n++ {
		if limit = smaller(limit); limit == 0 {
			break
		}
		if limit >= onepassword.PageLimit || n > 10 {
			t.Fatal("pages do not get smaller")
		}
	}
	if n != 3 {
		t.Errorf("want 3 sizes, have %d", n)
	}
}
