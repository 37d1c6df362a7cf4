package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
)

const marker = "progress.acme.signins"

// page is what a poller commits: n events and the marker.
func page(n int, marked string) []bus.Message {
	var out []bus.Message
	for i := range n {
		out = append(out, bus.Message{Subject: fmt.Sprintf("events.onepassword.signin.acme.u%d", i%7), Data: fmt.Appendf(nil, "%s event %d", marked, i)})
	}
	return append(out, bus.Message{Subject: marker, Data: []byte(marked), Rollup: true, Keep: true})
}

// count is how many messages a stream has.
func count(t *testing.T, b *bus.Bus, stream string) uint64 {
	t.Helper()
	info, err := b.Info(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return info.Messages
}

func TestCommitIsAllOrNothing(t *testing.T) {
	b := bustest.New(t)
	ctx := t.Context()
	for _, n := range []int{0, 1, 10, bus.MaxBatch - 1} {
		t.Run(fmt.Sprint(n, " events"), func(t *testing.T) {
			before := count(t, b, bus.Events)
			fence := bus.Fence{Subject: marker}
			if m, err := b.Last(ctx, bus.Events, marker); err == nil {
				fence.Last, before = m.Seq, before-1 // rolled up
			}
			seq, err := b.Commit(ctx, bus.Events, fence, page(n, fmt.Sprint("page of ", n)))
			if err != nil {
				t.Fatal(err)
			}
			if have, want := count(t, b, bus.Events), before+uint64(n)+1; have != want {
				t.Fatalf("the stream has %d messages, want %d", have, want)
			}
			m, err := b.Last(ctx, bus.Events, marker)
			if err != nil || m.Seq != seq || string(m.Data) != fmt.Sprint("page of ", n) {
				t.Fatalf("the marker is %q at %d (%v), want the last message at %d", m.Data, m.Seq, err, seq)
			}
			for _, stale := range []uint64{0, seq - 1, seq + 1} {
				if _, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: marker, Last: stale}, page(n, "stale")); !errors.Is(err, bus.ErrFenced) {
					t.Fatalf("commit behind fence %d: %v, want %v", stale, err, bus.ErrFenced)
				}
			}
			if have, want := count(t, b, bus.Events), before+uint64(n)+1; have != want {
				t.Fatalf("after refusals the stream has %d messages, want %d", have, want)
			}
		})
	}
}

