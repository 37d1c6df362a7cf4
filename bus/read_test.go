package bus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
)

// drain reads until io.EOF.
func drain(t *testing.T, r *bus.Reader, atMost int) []bus.Stored {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out []bus.Stored
	for {
		got, err := r.Next(ctx, atMost)
		if len(got) > atMost {
			t.Fatalf("%d messages at once, want at most %d", len(got), atMost)
		}
		out = append(out, got...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("after %d messages: %v", len(out), err)
		}
	}
}

func read(t *testing.T, b *bus.Bus, stream string, o bus.ReadOptions) *bus.Reader {
	t.Helper()
	r, err := b.Read(t.Context(), stream, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// everything is what the stream holds, read one by one.
func everything(t *testing.T, b *bus.Bus, stream string) []bus.Stored {
	t.Helper()
	info, err := b.Info(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	var out []bus.Stored
	for seq := max(1, info.FirstSeq); seq <= info.LastSeq; seq++ {
		m, err := b.Get(t.Context(), stream, seq)
		if errors.Is(err, bus.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

func seqs(ms []bus.Stored) []uint64 {
	out := make([]uint64, len(ms))
	for i, m := range ms {
		out[i] = m.Seq
	}
	return out
}

// Whatever is asked for comes in order, each once, and nothing else: compared
// with the stream read message by message.
func TestRead(t *testing.T) {
	b := bustest.New(t)
	fence := bus.Fence{Subject: marker}
	for i := range 40 {
		msgs := page(60, fmt.Sprint("page ", i))
		for j := range msgs[:60] {
			kind := []string{"signin", "signin", "signin", "signin", "audit", "itemusage"}[j%6]
			msgs[j].Subject = fmt.Sprintf("events.onepassword.%s.acme.u%d", kind, (i*60+j)%97)
		}
		var err error
		if fence.Last, err = b.Commit(t.Context(), bus.Events, fence, msgs); err != nil {
			t.Fatal(err)
		}
	}
	all := everything(t, b, bus.Events)
	if len(all) != 40*60+1 {
		t.Fatalf("the stream has %d messages, want %d", len(all), 40*60+1)
	}
	last := all[len(all)-1].Seq
	for _, filters := range [][]string{
		nil,
		{bus.AllEvents},
		{bus.AllEvents, bus.AllProgress},
		{bus.AllProgress},
		{bus.AllQuarantined},
		{"events.onepassword.signin.>"},
		{"events.*.audit.>", bus.AllProgress},
		{"events.*.*.*.u13"},
		{"events.*.*.*.u13", "events.*.*.*.u14", "events.*.*.*.u96", "progress.acme.*"},
		{"events.onepassword.signin.acme.u1"},
	} {
		for _, from := range []uint64{0, 700, last, last + 1} {
			for _, until := range []uint64{1, 699, 1200, last} {
				want := []bus.Stored{}
				for _, m := range all {
					if m.Seq >= from && m.Seq <= until && selected(filters, m.Subject) {
						want = append(want, m)
					}
				}
				r := read(t, b, bus.Events, bus.ReadOptions{Filters: filters, StartSeq: from, Until: until})
				got := drain(t, r, 1+rand.IntN(300))
				if !slices.EqualFunc(got, want, func(a, b bus.Stored) bool {
					return a.Subject == b.Subject && string(a.Data) == string(b.Data) && a.Seq == b.Seq && a.Time.Equal(b.Time)
				}) {
					t.Fatalf("filters %v from %d until %d: sequences %v, want %v", filters, from, until, seqs(got), seqs(want))
				}
				r.Close()
			}
		}
	}
}

// selected is the slow and obvious form of a filter.
func selected(filters []string, subject string) bool {
	for _, f := range filters {
		if bus.Matches(f, subject) {
			return true
		}
	}
	return len(filters) == 0
}

func TestReadFromTime(t *testing.T) {
	b := bustest.New(t)
	bustest.Fill(t, b, 1500, 20, 50)
	all := everything(t, b, bus.Events)
	for _, i := range []int{0, 1, 499, 750, len(all) - 1} {
		from := all[i].Time
		var want []uint64
		for _, m := range all {
			if !m.Time.Before(from) {
				want = append(want, m.Seq)
			}
		}
		got := drain(t, read(t, b, bus.Events, bus.ReadOptions{StartTime: from, Until: all[len(all)-1].Seq}), 100)
		if !slices.Equal(seqs(got), want) {
			t.Fatalf("from the time of message %d: %d messages, want %d", all[i].Seq, len(got), len(want))
		}
	}
	// From later than everything: what is stored from then on, and only that.
	last := all[len(all)-1]
	r := read(t, b, bus.Events, bus.ReadOptions{StartTime: last.Time.Add(time.Nanosecond)})
	seq := bustest.Put(t, b, bus.Events, bus.Message{Subject: "events.a.b.c.d", Data: []byte("new")})
	got, err := r.Next(t.Context(), 10)
	if err != nil || len(got) != 1 || got[0].Seq != seq {
		t.Fatalf("%v (%v), want message %d", seqs(got), err, seq)
	}
	if got := drain(t, read(t, b, bus.Events, bus.ReadOptions{StartTime: time.Now().Add(time.Hour), Until: seq}), 10); len(got) > 0 {
		t.Fatalf("from the future until now: %v, want nothing", seqs(got))
	}
}

// A reader that follows sees what is committed while it waits, in order.
func TestFollow(t *testing.T) {
	b := bustest.New(t)
	r := read(t, b, bus.Events, bus.ReadOptions{Filters: []string{bus.AllEvents, bus.AllProgress}})
	const pages = 30
	go func() {
		fence := bus.Fence{Subject: marker}
		for i := range pages {
			msgs := page(50, fmt.Sprint("page ", i))
			msgs[50].Rollup = false
			seq, err := b.Commit(context.Background(), bus.Events, fence, msgs)
			if err != nil {
				t.Error(err)
				return
			}
			fence.Last = seq
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	next := uint64(1)
	for next <= pages*51 {
		got, err := r.Next(ctx, 64)
		if err != nil {
			t.Fatalf("at %d: %v", next, err)
		}
		for _, m := range got {
			if m.Seq != next {
				t.Fatalf("sequence %d, want %d", m.Seq, next)
			}
			next++
		}
	}
	if r.Pending() != 0 {
		t.Fatalf("%d pending, want none", r.Pending())
	}
}

// Until may lie ahead of the stream: the reader ends when the stream gets there,
// though nothing that matches comes.
func TestUntilAhead(t *testing.T) {
	b := bustest.New(t)
	last := bustest.Fill(t, b, 100, 3, 20)
	r := read(t, b, bus.Events, bus.ReadOptions{Filters: []string{"events.never.>"}, Until: last + 5})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if got, err := r.Next(ctx, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v (%v), want to wait", seqs(got), err)
	}
	bustest.Fill(t, b, 100, 3, 20)
	if got := drain(t, r, 10); len(got) > 0 {
		t.Fatalf("%v, want nothing", seqs(got))
	}
	if _, err := r.Next(t.Context(), 10); !errors.Is(err, io.EOF) {
		t.Fatalf("after the end: %v, want io.EOF again", err)
	}
}

func TestReadErrors(t *testing.T) {
	b := bustest.New(t)
	last := bustest.Fill(t, b, 10, 1, 10)
	if _, err := b.Read(t.Context(), bus.Events, bus.ReadOptions{StartSeq: last + 2}); err == nil {
		t.Error("a start beyond the end was taken, want an error: the log is another one")
	}
	if _, err := b.Read(t.Context(), "OTHER", bus.ReadOptions{}); err == nil {
		t.Error("a stream that is not there was taken")
	}
	r := read(t, b, bus.Events, bus.ReadOptions{StartSeq: last + 1})
	if _, err := r.Next(t.Context(), 0); err == nil {
		t.Error("at most 0 messages was taken")
	}
	done := make(chan error)
	go func() {
		_, err := r.Next(context.Background(), 1)
		done <- err
	}()
	r.Close()
	if err := <-done; !errors.Is(err, bus.ErrClosed) {
		t.Errorf("Next of a closed reader: %v, want %v", err, bus.ErrClosed)
	}
	r.Close()

	r = read(t, b, bus.Events, bus.ReadOptions{StartSeq: last + 1})
	go func() {
		_, err := r.Next(context.Background(), 1)
		done <- err
	}()
	b.Close()
	if err := <-done; !errors.Is(err, bus.ErrClosed) {
		t.Errorf("Next of a closed bus: %v, want %v", err, bus.ErrClosed)
	}
}

// A reader whose consumer the server has forgotten goes on where it was.
func TestConsumerLost(t *testing.T) {
	b := bustest.New(t)
	last := bustest.Fill(t, b, 6000, 50, 100)
	r := read(t, b, bus.Events, bus.ReadOptions{Filters: []string{bus.AllEvents}, Until: last})
	var got []bus.Stored
	for i := 0; ; i++ {
		if i%4 == 2 {
			bus.LoseConsumer(t, r)
		}
		ms, err := r.Next(t.Context(), 500)
		got = append(got, ms...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 6000 {
		t.Fatalf("%d messages, want 6000", len(got))
	}
	for i := range got[1:] {
		if got[i+1].Seq <= got[i].Seq {
			t.Fatalf("sequence %d after %d", got[i+1].Seq, got[i].Seq)
		}
	}
}

// What a reader had on the server goes with it.
func TestClosedReaderIsForgotten(t *testing.T) {
	b := bustest.New(t)
	last := bustest.Fill(t, b, 3000, 10, 10)
	var rs []*bus.Reader
	for _, o := range []bus.ReadOptions{{}, {Filters: []string{bus.AllEvents}}, {Filters: []string{"events.*.*.*.1"}}, {Until: last}} {
		r := read(t, b, bus.Events, o)
		if _, err := r.Next(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	if _, err := b.LastPerSubject(t.Context(), bus.Events, bus.AllEvents); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "one consumer for each reader", func() bool { return bus.Consumers(t, b, bus.Events) == len(rs) })
	for _, r := range rs {
		r.Close()
	}
	waitFor(t, "no consumers", func() bool { return bus.Consumers(t, b, bus.Events) == 0 })
}

// A consumer that is alive and sends nothing, or one that is dumb, is replaced.
func TestConsumerStalled(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*bus.Reader)
	}{
		{"heartbeats only", func(r *bus.Reader) { bus.StallConsumer(t, r) }},
		{"nothing at all", bus.MuteConsumer},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bustest.New(t)
			first := bustest.Fill(t, b, 10, 1, 10)
			r := read(t, b, bus.Events, bus.ReadOptions{StartSeq: first + 1})
			c.do(r)
			last := bustest.Fill(t, b, 1000, 1, 10)
			end := time.Now().Add(15 * time.Second)
			for at := first; at < last; {
				// A caller that asks again and again and never waits long.
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				got, err := r.Next(ctx, 500)
				cancel()
				if err != nil && (!errors.Is(err, context.DeadlineExceeded) || time.Now().After(end)) {
					t.Fatalf("at %d: %v", at, err)
				}
				if len(got) > 0 {
					at = got[len(got)-1].Seq
				}
			}
		})
	}
}

func TestLastPerSubject(t *testing.T) {
	b := bustest.New(t)
	ctx := t.Context()
	if got, err := b.LastPerSubject(ctx, bus.Alerts, bus.AllLedgers); err != nil || len(got) != 0 {
		t.Fatalf("%v (%v), want nothing", got, err)
	}
	const subjects = 2500 // a direct read of the newest of each takes at most 1024
	bustest.Fill(t, b, 2*subjects, subjects, 30)
	got, err := b.LastPerSubject(ctx, bus.Events, bus.AllEvents)
	if err != nil || len(got) != subjects {
		t.Fatalf("%d messages (%v), want %d", len(got), err, subjects)
	}
	want := map[string]uint64{}
	for _, m := range everything(t, b, bus.Events) {
		want[m.Subject] = m.Seq
	}
	for _, m := range got {
		if m.Seq != want[m.Subject] {
			t.Fatalf("%s at %d, want %d", m.Subject, m.Seq, want[m.Subject])
		}
	}
	if !slices.IsSorted(seqs(got)) {
		t.Fatal("not in stream order")
	}
}

// While ledgers move, every one of them is still found, at its newest or the
// one before.
func TestLastPerSubjectWhileWriting(t *testing.T) {
	b := bustest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	last := make([]uint64, bus.Partitions)
	move := func(p int) {
		seq, err := b.Commit(context.Background(), bus.Alerts, bus.Fence{Subject: bus.LedgerSubject(p), Last: last[p]},
			[]bus.Message{{Subject: bus.LedgerSubject(p), Data: []byte("ledger"), Rollup: true, Keep: true}})
		if err != nil {
			t.Error(err)
		}
		last[p] = seq
	}
	for p := range last {
		move(p)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p := 0; ctx.Err() == nil; p = (p + 1) % bus.Partitions {
			move(p)
		}
	}()
	for range 20 {
		got, err := b.LastPerSubject(t.Context(), bus.Alerts, bus.AllLedgers)
		if err != nil || len(got) != bus.Partitions {
			t.Fatalf("%d ledgers (%v), want %d", len(got), err, bus.Partitions)
		}
	}
	stop()
	<-done
}
