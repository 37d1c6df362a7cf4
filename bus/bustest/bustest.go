// Package bustest gives tests a real bus: an embedded server on a temporary
// directory, without a port unless one is asked for.
package bustest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"watchword/bus"
)

// New opens a bus on a new store, closed and removed when the test ends.
func New(t testing.TB) *bus.Bus {
	t.Helper()
	return NewStore(t).Open()
}

// A Store is a store directory that a test opens, closes and opens again.
type Store struct {
	Config bus.Config // to change before Open
	t      testing.TB
	open   *bus.Bus
}

// NewStore names a new store and opens nothing yet. Its bus is closed when the
// test ends.
func NewStore(t testing.TB) *Store {
	t.Helper()
	s := &Store{t: t, Config: bus.Config{Store: t.TempDir(), Logger: Logger(t)}}
	t.Cleanup(s.Close)
	return s
}

// Open opens the store; when it is open, it is closed first: the same as a
// restart of the program.
func (s *Store) Open() *bus.Bus {
	s.t.Helper()
	s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b, err := bus.Open(ctx, s.Config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.open = b
	return b
}

// OpenOn opens the store with a listener for ordinary clients on a free port of
// the loopback address, the same each time; Bus.Addr says which.
func (s *Store) OpenOn() *bus.Bus {
	s.t.Helper()
	if s.Config.Listen == "" {
		s.Config.Listen = "127.0.0.1:0"
	}
	b := s.Open()
	s.Config.Listen = strings.TrimPrefix(b.Addr(), "nats://")
	return b
}

// Close closes the bus if it is open.
func (s *Store) Close() {
	s.t.Helper()
	if s.open == nil {
		return
	}
	if err := s.open.Close(); err != nil {
		s.t.Errorf("close the bus: %v", err)
	}
	s.open = nil
}

// Connect opens a second bus on the server of b, which listens: as a process of
// its own would.
func Connect(t testing.TB, b *bus.Bus) *bus.Bus {
	t.Helper()
	if b.Addr() == "" {
		t.Fatal("bustest.Connect: the bus does not listen: use OpenOn")
	}
	c, err := bus.Open(t.Context(), bus.Config{URL: b.Addr(), Logger: Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Put commits messages to a stream in batches, whatever is on their subjects
// already: the fence of each batch is read first.
func Put(t testing.TB, b *bus.Bus, stream string, msgs ...bus.Message) uint64 {
	t.Helper()
	var seq uint64
	for len(msgs) > 0 {
		n := cut(msgs)
		last := msgs[n-1].Subject
		fence := bus.Fence{Subject: last}
		if m, err := b.Last(t.Context(), stream, last); err == nil {
			fence.Last = m.Seq
		}
		var err error
		if seq, err = b.Commit(t.Context(), stream, fence, msgs[:n]); err != nil {
			t.Fatal(err)
		}
		msgs = msgs[n:]
	}
	return seq
}

// cut is the length of the longest batch at the start of msgs whose last
// subject is in it once.
func cut(msgs []bus.Message) int {
	msgs = msgs[:min(len(msgs), bus.MaxBatch)]
	count := map[string]int{}
	n := 1
	for i := range msgs {
		count[msgs[i].Subject]++
		if count[msgs[i].Subject] == 1 {
			n = i + 1
		}
	}
	return n
}

// Fill stores n events-like messages of about size bytes, spread over as many
// subjects, each batch ended by a marker as a poller's is. It returns the last
// sequence.
func Fill(t testing.TB, b *bus.Bus, n, subjects, size int) uint64 {
	t.Helper()
	body := make([]byte, size)
	for i := range body {
		body[i] = "abcdefghijklmnopqrstuvwxyz \"{}:,0123456789"[i*7%42]
	}
	var seq uint64
	fence := bus.Fence{Subject: "progress.fill.signins"}
	if m, err := b.Last(t.Context(), bus.Events, fence.Subject); err == nil {
		fence.Last = m.Seq
	}
	for i := 0; i < n; {
		var batch []bus.Message
		for ; i < n && len(batch) < 500; i++ {
			batch = append(batch, bus.Message{Subject: fmt.Sprintf("events.onepassword.signin.fill.%d", i%max(1, subjects)), Data: body})
		}
		batch = append(batch, bus.Message{Subject: fence.Subject, Data: fmt.Appendf(nil, "%d", i), Rollup: true, Keep: true})
		var err error
		if seq, err = b.Commit(t.Context(), bus.Events, fence, batch); err != nil {
			t.Fatal(err)
		}
		fence.Last = seq
	}
	return seq
}

// Logger writes warnings and worse to the test's own log, until the test ends.
func Logger(t testing.TB) *slog.Logger {
	w := &testWriter{t: t}
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.over = true
	})
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type testWriter struct {
	mu   sync.Mutex
	over bool // a test that has ended takes no more lines
	t    testing.TB
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.t.Log(strings.TrimSuffix(string(p), "\n"))
	}
	return len(p), nil
}
