package detectors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"testing"
	"testing/fstest"
	"time"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/bus/bustest"
	"watchword/bus/event"
	"watchword/rules"
)

// t0 lies in the past, so that no event is stored before it happened.
var t0 = time.Now().UTC().Add(-20 * 24 * time.Hour).Truncate(time.Hour)

var testRules = map[string]string{
	"failures":  `let failed = signin.outcome == "failure"; times(failed, 3) | by(user.uuid) | within("1h")`,
	"guessed":   `let failed = signin.outcome == "failure"; let exported = item.action == "export"; sequence(times(failed, 2), exported) | by(user.uuid) | within("2h")`,
	"spraying":  `let failed = signin.outcome == "failure"; distinct(failed, user.uuid, 2) | by(client.ip) | within("30m")`,
	"export":    `item.action == "export"`,
	"leaving":   `let exported = item.action == "export"; let suspended = audit.action == "suspend"; sequence(exported | by(user.uuid), suspended | by(audit.object_uuid)) | within("24h")`,
	"both":      `let failed = signin.outcome == "failure"; let exported = item.action == "export"; together(exported, failed, failed) | by(user.uuid) | within("3h")`,
	"travel":    `signin.outcome == "failure" | travel(900) | by(user.uuid) | within("24h")`,
	"elsewhere": `let failed = signin.outcome == "failure"; distinct(failed, source, 2) | by(client.ip) | across() | within("1h")`,
}

func loadRules(tb testing.TB, texts map[string]string) *rules.Set {
	tb.Helper()
	fsys := fstest.MapFS{}
	for id, body := range texts {
		fsys[id+".expr"] = &fstest.MapFile{Data: []byte("---\ntitle: " + id + "\nseverity: high\n---\n" + body + "\n")}
	}
	set, problems := rules.Load(rules.Folder{Name: "test", FS: fsys})
	if problems.HasErrors() {
		tb.Fatal(problems)
	}
	return set
}

// story makes events; each has an id of its own.
type story struct{ n int }

func (s *story) event(feed event.Feed, source, user string, at time.Time, body string) event.Event {
	s.n++
	uuid := fmt.Sprintf("%026d", s.n)
	person := "target_user"
	switch feed {
	case event.FeedItemUsages:
		person = "user"
	case event.FeedAuditEvents:
		person = "actor_details"
	}
	raw := fmt.Sprintf(`{"uuid":%q,"timestamp":%q,%q:{"uuid":%q,"name":%q},%s}`,
		uuid, at.Format(time.RFC3339Nano), person, user, user, body)
	return event.Event{
		ID: event.ID(source, feed, uuid), Type: event.TypeOnePassword, Kind: feed.Kind(), Source: source,
		Time: at, Received: at, Raw: []byte(raw),
	}
}

func (s *story) failed(source, user, ip string, at time.Time) event.Event {
	return s.event(event.FeedSigninAttempts, source, user, at,
		fmt.Sprintf(`"category":"credentials_failed","client":{"ip_address":%q},"location":%s`, ip, cmp.Or(locations[ip], "null")))
}

// locations are where two addresses are thought to be.
var locations = map[string]string{
	"192.0.2.1": `{"country":"CA","city":"Ottawa","latitude":45.42,"longitude":-75.69}`,
	"192.0.2.2": `{"country":"FR","city":"Rennes","latitude":48.11,"longitude":-1.67}`,
}

func (s *story) export(source, user string, at time.Time) event.Event {
	return s.event(event.FeedItemUsages, source, user, at, `"action":"export"`)
}

func (s *story) suspend(source, admin, user string, at time.Time) event.Event {
	return s.event(event.FeedAuditEvents, source, admin, at, fmt.Sprintf(`"action":"suspend","object_type":"user","object_uuid":%q`, user))
}

// house is a store with EVENTS and ALERTS, and the pollers' part in it.
type house struct {
	tb         testing.TB
	bus        *bus.Bus
	set        *rules.Set
	markers    map[string]uint64    // fences by marker subject
	watermarks map[string]time.Time // by source
	all        []event.Event
}

func newHouse(tb testing.TB, set *rules.Set) *house {
	return &house{tb: tb, bus: bustest.New(tb), set: set, markers: map[string]uint64{}, watermarks: map[string]time.Time{}}
}

