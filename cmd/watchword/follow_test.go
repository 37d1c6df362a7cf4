package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/bus/bustest"
	"watchword/bus/event"
	"watchword/detectors"
	"watchword/pollers"
)

func newFollower(t *testing.T, b *bus.Bus, json bool) (*follower, *output) {
	t.Helper()
	out := &output{}
	return &follower{
		bus: b, log: bustest.Logger(t), screen: &screen{w: out}, now: func() time.Time { return noon }, json: json, summary: true,
		match: func(*alert.Alert) bool { return true },
	}, out
}

// follow runs a follower until what it prints satisfies the condition.
func follow(t *testing.T, f *follower, out *output, what string, condition func(string) bool) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Serve(ctx) }()
	eventually(t, 20*time.Second, what, func() bool { return condition(out.String()) })
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("want the follower to end with its context, got %v", err)
	}
}

func TestFollowerTellsEachAlertOnce(t *testing.T) {
	b := bustest.New(t)
	before := exampleAlert()
	before.ID = "aaaaaaaaaaaaaaaaaaaaaaaa"
	bustest.Put(t, b, bus.Alerts, alertMessage(t, &before))
	bustest.Put(t, b, bus.Events, eventMessage(t, event.KindItem, "acme/itemusages/D", ines, `{"uuid":"D","action":"export","item_uuid":"x"}`, noon))

	f, out := newFollower(t, b, false)
	follow(t, f, out, "the summary", func(s string) bool { return strings.Contains(s, "open     1 alert from before: 1 critical") })

	opened := exampleAlert()
	opened.Evidence[3].Seq = 1
	more, doubled, merged := opened, opened, opened
	more.Status, more.Count = alert.Updated, 1007
	doubled.Status, doubled.Count = alert.Updated, 2012
	merged.Status, merged.MergedInto = alert.Merged, before.ID
	var history []bus.Message
	for i := range 3 {
		h := exampleAlert()
		h.ID, h.Historical = fmt.Sprintf("h%023d", i), true
		history = append(history, alertMessage(t, &h))
	}
	bustest.Put(t, b, bus.Alerts, append(history, alertMessage(t, &opened), alertMessage(t, &more), alertMessage(t, &doubled), alertMessage(t, &merged))...)
	follow(t, f, out, "the merge", func(s string) bool { return strings.Contains(s, "merged") })

	text := out.String()
	for what, count := range map[string]int{
		"CRITICAL  Item export after repeated failed sign-ins  [late event]\n": 1, // the block
		"updated CRITICAL":  1, // not for one more event
		"2,012 events":      1,
		"merged CRITICAL":   1,
		"into " + before.ID: 1,
		"export item x":     1, // the evidence, read from EVENTS
		"history  acme: 3 alerts from before it was connected":        1,
		"    3  critical  Item export after repeated failed sign-ins": 1,
	} {
		if got := strings.Count(text, what); got != count {
			t.Errorf("want %d × %q, got %d in\n%s", count, what, got, text)
		}
	}

	// Started again after a failure it goes on where it stood.
	last := exampleAlert()
	last.ID = "cccccccccccccccccccccccc"
	bustest.Put(t, b, bus.Alerts, alertMessage(t, &last))
	follow(t, f, out, "the alert after the restart", func(s string) bool { return strings.Contains(s, last.ID) })
	if got := strings.Count(out.String(), "alert    gfeosqo2"); got != 1 {
		t.Errorf("after a restart the alert was told %d times:\n%s", got, out)
	}
}

func TestFollowerJSON(t *testing.T) {
	b := bustest.New(t)
	f, out := newFollower(t, b, true)
	f.summary = false
	a := exampleAlert()
	a.Historical = true
	b2 := a
	b2.Severity = alert.Low
	f.match = func(a *alert.Alert) bool { return a.Severity == alert.Critical }
	if err := f.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	bustest.Put(t, b, bus.Alerts, bus.Message{Subject: "alerts.opened.low.x.y", Data: []byte("broken")}, alertMessage(t, &b2), alertMessage(t, &a))
	follow(t, f, out, "the alert", func(s string) bool { return strings.Contains(s, "\n") })
	if text := out.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `"severity":"critical"`) {
		t.Errorf("want one line of JSON, got\n%s", text)
	}
}

func TestReporterTellsChanges(t *testing.T) {
	now, out := noon, &output{}
	feeds := []pollers.FeedStatus{
		{Source: "acme", Feed: event.FeedSigninAttempts},
		{Source: "acme", Feed: event.FeedAuditEvents},
	}
	var troubles []bus.Trouble
	r := &reporter{
		feeds: func() []pollers.FeedStatus { return feeds }, detector: func() detectors.Status { return detectors.Status{Caught: true} },
		health: func() []bus.Trouble { return troubles }, screen: &screen{w: out}, now: func() time.Time { return now },
	}
	step := func(what, want string) {
		t.Helper()
		before := len(out.String())
		now = now.Add(2 * time.Second)
		r.look()
		if got := out.String()[before:]; got != want {
			t.Errorf("%s\nwant %q\ngot  %q", what, want, got)
		}
	}
	step("at first", "12:00:02 acme waiting; 0 events stored\n")
	step("nothing new", "")
	feeds[0].First, feeds[0].CatchingUp, feeds[0].Counts.Events = noon, true, 500
	step("one feed reads", "12:00:06 acme waiting (auditevents), catching up (signinattempts); 500 events stored\n")
	feeds[0].Counts.Events = 1000
	step("only numbers", "")
	now = now.Add(time.Minute)
	step("numbers, a minute later", "12:01:10 acme waiting (auditevents), catching up (signinattempts); 1,000 events stored\n")
	feeds[0].CatchingUp, feeds[1].First = false, noon
	step("all fine", "12:01:12 acme fine; 1,000 events stored\n")
	now = now.Add(time.Hour)
	step("calm is silent", "")
	feeds[0].Trouble, feeds[0].Notices = "refused \x1b[2J", []string{"the token expires soon"}
	feeds[1].Notices = feeds[0].Notices
	step("trouble", "13:01:16 acme in trouble (signinattempts); 1,000 events stored\n13:01:16   acme signinattempts: refused \\x1b[2J\n13:01:16   acme: the token expires soon\n")
	feeds[1].Trouble = feeds[0].Trouble
	step("the same trouble", "13:01:18 acme in trouble; 1,000 events stored\n13:01:18   acme signinattempts, auditevents: refused \\x1b[2J\n13:01:18   acme: the token expires soon\n")
	troubles = []bus.Trouble{{What: "disk", Text: "the disk is full"}}
	feeds[0].Trouble, feeds[1].Trouble, feeds[0].Notices, feeds[1].Notices = "", "", nil, nil
	step("the bus", "13:01:20 acme fine; 1,000 events stored\n13:01:20   the disk is full\n")
}
