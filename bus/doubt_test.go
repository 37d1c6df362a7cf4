package bus_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
)

// A wire stands between a client and its server and can lose what goes one way.
type wire struct {
	listener     net.Listener
	to           string
	losesAnswers atomic.Bool // the server hears and is not heard
	losesAll     atomic.Bool // nobody hears anything
	conns        sync.Map
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: strings.TrimPrefix(to, "nats://")}
	t.Cleanup(func() {
		l.Close()
		w.cut()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", w.to)
			if err != nil {
				c.Close()
				continue
			}
			w.conns.Store(c, nil)
			w.conns.Store(s, nil)
			go w.carry(s, c, func() bool { return w.losesAll.Load() })
			go w.carry(c, s, func() bool { return w.losesAll.Load() || w.losesAnswers.Load() })
		}
	}()
	return w
}

func (w *wire) url() string { return "nats://" + w.listener.Addr().String() }

func (w *wire) carry(to, from net.Conn, loses func() bool) {
	defer to.Close()
	defer from.Close()
	for b := make([]byte, 1<<16); ; {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if loses() {
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// cut ends all connections; what is lost in the middle of a line stays lost.
func (w *wire) cut() {
	w.conns.Range(func(c, _ any) bool {
		c.(io.Closer).Close()
		w.conns.Delete(c)
		return true
	})
}

// distant is a bus whose server is behind a wire.
func distant(t *testing.T) (near, far *bus.Bus, w *wire) {
	t.Helper()
	near = bustest.NewStore(t).OpenOn()
	w = newWire(t, near.Addr())
	far, err := bus.Open(t.Context(), bus.Config{URL: w.url(), Logger: bustest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	bus.Hurry(far, 200*time.Millisecond)
	return near, far, w
}

// The commit is stored and its answer lost: it is found to be stored, once.
func TestAnswerLost(t *testing.T) {
	for _, n := range []int{0, 20} {
		near, far, w := distant(t)
		w.losesAnswers.Store(true)
		type result struct {
			seq uint64
			err error
		}
		done := make(chan result, 1)
		go func() {
			seq, err := far.Commit(context.Background(), bus.Events, bus.Fence{Subject: marker}, page(n, "mine"))
			done <- result{seq, err}
		}()
		want := uint64(n + 1)
		waitFor(t, "the commit to be stored", func() bool { return count(t, near, bus.Events) == want })
		w.losesAnswers.Store(false)
		w.cut()
		if r := <-done; r.err != nil || r.seq != want {
			t.Fatalf("sequence %d (%v), want %d", r.seq, r.err, want)
		}
		if have := count(t, near, bus.Events); have != want {
			t.Fatalf("%d messages are stored, want %d: once", have, want)
		}
	}
}

// The commit is lost on the way: it is sent again.
func TestCommitLost(t *testing.T) {
	near, far, w := distant(t)
	w.losesAll.Store(true)
	done := make(chan error, 1)
	go func() {
		_, err := far.Commit(context.Background(), bus.Events, bus.Fence{Subject: marker}, page(20, "mine"))
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("the commit answered %v while nothing gets through", err)
	case <-time.After(300 * time.Millisecond): // longer than it waits for an answer
	}
	w.losesAll.Store(false)
	w.cut()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if have := count(t, near, bus.Events); have != 21 {
		t.Fatalf("%d messages are stored, want 21: once", have)
	}
}

// The answer is lost and another writer goes on from what was stored: the first
// learns that it is behind.
func TestOvertakenInDoubt(t *testing.T) {
	near, far, w := distant(t)
	w.losesAnswers.Store(true)
	done := make(chan error, 1)
	go func() {
		_, err := far.Commit(context.Background(), bus.Events, bus.Fence{Subject: marker}, page(3, "first"))
		done <- err
	}()
	waitFor(t, "the commit to be stored", func() bool { return count(t, near, bus.Events) == 4 })
	if _, err := near.Commit(t.Context(), bus.Events, bus.Fence{Subject: marker, Last: 4}, page(3, "second")); err != nil {
		t.Fatal(err)
	}
	w.losesAnswers.Store(false)
	w.cut()
	if err := <-done; !errors.Is(err, bus.ErrFenced) {
		t.Fatalf("error %v, want %v", err, bus.ErrFenced)
	}
}

// Two writers send the very same messages: only one of them has stored them.
func TestSameDataIsNotMine(t *testing.T) {
	near, far, w := distant(t)
	w.losesAll.Store(true)
	done := make(chan error, 1)
	go func() {
		_, err := far.Commit(context.Background(), bus.Events, bus.Fence{Subject: marker}, page(3, "same"))
		done <- err
	}()
	if _, err := near.Commit(t.Context(), bus.Events, bus.Fence{Subject: marker}, page(3, "same")); err != nil {
		t.Fatal(err)
	}
	w.losesAll.Store(false)
	w.cut()
	if err := <-done; !errors.Is(err, bus.ErrFenced) {
		t.Fatalf("error %v, want %v", err, bus.ErrFenced)
	}
}

func TestServerAway(t *testing.T) {
	_, far, w := distant(t)
	w.losesAll.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	if _, err := far.Commit(ctx, bus.Events, bus.Fence{Subject: marker}, page(3, "x")); !errors.Is(err, bus.ErrUnavailable) {
		t.Fatalf("with the server mute: %v, want %v", err, bus.ErrUnavailable)
	}
	if _, err := far.Last(t.Context(), bus.Events, marker); !errors.Is(err, bus.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a read with the server mute: %v, want %v and not an error of ctx", err, bus.ErrUnavailable)
	}
	w.listener.Close()
	w.cut()
	ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := far.Commit(ctx, bus.Events, bus.Fence{Subject: marker}, page(3, "x")); !errors.Is(err, bus.ErrUnavailable) {
		t.Fatalf("with the server gone: %v, want %v", err, bus.ErrUnavailable)
	}
	waitFor(t, "the connection to be seen lost", func() bool {
		far.Look(t.Context())
		h := far.Health()
		return len(h) == 1 && h[0].What == "connection"
	})
}