// publish stores events as a poller does: with a marker behind them.
func (h *house) publish(source string, watermark time.Time, events ...event.Event) {
	h.tb.Helper()
	feed := event.FeedSigninAttempts
	var msgs []bus.Message
	for i := range events {
		events[i].Late = events[i].Time.Before(h.watermarks[source])
		data, err := events[i].Encode()
		if err != nil {
			h.tb.Fatal(err)
		}
		f, err := events[i].Fields()
		if err != nil {
			h.tb.Fatal(err)
		}
		msgs = append(msgs, bus.Message{Subject: bus.EventSubject(&events[i], f.User.UUID), Data: data})
	}
	p := event.Progress{Source: source, Feed: feed, Watermark: watermark}
	data, err := p.Encode()
	if err != nil {
		h.tb.Fatal(err)
	}
	subject := bus.ProgressSubject(source, feed)
	msgs = append(msgs, bus.Message{Subject: subject, Data: data, Rollup: true, Keep: true})
	last, err := h.bus.Commit(context.Background(), bus.Events, bus.Fence{Subject: subject, Last: h.markers[subject]}, msgs)
	if err != nil {
		h.tb.Fatal(err)
	}
	h.markers[subject], h.watermarks[source] = last, watermark
	h.all = append(h.all, events...)
}

func (h *house) worker() *Worker {
	return New(Config{Bus: h.bus, Rules: h.set, Generation: 1, Name: "test"})
}

// alerts reads ALERTS: the newest revision of every alert, after checking that
// no revision was published twice or left out.
func (h *house) alerts() []alert.Alert {
	h.tb.Helper()
	ctx := context.Background()
	info, err := h.bus.Info(ctx, bus.Alerts)
	if err != nil {
		h.tb.Fatal(err)
	}
	newest := map[string]alert.Alert{}
	if info.LastSeq > 0 {
		r, err := h.bus.Read(ctx, bus.Alerts, bus.ReadOptions{Filters: []string{bus.AllAlerts}, Until: info.LastSeq})
		if err != nil {
			h.tb.Fatal(err)
		}
		defer r.Close()
		for {
			msgs, err := r.Next(ctx, 1000)
			for _, m := range msgs {
				a, err := alert.Decode(m.Data)
				if err != nil {
					h.tb.Fatal(err)
				}
				// Of the updates only the newest is kept.
				if old := newest[a.ID]; a.Revision <= old.Revision || old.Revision == 0 && a.Status == alert.Opened && a.Revision != 1 {
					h.tb.Fatalf("alert %s of %s %v: revision %d follows %d", a.ID, a.Rule, a.Key, a.Revision, old.Revision)
				}
				if old := newest[a.ID]; a.Status.Live() && (a.Count < old.Count || a.Last.Before(old.Last)) {
					h.tb.Fatalf("alert %s of %s %v went back from %d events to %d", a.ID, a.Rule, a.Key, old.Count, a.Count)
				}
				if want := bus.AlertSubject(&a); m.Subject != want {
					h.tb.Fatalf("alert on subject %s, want %s", m.Subject, want)
				}
				newest[a.ID] = a
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				h.tb.Fatal(err)
			}
		}
	}
	var out []alert.Alert
	for _, a := range newest {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return less(&out[i], &out[j]) })
	return out
}

// summary says what an alert is about, whatever its id.
func summary(a *alert.Alert) string {
	return fmt.Sprintf("%s %s%v %s–%s %d %v", a.Rule, a.Source, a.Key, a.First.Format(time.RFC3339Nano), a.Last.Format(time.RFC3339Nano), a.Count, a.Steps)
}

// check compares the live alerts with those of all the events at once.
func (h *house) check() {
	h.tb.Helper()
	want, err := Evaluate(h.set, h.all)
	if err != nil {
		h.tb.Fatal(err)
	}
	got := h.alerts()
	live := map[string]alert.Alert{}
	for _, a := range got {
		if a.Status.Live() {
			live[a.ID] = a
		}
	}
	var have, need []string
	for _, a := range got {
		switch {
		case a.Status.Live():
			have = append(have, summary(&a))
		case a.Status == alert.Merged:
			into := a.MergedInto
			for i := 0; i < len(got); i++ { // an alert may merge into one that merges later
				if _, ok := live[into]; ok {
					break
				}
				for _, b := range got {
					if b.ID == into {
						into = b.MergedInto
					}
				}
			}
			if _, ok := live[into]; !ok {
				h.tb.Errorf("alert %s was merged into %s, which is not live", a.ID, a.MergedInto)
			}
		default:
			h.tb.Errorf("alert %s is %s", a.ID, a.Status)
		}
	}
	for i := range want {
		need = append(need, summary(&want[i]))
	}
	sort.Strings(have)
	sort.Strings(need)
	if fmt.Sprint(have) != fmt.Sprint(need) {
		h.tb.Fatalf("alerts differ\n got %s\nwant %s", lines(have), lines(need))
	}
}

