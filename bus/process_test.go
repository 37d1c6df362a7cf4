package bus_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"watchword/bus"
	"watchword/bus/bustest"
)

func TestStoreInUse(t *testing.T) {
	s := used(t)
	dir := s.Config.Store
	p := start(t, "hold", dir)
	wantRefused(t, bus.Config{Store: dir}, dir, fmt.Sprint("in use by process ", p.cmd.Process.Pid))
	p.kill()
	// The lock went with its holder; its socket's file did not.
	if _, err := os.Stat(filepath.Join(dir, "watchword.sock")); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s.Open(), bus.Events); n != 61 {
		t.Fatalf("the stream has %d messages, want 61", n)
	}
}

// A command reads what another process serves, as it goes on.
func TestAttach(t *testing.T) {
	s := bustest.NewStore(t)
	owner := s.Open()
	bustest.Fill(t, owner, 1000, 10, 100)
	c := s.Config
	c.ReadOnly = true
	b, err := bus.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Addr() != "" || owner.Addr() != "" {
		t.Fatalf("a port is open at %q %q, want none", b.Addr(), owner.Addr())
	}
	fi, err := os.Stat(filepath.Join(c.Store, "watchword.sock"))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Fatalf("the socket's mode is %v (%v), want 0600", fi.Mode(), err)
	}
	r := read(t, b, bus.Events, bus.ReadOptions{Filters: []string{bus.AllEvents}})
	for n := 0; n < 2000; {
		if n == 1000 {
			bustest.Fill(t, owner, 1000, 10, 100)
		}
		got, err := r.Next(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		n += len(got)
	}
	if _, err := b.Commit(t.Context(), bus.Events, bus.Fence{Subject: marker}, page(1, "x")); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Fatalf("a commit by a reader: %v, want an error that says read-only", err)
	}
	// The reader leaves, the owner stays; then the owner leaves.
	b.Close()
	if n := count(t, owner, bus.Events); n != 2001 {
		t.Fatalf("the stream has %d messages, want 2001", n)
	}
}

// Without an owner a reader serves the store itself, other readers attach to
// it, and an owner that comes waits for it to finish.
func TestReadersAlone(t *testing.T) {
	s := used(t)
	dir := s.Config.Store
	first := start(t, "read", dir)
	second, err := bus.Open(t.Context(), bus.Config{Store: dir, ReadOnly: true, Logger: bustest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, second, bus.Events); n != 61 {
		t.Fatalf("the stream has %d messages, want 61", n)
	}
	second.Close()
	opened := make(chan *bus.Bus)
	go func() { opened <- s.Open() }()
	first.finish()
	if n := count(t, <-opened, bus.Events); n != 61 {
		t.Fatalf("the stream has %d messages, want 61", n)
	}
}

// A path that is too long for a unix socket gets its socket elsewhere.
func TestLongStorePath(t *testing.T) {
	s := bustest.NewStore(t)
	s.Config.Store = filepath.Join(s.Config.Store, strings.Repeat("long", 30))
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	owner := s.Open()
	bustest.Fill(t, owner, 10, 1, 10)
	c := s.Config
	c.ReadOnly = true
	b, err := bus.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, b, bus.Events); n != 11 {
		t.Fatalf("the stream has %d messages, want 11", n)
	}
	b.Close()
	s.Close()
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Fatalf("%v was left in the temporary directory", left)
	}
	p := start(t, "hold", c.Store)
	p.kill()
	s.Open()
	if left, _ := os.ReadDir(tmp); len(left) != 1 {
		t.Fatalf("%v are in the temporary directory, want one socket: the killed process's is stale", left)
	}
	t.Setenv("TMPDIR", filepath.Join(tmp, strings.Repeat("also", 30)))
	if err := os.Mkdir(os.TempDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	s.Close()
	wantRefused(t, s.Config, "too long for a unix socket")
}

// A process killed while it writes leaves each batch whole or absent, nothing it
// was told is stored is missing, and the next goes on behind the same fence.
func TestKilledWriter(t *testing.T) {
	s := bustest.NewStore(t)
	rounds, batches := 3, 25
	if os.Getenv("WATCHWORD_LONG") != "" {
		rounds, batches = 40, 60
	}
	s.Open()
	s.Close()
	for round := range rounds {
		p := start(t, "write", s.Config.Store)
		acked := 0
		for range batches + round {
			k, err := strconv.Atoi(p.line())
			if err != nil {
				t.Fatal(err)
			}
			acked = k
		}
		p.kill()
		b := s.Open()
		_, last, err := lastBatch(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if last < acked {
			t.Fatalf("round %d: the newest batch is %d, the writer was told that %d is stored", round, last, acked)
		}
		got := map[string]int{}
		info, err := b.Info(t.Context(), bus.Events)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range drain(t, read(t, b, bus.Events, bus.ReadOptions{Filters: []string{"events.test.>"}, Until: info.LastSeq}), 1000) {
			got[string(m.Data)]++
		}
		for k := 1; k <= last; k++ {
			if n := got[strconv.Itoa(k)]; n != batchSize {
				t.Fatalf("round %d: batch %d has %d messages, want %d", round, k, n, batchSize)
			}
		}
		if len(got) != last {
			t.Fatalf("round %d: %d batches, want %d", round, len(got), last)
		}
		s.Close()
	}
}