func TestCommitRefuses(t *testing.T) {
	b := bustest.New(t)
	big := make([]byte, 1<<20)
	var heavy []bus.Message
	for i := range 80 {
		heavy = append(heavy, bus.Message{Subject: fmt.Sprint("events.a.b.c.", i), Data: big[:900<<10]})
	}
	for _, c := range []struct {
		name   string
		stream string
		msgs   []bus.Message
		want   string
	}{
		{"nothing", bus.Events, nil, "0 messages"},
		{"too many", bus.Events, page(bus.MaxBatch, "x"), "1001 messages"},
		{"no such stream", "OTHER", page(1, "x"), "no such stream"},
		{"a subject of the other stream", bus.Alerts, page(1, "x"), `"events.onepassword.signin.acme.u0" is not one of this stream's`},
		{"a wildcard", bus.Events, append([]bus.Message{{Subject: "events.*"}}, page(0, "x")...), `"events.*"`},
		{"an empty token", bus.Events, append([]bus.Message{{Subject: "events..x"}}, page(0, "x")...), `"events..x"`},
		{"a space", bus.Events, append([]bus.Message{{Subject: "events.a b"}}, page(0, "x")...), `"events.a b"`},
		{"a line of its own", bus.Events, append([]bus.Message{{Subject: "events.a\r\nPUB x 0"}}, page(0, "x")...), "is not one of"},
		{"a subject too long for a server", bus.Events, append([]bus.Message{{Subject: "events." + strings.Repeat("x", 5000)}}, page(0, "x")...), "is not one of"},
		{"a message too large", bus.Events, append([]bus.Message{{Subject: "events.large", Data: big}}, page(0, "x")...), "events.large has 1048576 bytes"},
		{"a batch too large", bus.Events, append(heavy, page(0, "x")...), "at most 64.0 MiB"},
		{"the fence not last", bus.Events, append(page(0, "x"), bus.Message{Subject: "events.x"}), "the last message and no other"},
		{"the fence twice", bus.Events, append(page(0, "x"), page(0, "y")...), "the last message and no other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := b.Commit(t.Context(), c.stream, bus.Fence{Subject: marker}, c.msgs)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if n := count(t, b, bus.Events); n != 0 {
		t.Fatalf("%d messages were stored, want none", n)
	}
}

func TestCommitTakesTheLargest(t *testing.T) {
	b := bustest.New(t)
	data := bytes.Repeat([]byte("x"), 1<<20-512)
	var batch []bus.Message
	for i := range 20 {
		batch = append(batch, bus.Message{Subject: fmt.Sprint("events.a.b.c.", i), Data: data})
	}
	if _, err := b.Commit(t.Context(), bus.Events, bus.Fence{Subject: marker}, append(batch, page(0, "x")...)); err != nil {
		t.Fatal(err)
	}
	got, err := b.Get(t.Context(), bus.Events, 20)
	if err != nil || !bytes.Equal(got.Data, data) {
		t.Fatalf("message 20 has %d bytes (%v), want %d", len(got.Data), err, len(data))
	}
}

func TestRollupAndKeep(t *testing.T) {
	s := bustest.NewStore(t)
	s.Config.Limits.EventsAge = time.Second
	b := s.Open()
	ctx := t.Context()
	first, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: marker}, page(3, "one"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: marker, Last: first}, page(3, "two"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(ctx, bus.Events, first); !errors.Is(err, bus.ErrNotFound) {
		t.Fatalf("the marker before the newest: %v, want %v", err, bus.ErrNotFound)
	}
	waitFor(t, "events to age out", func() bool { return count(t, b, bus.Events) == 1 })
	if m, err := b.Last(ctx, bus.Events, marker); err != nil || m.Seq != second {
		t.Fatalf("the kept marker: sequence %d (%v), want %d", m.Seq, err, second)
	}
}

// Many writers of one fence: each step is taken by exactly one.
func TestOneWriterWins(t *testing.T) {
	b := bustest.New(t)
	ctx := t.Context()
	const writers, steps = 5, 10
	var won atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for won.Load() < steps {
				fence := bus.Fence{Subject: marker}
				if m, err := b.Last(ctx, bus.Events, marker); err == nil {
					fence.Last = m.Seq
				}
				_, err := b.Commit(ctx, bus.Events, fence, page(20, fmt.Sprint("writer ", w)))
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, bus.ErrFenced):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if have, want := count(t, b, bus.Events), uint64(won.Load())*20+1; have != want {
		t.Fatalf("%d commits left %d messages, want %d", won.Load(), have, want)
	}
}

// Writers of different fences do not hinder each other, however many there are.
func TestManyFences(t *testing.T) {
	b := bustest.New(t)
	const partitions, each = 60, 2
	var wg sync.WaitGroup
	for p := range partitions {
		wg.Go(func() {
			fence := bus.Fence{Subject: fmt.Sprint("ledger.", p)}
			for i := range each {
				seq, err := b.Commit(t.Context(), bus.Alerts, fence, []bus.Message{
					{Subject: fmt.Sprintf("alerts.opened.high.r.%d-%d", p, i), Data: []byte("alert")},
					{Subject: fence.Subject, Data: fmt.Append(nil, i), Rollup: true, Keep: true},
				})
				if err != nil {
					t.Error(err)
					return
				}
				fence.Last = seq
			}
		})
	}
	wg.Wait()
	if have, want := count(t, b, bus.Alerts), uint64(partitions*each+partitions); have != want {
		t.Fatalf("%d messages, want %d", have, want)
	}
}

func TestFullStream(t *testing.T) {
	s := bustest.NewStore(t)
	s.Config.Limits.EventsBytes = 256 << 10
	b := s.Open()
	ctx := t.Context()
	fill := func(n int) (stored int, err error) {
		fence := bus.Fence{Subject: marker}
		if m, err := b.Last(ctx, bus.Events, marker); err == nil {
			fence.Last = m.Seq
		}
		for ; stored < n; stored++ {
			msgs := page(30, fmt.Sprint("page ", stored))
			for i := range msgs[:30] {
				msgs[i].Data = bytes.Repeat([]byte("x"), 1000)
			}
			if fence.Last, err = b.Commit(ctx, bus.Events, fence, msgs); err != nil {
				return stored, err
			}
		}
		return stored, nil
	}
	n, err := fill(100)
	if !errors.Is(err, bus.ErrFull) {
		t.Fatalf("after %d pages: %v, want %v", n, err, bus.ErrFull)
	}
	if have, want := count(t, b, bus.Events), uint64(n*30+1); have != want {
		t.Fatalf("the full stream has %d messages, want %d pages whole: %d", have, n, want)
	}
	before := count(t, b, bus.Events)
	if _, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: "progress.other.x"}, []bus.Message{{Subject: "progress.other.x", Data: bytes.Repeat([]byte("x"), 100<<10)}}); !errors.Is(err, bus.ErrFull) {
		t.Fatalf("a single message: %v, want %v", err, bus.ErrFull)
	}
	if have := count(t, b, bus.Events); have != before {
		t.Fatalf("a refused commit left %d messages, want %d", have, before)
	}
	b.Look(ctx)
	wantTrouble(t, b, "EVENTS full", true)

	s.Config.Limits.EventsBytes = 2 << 20
	b = s.Open()
	if have := count(t, b, bus.Events); have != before {
		t.Fatalf("after the limit was raised there are %d messages, want %d", have, before)
	}
	if n, err := fill(20); err != nil {
		t.Fatalf("page %d after the limit was raised: %v", n, err)
	}
	if b.Look(ctx); len(b.Health()) > 0 {
		t.Fatalf("trouble %+v, want none", b.Health())
	}
}

