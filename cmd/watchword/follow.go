package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"watchword/bus"
	"watchword/bus/alert"
	"watchword/bus/event"
)

// digestAfter is how long after the last historical alert the digest of those
// that came in a row is printed.
const digestAfter = 3 * time.Second

// told bounds how many alerts a follower remembers having printed.
const maxTold = 10_000

// follower is the actor that prints alerts as they come into ALERTS.
//
// It starts at the end of the stream, after a short summary of what is open,
// and goes on after a failure where it stood, so nothing is printed twice.
type follower struct {
	bus     *bus.Bus
	log     *slog.Logger
	screen  *screen
	now     func() time.Time
	colour  paint
	json    bool
	summary bool                    // begin with what is open
	match   func(*alert.Alert) bool // what to print

	next    uint64 // the sequence to go on from, 0 before the first Serve
	told    map[string]alert.Alert
	history digest
}

// Serve prints until ctx ends.
func (f *follower) Serve(ctx context.Context) error {
	if f.next == 0 {
		if err := f.begin(ctx); err != nil {
			return fmt.Errorf("follow alerts: %w", err)
		}
	}
	r, err := f.bus.Read(ctx, bus.Alerts, bus.ReadOptions{Filters: []string{bus.AllAlerts}, StartSeq: f.next})
	if err != nil {
		return fmt.Errorf("follow alerts: %w", err)
	}
	// One goroutine waits for the stream so that this one can also wait for
	// the digest's hour. It ends with ctx, and Serve with it.
	ctx, cancel := context.WithCancel(ctx)
	batches, failed := make(chan []bus.Stored), make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			batch, err := r.Next(ctx, readBatch)
			if err != nil {
				failed <- err
				return
			}
			select {
			case batches <- batch:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
		}
	})
	defer func() {
		cancel()
		reading.Wait()
		r.Close()
		f.flush()
	}()
	quiet := time.NewTimer(digestAfter)
	defer quiet.Stop()
	for {
		select {
		case batch := <-batches:
			for _, m := range batch {
				if f.take(ctx, m) {
					quiet.Reset(digestAfter)
				}
				f.next = m.Seq + 1
			}
		case <-quiet.C:
			f.flush()
		case err := <-failed:
			return fmt.Errorf("follow alerts: %w", err)
		}
	}
}

// begin finds the end of the stream and sums up what is open there.
func (f *follower) begin(ctx context.Context) error {
	info, err := f.bus.Info(ctx, bus.Alerts)
	if err != nil {
		return err
	}
	f.next, f.told, f.history = info.LastSeq+1, map[string]alert.Alert{}, digest{}
	if !f.summary || info.LastSeq == 0 {
		return nil
	}
	all := alertFilter{}
	openAlerts, _, err := newestAlerts(ctx, f.bus, all.read(), func(a *alert.Alert) bool { return a.Status.Live() && f.match(a) })
	if err != nil || len(openAlerts) == 0 {
		return err
	}
	counts := map[alert.Severity]int{}
	for _, a := range openAlerts {
		counts[a.Severity]++
	}
	var parts []string
	for _, s := range slices.Backward(alert.Severities) {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", number(counts[s]), s))
		}
	}
	f.screen.print(fmt.Sprintf("open     %s from before: %s\n", plural(len(openAlerts), "alert"), strings.Join(parts, ", ")))
	return nil
}

// take prints a revision, or keeps it for the digest and says so.
func (f *follower) take(ctx context.Context, m bus.Stored) (kept bool) {
	a, err := alert.Decode(m.Data)
	if err != nil {
		f.log.Warn("a stored alert cannot be read", "stream", bus.Alerts, "seq", m.Seq, "err", err)
		return false
	}
	if !f.match(&a) {
		return false
	}
	if f.json {
		f.screen.print(string(m.Data) + "\n")
		return false
	}
	before, known := f.told[a.ID]
	switch {
	case a.Historical:
		f.history.add(&a)
		return true
	case a.Status == alert.Opened:
		var b strings.Builder
		block(&b, &a, f.now(), f.colour, func(e alert.Evidence) string { return f.tell(ctx, e) })
		f.screen.block(b.String())
	case !known || a.Status != alert.Updated || grown(&before, &a):
		f.screen.print(f.revision(&a))
	default:
		return false // more of the same: what was told last stays the measure
	}
	if len(f.told) >= maxTold {
		f.told = map[string]alert.Alert{}
	}
	a.Evidence = nil // not needed for the comparison
	f.told[a.ID] = a
	return false
}

// tell says what a piece of evidence was, as far as EVENTS still has it.
func (f *follower) tell(ctx context.Context, e alert.Evidence) string {
	m, err := f.bus.Get(ctx, bus.Events, e.Seq)
	if err != nil {
		return plain(e.ID)
	}
	ev, err := event.Decode(m.Data)
	if err != nil || ev.ID != e.ID {
		return plain(e.ID)
	}
	fields, err := ev.Fields()
	if err != nil {
		return plain(e.ID)
	}
	return strings.TrimSpace(plain(deed(&fields)) + "  " + plain(fields.Client.AppName))
}

// grown: an alert is told again when it shows a new step, person or place, or
// has doubled.
func grown(before, now *alert.Alert) bool {
	return now.Count >= 2*before.Count || len(now.People) > len(before.People) || len(now.Places) > len(before.Places) ||
		filled(now) > filled(before)
}

func filled(a *alert.Alert) (steps int) {
	for _, s := range a.Steps {
		if s.Count > 0 {
			steps++
		}
	}
	return steps
}

// revision tells in one line what became of an alert that was told before.
func (f *follower) revision(a *alert.Alert) string {
	what := plural(a.Count, "event") + ", last " + ago(a.Last, f.now())
	if a.Status == alert.Merged {
		what = "into " + plain(a.MergedInto)
	}
	return fmt.Sprintf("%s %s  %s  %s, %s  (alert %s)\n", plain(string(a.Status)), f.colour.severity(a.Severity), plain(a.Title),
		plain(who(a)), what, plain(a.ID))
}

// flush prints the digest of historical alerts, one for each source.
func (f *follower) flush() {
	if text := f.history.text(f.now()); text != "" {
		f.screen.print(text)
	}
	f.history = digest{}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}
