package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
)

// TestVerbsBesideARunningStore: while one process holds the store, the verbs
// that read reach it through the store's directory or through its port.
func TestVerbsBesideARunningStore(t *testing.T) {
	store := bustest.NewStore(t)
	b := store.OpenOn()
	a := exampleAlert()
	bustest.Put(t, b, bus.Alerts, alertMessage(t, &a))
	for _, how := range [][]string{{"--store", store.Config.Store}, {"--nats", b.Addr()}} {
		out, _ := runs(t, exitFine, append(how, "alerts", "list")...)
		if !strings.Contains(out, a.ID) {
			t.Errorf("%v: want the alert, got\n%s", how, out)
		}
	}
}

func TestAlertsFollow(t *testing.T) {
	store := bustest.NewStore(t)
	b := store.Open()
	before := exampleAlert()
	bustest.Put(t, b, bus.Alerts, alertMessage(t, &before))
	p, out, errs := testProgram(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- p.run(ctx, []string{"--store", store.Config.Store, "alerts", "follow", "--severity", "high"})
	}()
	eventually(t, 20*time.Second, "the summary", func() bool { return strings.Contains(out.String(), "1 alert from before") })
	low, high := exampleAlert(), exampleAlert()
	low.ID, low.Severity = "llllllllllllllllllllllll", "low"
	high.ID, high.Severity = "hhhhhhhhhhhhhhhhhhhhhhhh", "high"
	bustest.Put(t, b, bus.Alerts, alertMessage(t, &low), alertMessage(t, &high))
	eventually(t, 20*time.Second, "the alert", func() bool { return strings.Contains(out.String(), high.ID) })
	stop()
	if code := <-ended; code != exitFine {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if text := out.String(); strings.Contains(text, low.ID) || strings.Contains(text, before.ID) {
		t.Errorf("want the severe new alert only, got\n%s", text)
	}
}
