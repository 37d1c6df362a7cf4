package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"watchword/bus"
	"watchword/bus/bustest"
)

// Serve looks until it is told to stop, and writes down where the streams end,
// so that a shorter log is noticed even after a kill.
func TestServe(t *testing.T) {
	s := bustest.NewStore(t)
	b := s.Open()
	last := bustest.Fill(t, b, 100, 5, 20)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Serve(ctx) }()
	waitFor(t, "the end of the stream to be written down", func() bool {
		mark, err := os.ReadFile(filepath.Join(s.Config.Store, "watchword.json"))
		return err == nil && strings.Contains(string(mark), fmt.Sprintf(`"last_seq": %d`, last))
	})
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("Serve returned %v, want %v", err, context.Canceled)
	}
}

// A stream is told of before it is full.
func TestNearlyFull(t *testing.T) {
	s := bustest.NewStore(t)
	s.Config.Limits.AlertsBytes = 100_000
	b := s.Open()
	if b.Look(t.Context()); len(b.Health()) > 0 {
		t.Fatalf("trouble %+v, want none", b.Health())
	}
	bustest.Put(t, b, bus.Alerts, bus.Message{Subject: "alerts.opened.high.r.1", Data: bytes.Repeat([]byte("x"), 85_000)})
	b.Look(t.Context())
	wantTrouble(t, b, "ALERTS full", false)
	if text := b.Health()[0].Text; !strings.Contains(text, "85 % full") {
		t.Fatalf("trouble %q, want one that says 85 %% full", text)
	}
}