func TestFullDisk(t *testing.T) {
	b := bustest.New(t)
	ctx := t.Context()
	seq, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: marker}, page(3, "one"))
	if err != nil {
		t.Fatal(err)
	}
	floor := bus.SetFloor(b, 1<<60)
	if _, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: marker, Last: seq}, page(3, "two")); !errors.Is(err, bus.ErrFull) {
		t.Fatalf("with no room on the disk: %v, want %v", err, bus.ErrFull)
	}
	b.Look(ctx)
	wantTrouble(t, b, "disk", true)
	since := b.Health()[0].Since
	b.Look(ctx)
	if again := b.Health()[0].Since; !again.Equal(since) {
		t.Fatalf("the same trouble begins %v, want %v", again, since)
	}

	bus.SetFloor(b, floor)
	if _, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: marker, Last: seq}, page(3, "two")); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if b.Look(ctx); len(b.Health()) > 0 {
		t.Fatalf("trouble %+v, want none", b.Health())
	}
}

func TestCommitGivesUp(t *testing.T) {
	b := bustest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: marker}, page(3, "x")); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
}

// wantTrouble checks that there is one trouble of that name.
func wantTrouble(t *testing.T, b *bus.Bus, what string, stops bool) {
	t.Helper()
	h := b.Health()
	if len(h) != 1 || h[0].What != what || h[0].Text == "" || h[0].Since.IsZero() || h[0].Stops != stops {
		t.Fatalf("trouble %+v, want one of %q, stopping: %v", h, what, stops)
	}
}

// waitFor polls until ok, and fails after ten seconds.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