func lines(s []string) string {
	out := ""
	for _, l := range s {
		out += "\n    " + l
	}
	return out
}

// serve runs a worker until it has decided all that is stored.
func (h *house) serve() *Worker {
	h.tb.Helper()
	w := h.worker()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- w.Serve(ctx) }()
	info, err := h.bus.Info(ctx, bus.Events)
	if err != nil {
		h.tb.Fatal(err)
	}
	for w.Status().Position < info.LastSeq {
		select {
		case err := <-done:
			h.tb.Fatalf("worker stopped: %v", err)
		case <-ctx.Done():
			h.tb.Fatalf("worker stands at %d of %d", w.Status().Position, info.LastSeq)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	<-done
	return w
}

func TestStoredFrom(t *testing.T) {
	now := t0.Add(400 * 24 * time.Hour)
	day := 24 * time.Hour
	w := New(Config{Now: func() time.Time { return now }})
	for _, c := range []struct {
		name string
		info bus.StreamInfo
		want time.Time
	}{
		{"nothing ages", bus.StreamInfo{Created: t0, FirstTime: t0}, time.Time{}},
		{"too young for anything to have aged", bus.StreamInfo{Created: now.Add(-10 * day), FirstTime: now.Add(-9 * day), MaxAge: 30 * day}, time.Time{}},
		{"the oldest message", bus.StreamInfo{Created: t0, FirstTime: now.Add(-20 * day), MaxAge: 30 * day}, now.Add(-20 * day)},
		{"the oldest message is a marker that never ages", bus.StreamInfo{Created: t0, FirstTime: t0, MaxAge: 30 * day}, now.Add(time.Hour - 30*day)},
	} {
		if got := w.storedFrom(c.info); !got.Equal(c.want) {
			t.Errorf("%s: stored from %v, want %v", c.name, got, c.want)
		}
	}
}

func TestWorkerDecides(t *testing.T) {
	h := newHouse(t, loadRules(t, testRules))
	var s story
	m := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	h.publish("acme", m(10),
		s.failed("acme", "mallory", "192.0.2.1", m(0)), s.failed("acme", "mallory", "192.0.2.1", m(1)),
		s.failed("acme", "bob", "192.0.2.1", m(2)), s.failed("other", "eve", "192.0.2.1", m(3)),
		s.failed("acme", "mallory", "192.0.2.2", m(4)), s.export("acme", "mallory", m(5)))
	h.publish("acme", m(30), s.suspend("acme", "admin", "mallory", m(30)))
	w := h.serve()
	h.check()
	if st := w.Status(); st.Events != 7 || st.Alerts == 0 || st.Trouble != "" {
		t.Errorf("status %+v", st)
	}
	byRule := map[string]alert.Alert{}
	for _, a := range h.alerts() {
		byRule[a.Rule] = a
	}
	a := byRule["guessed"]
	if a.Source != "acme" || len(a.Key) != 1 || a.Key[0] != "mallory" || a.Count != 4 || a.Severity != alert.High ||
		len(a.People) != 1 || a.People[0].Name != "mallory" || len(a.Evidence) != 4 || a.Evidence[3].Step != "exported" || a.Evidence[0].Seq != 1 {
		t.Errorf("alert %+v", a)
	}
	if a := byRule["elsewhere"]; a.Source != "" || a.Count != 4 {
		t.Errorf("alert across sources %+v", a)
	}
}

// A restart publishes nothing that was published, and goes on where it stood.
func TestRestartPublishesNothingTwice(t *testing.T) {
	h := newHouse(t, loadRules(t, testRules))
	var s story
	m := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	for i := range 20 {
		h.publish("acme", m(10*i), s.failed("acme", "mallory", "192.0.2.1", m(10*i)), s.export("acme", "mallory", m(10*i+1)))
		h.serve()
		before := len(h.alerts())
		seq := lastSeq(t, h.bus, bus.Alerts, bus.AllAlerts)
		h.serve()
		if after := lastSeq(t, h.bus, bus.Alerts, bus.AllAlerts); after != seq || len(h.alerts()) != before {
			t.Fatalf("after %d events a restart published again: sequence %d, was %d", 2*i+2, after, seq)
		}
	}
	h.check()
}

func lastSeq(tb testing.TB, b *bus.Bus, stream, filter string) uint64 {
	tb.Helper()
	stored, err := b.LastPerSubject(context.Background(), stream, filter)
	if err != nil {
		tb.Fatal(err)
	}
	var last uint64
	for _, m := range stored {
		last = max(last, m.Seq)
	}
	return last
}

// Two episodes that were told apart become one when what lies between comes late.
func TestLateEventMerges(t *testing.T) {
	h := newHouse(t, loadRules(t, map[string]string{"failures": testRules["failures"]}))
	var s story
	m := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	var between []event.Event
	for i := range 12 {
		e := s.failed("acme", "mallory", "192.0.2.1", m(20*i))
		if i == 4 || i == 5 || i == 6 || i == 7 {
			between = append(between, e)
			continue
		}
		h.publish("acme", m(20*i), e)
	}
	h.serve()
	if got := h.alerts(); len(got) != 2 {
		t.Fatalf("%d alerts before the late events, want 2: %v", len(got), got)
	}
	first := h.alerts()[0].ID
	h.publish("acme", m(240), between...)
	h.serve()
	h.check()
	for _, a := range h.alerts() {
		if a.Status.Live() && (a.ID != first || a.Count != 12 || !a.Late) {
			t.Errorf("survivor %s late %v with %d events, want %s with 12, late", a.ID, a.Late, a.Count, first)
		}
		if !a.Status.Live() && (a.Status != alert.Merged || a.MergedInto != first) {
			t.Errorf("alert %s is %s into %q, want merged into %s", a.ID, a.Status, a.MergedInto, first)
		}
	}
}

// What comes so late that it was settled is rebuilt from the stored events.
func TestVeryLateEventRebuilds(t *testing.T) {
	h := newHouse(t, loadRules(t, testRules))
	var s story
	m := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	h.publish("acme", m(10), s.failed("acme", "mallory", "192.0.2.1", m(0)), s.failed("acme", "mallory", "192.0.2.1", m(1)))
	for day := 1; day < 10; day++ {
		h.publish("acme", m(day*24*60), s.failed("acme", "alice", "192.0.2.9", m(day*24*60)))
	}
	w := h.serve()
	if n := len(h.alerts()); n != 0 {
		t.Fatalf("%d alerts before the late event, want none", n)
	}
	if w.Status().Rebuilt != 0 {
		t.Fatalf("%d keys were rebuilt with nothing late", w.Status().Rebuilt)
	}
	h.publish("acme", m(10*24*60), s.export("acme", "mallory", m(5)))
	h.publish("acme", m(10*24*60), s.failed("acme", "mallory", "192.0.2.1", m(2)))
	w = h.worker()
	w.c.Limits.KeyHits = 100
	run(t, w, 1000)
	h.check()
}

// An episode that began before the stored events do keeps its beginning when
// its key is rebuilt from them.
func TestRebuildKeepsWhatAgedOut(t *testing.T) {
	h := newHouse(t, loadRules(t, map[string]string{"failures": testRules["failures"]}))
	var s story
	m := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	for i := range 80 {
		h.publish("acme", m(30*i), s.failed("acme", "mallory", "192.0.2.1", m(30*i)))
	}
	h.publish("acme", m(10*24*60), s.failed("acme", "alice", "192.0.2.9", m(10*24*60)))
	h.serve()
	w := h.worker()
	st, err := w.takeOver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer st.reader.Close()
	st.base = m(600)
	for st.position < st.lastSeq {
		step(t, st, 10)
	}
	h.publish("acme", m(10*24*60), s.failed("acme", "mallory", "192.0.2.1", m(1201)))
	h.publish("acme", m(10*24*60), s.failed("acme", "mallory", "192.0.2.1", m(599)))
	for st.position < h.markers[bus.ProgressSubject("acme", event.FeedSigninAttempts)] {
		step(t, st, 500)
	}
	a := h.alerts()[0]
	if a.Count != 82 || !a.First.Equal(t0) || a.Revision == 1 {
		t.Errorf("alert of %d events from %s, want 82 from %s", a.Count, a.First, t0)
	}
	if st.rebuilt == 0 || st.tooLate != 0 {
		t.Errorf("%d keys rebuilt, %d events too late", st.rebuilt, st.tooLate)
	}
}

// run steps a worker through all that is stored, n messages at a time, in this
// goroutine: dropping it afterwards is a crash.
func run(tb testing.TB, w *Worker, n int) *state {
	tb.Helper()
	ctx := context.Background()
	s, err := w.takeOver(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.reader.Close)
	for s.position < s.lastSeq {
		step(tb, s, n)
	}
	return s
}

func step(tb testing.TB, s *state, n int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	msgs, err := s.reader.Next(ctx, n)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range msgs {
		if err := s.take(ctx, &msgs[i]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := s.resumeBefore(ctx, s.position+1); err != nil {
		tb.Fatal(err)
	}
	if err := s.decide(ctx); err != nil {
		tb.Fatal(err)
	}
	s.prune()
}

// A worker whose ledgers are behind is refused whole, and nothing of what it
// wanted to say is stored.
func TestStaleWorkerIsFenced(t *testing.T) {
	h := newHouse(t, loadRules(t, testRules))
	var s story
	h.publish("acme", t0, s.failed("acme", "mallory", "192.0.2.1", t0))
	stale := run(t, h.worker(), 100)
	h.publish("acme", t0, s.export("acme", "mallory", t0))
	h.serve()
	seq := lastSeq(t, h.bus, bus.Alerts, ">")
	ctx := context.Background()
	msgs, err := stale.reader.Next(ctx, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range msgs {
		if err := stale.take(ctx, &msgs[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := stale.decide(ctx); !errors.Is(err, bus.ErrFenced) {
		t.Fatalf("the stale worker's commit gave %v, want %v", err, bus.ErrFenced)
	}
	if after := lastSeq(t, h.bus, bus.Alerts, ">"); after != seq {
		t.Fatalf("the stale worker stored something: sequence %d, was %d", after, seq)
	}
	h.check()
}

// A commit too large for one batch is cut in two; when the second piece is
// missing after a crash, its alerts are published then.
func TestCutCommitIsCompleted(t *testing.T) {
	h := newHouse(t, loadRules(t, map[string]string{"export": testRules["export"]}))
	var s story
	byPartition := map[int][]event.Event{}
	var pair []event.Event
	for i := 0; len(pair) < 2; i++ {
		user := fmt.Sprint("user", i)
		n := PartitionOf("export", rules.NewKey("acme", user))
		byPartition[n] = append(byPartition[n], s.export("acme", user, t0))
		pair = byPartition[n]
	}
	h.publish("acme", t0, pair...)
	ctx := t.Context()
	st, err := h.worker().takeOver(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer st.reader.Close()
	for st.position < st.lastSeq {
		msgs, err := st.reader.Next(ctx, 10)
		if err != nil {
			t.Fatal(err)
		}
		for i := range msgs {
			if err := st.take(ctx, &msgs[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, p := range st.parts {
		if len(p.dirty) == 0 {
			continue
		}
		k := p.dirty[0]
		changed, _, err := st.advance(ctx, p, k, p.keys[k])
		if err != nil {
			t.Fatal(err)
		}
		a := reconcile(k, nil, changed)[0]
		data, err := a.Encode()
		if err != nil {
			t.Fatal(err)
		}
		first := st.ledger(p)
		first.Seq, first.Event, first.Ahead = 0, Position{}, st.event // as commit writes it behind all pieces but the last
		if _, err := st.commitLedger(ctx, p, first, []bus.Message{{Subject: bus.AlertSubject(&a), Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(h.alerts()); n != 1 {
		t.Fatalf("%d alerts after the first piece, want 1", n)
	}
	h.publish("acme", t0) // a marker, so that there is something to read
	h.serve()
	h.check()
}

// A log that is not the one the ledgers speak of is read again whole, once,
// and nothing that was told is told again.
func TestAnotherLogIsReadAgain(t *testing.T) {
	h := newHouse(t, loadRules(t, testRules))
	var s story
	for i := range 10 {
		at := t0.Add(time.Duration(i) * time.Minute)
		h.publish("acme", at, s.failed("acme", "mallory", "192.0.2.1", at))
	}
	h.serve()
	before := len(h.alerts())
	seq := lastSeq(t, h.bus, bus.Alerts, bus.AllAlerts)
	ctx := t.Context()
	for n := range bus.Partitions {
		m, err := h.bus.Last(ctx, bus.Alerts, bus.LedgerSubject(n))
		if err != nil {
			t.Fatal(err)
		}
		l, err := decodeLedger(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		l.Stream, l.Seq, l.Event = t0, 5_000_000, Position{Seq: 5_000_000, Time: t0}
		data, err := l.encode()
		if err != nil {
			t.Fatal(err)
		}
		bustest.Put(t, h.bus, bus.Alerts, bus.Message{Subject: m.Subject, Data: data, Rollup: true, Keep: true})
	}
	st := run(t, h.worker(), 4)
	for _, p := range st.parts {
		if !p.resumed || p.adrift || st.trouble != "" {
			t.Fatalf("partition %d: resumed %v, adrift %v, trouble %q", p.n, p.resumed, p.adrift, st.trouble)
		}
	}
	st.leave()
	if after := lastSeq(t, h.bus, bus.Alerts, bus.AllAlerts); after != seq || len(h.alerts()) != before {
		t.Errorf("reading again published: sequence %d, was %d", after, seq)
	}
	h.publish("acme", t0.Add(time.Hour), s.failed("acme", "mallory", "192.0.2.1", t0.Add(11*time.Minute)))
	again, err := h.worker().takeOver(ctx)
	if err != nil {
		t.Fatal(err)
	}
	again.reader.Close()
	for _, p := range again.parts {
		if p.adrift || p.resume == 0 || p.resume > again.lastSeq {
			t.Fatalf("partition %d after the next start: adrift %v, resumes at %d of %d", p.n, p.adrift, p.resume, again.lastSeq)
		}
	}
	h.serve()
	h.check()
}

// What an older version of a rule has told is not told again by the new one,
// not even when a late event makes it read the key's history.
func TestNewVersionTellsNothingOld(t *testing.T) {
	h := newHouse(t, loadRules(t, map[string]string{"failures": testRules["failures"]}))
	var s story
	fail := func(day, n int) event.Event {
		return s.failed("acme", "mallory", "192.0.2.1", t0.Add(time.Duration(day)*24*time.Hour+time.Duration(n)*time.Minute))
	}
	for day := range 5 {
		h.publish("acme", t0.Add(time.Duration(day)*24*time.Hour), fail(day, 0), fail(day, 1), fail(day, 2))
	}
	h.serve()
	h.set = loadRules(t, map[string]string{"failures": testRules["failures"] + " // reworded"})
	h.publish("acme", t0.Add(10*24*time.Hour), fail(10, 0))
	h.serve()
	if n := len(h.alerts()); n != 5 {
		t.Fatalf("%d alerts after the rule was reworded, want the 5 of the older version", n)
	}
	h.publish("acme", t0.Add(10*24*time.Hour), fail(3, 3))
	h.serve()
	if n := len(h.alerts()); n != 6 {
		t.Fatalf("%d alerts after a late event on one of the five days, want 6", n)
	}
}

// An alert that grows for long leaves its opening and its newest update.
func TestGrowingAlertKeepsTheStreamSmall(t *testing.T) {
	h := newHouse(t, loadRules(t, map[string]string{"failures": testRules["failures"]}))
	var s story
	for i := range 30 {
		at := t0.Add(time.Duration(i) * time.Minute)
		h.publish("acme", at, s.failed("acme", "mallory", "192.0.2.1", at))
		h.serve()
	}
	h.check()
	info, err := h.bus.Info(t.Context(), bus.Alerts)
	if err != nil {
		t.Fatal(err)
	}
	if alerts := info.Messages - bus.Partitions; alerts != 2 {
		t.Errorf("%d revisions are stored, want 2: the first and the newest", alerts)
	}
}

// A stored message that cannot be read is counted and stops nothing.
func TestPoisonIsPassedOver(t *testing.T) {
	h := newHouse(t, loadRules(t, testRules))
	var s story
	good := s.export("acme", "mallory", t0)
	last, err := h.bus.Commit(context.Background(), bus.Events, bus.Fence{Subject: "events.onepassword.item.acme._"},
		[]bus.Message{{Subject: "events.onepassword.item.acme._", Data: []byte("no event")}})
	if err != nil || last == 0 {
		t.Fatal(last, err)
	}
	h.publish("acme", t0, good)
	w := h.serve()
	if got := w.Status().Poison; got != 1 {
		t.Errorf("%d poisoned messages, want 1", got)
	}
	h.check()
}
