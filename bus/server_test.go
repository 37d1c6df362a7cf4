package bus_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"watchword/bus"
	"watchword/bus/bustest"
)

// oldServer answers as a server of some version that has nothing behind it.
func oldServer(t *testing.T, version string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprintf(c, "INFO {\"server_id\":\"X\",\"version\":%q,\"headers\":true,\"max_payload\":1048576,\"proto\":1}\r\n", version)
				for in := bufio.NewScanner(c); in.Scan(); {
					if strings.HasPrefix(in.Text(), "PING") {
						fmt.Fprint(c, "PONG\r\n")
					}
				}
			}()
		}
	}()
	return "nats://" + l.Addr().String()
}

func TestOldServer(t *testing.T) {
	for _, version := range []string{"2.10.29", "2.12.1", "2.13.99", "1.4.1", "what"} {
		wantRefused(t, bus.Config{URL: oldServer(t, version)}, "nats-server "+version, "2.15.2 or newer is needed")
	}
	var said strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := bus.Open(ctx, bus.Config{URL: oldServer(t, "2.14.3"), Logger: slog.New(slog.NewTextHandler(&said, nil))})
	if err == nil || strings.Contains(err.Error(), "newer is needed") {
		t.Fatalf("version 2.14.3: %v, want to go on to ask for JetStream", err)
	}
	if !strings.Contains(said.String(), "the server is old") {
		t.Fatalf("the log says %q, want a warning of the version", said.String())
	}
}

// Neither a password nor a token in a URL is ever said.
func TestURLSecrets(t *testing.T) {
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	locked := external(t, &server.Options{Authorization: "hunter2", JetStream: true, StoreDir: t.TempDir()})
	good := strings.Replace(locked, "nats://", "nats://hunter2@", 1)
	for _, url := range []string{
		"nats://127.0.0.1:1", "nats://hunter2@127.0.0.1:1", "nats://me:hunter2@127.0.0.1:1,nats://hunter2@127.0.0.1:2",
		"nats://me:hunter2@[::1", "nats://me:hunter2@", "hunter2", strings.Replace(locked, "nats://", "nats://me:hunter2@", 1),
		strings.Replace(oldServer(t, "2.10.0"), "nats://", "nats://hunter2@", 1),
	} {
		_, err := bus.Open(t.Context(), bus.Config{URL: url, Logger: log})
		if err == nil {
			t.Fatalf("%s was taken", url)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %q repeats the secret", err)
		}
	}
	b, err := bus.Open(t.Context(), bus.Config{URL: good, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	b.Look(t.Context())
	if text := fmt.Sprint(b.Addr(), b.Health(), said.String()); strings.Contains(text, "hunter2") {
		t.Errorf("%s repeats the secret", text)
	}
}

// external runs a server as an operator would.
func external(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.ClientURL()
}

func TestExternalServer(t *testing.T) {
	t.Run("nobody there", func(t *testing.T) {
		wantRefused(t, bus.Config{URL: "nats://127.0.0.1:1"}, "nats://127.0.0.1:1", "no servers available")
	})
	t.Run("no JetStream", func(t *testing.T) {
		wantRefused(t, bus.Config{URL: external(t, &server.Options{})}, "no JetStream")
	})
	t.Run("nothing there to read", func(t *testing.T) {
		url := external(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
		wantRefused(t, bus.Config{URL: url, ReadOnly: true}, "no stream EVENTS yet")
	})
	t.Run("another's stream", func(t *testing.T) {
		for _, c := range []struct {
			field string
			have  jetstream.StreamConfig
		}{
			{"its subjects are orders.>, should be events.> progress.> quarantine.>", jetstream.StreamConfig{Subjects: []string{"orders.>"}}},
			{"its storage is Memory, should be File", jetstream.StreamConfig{Subjects: []string{"events.>", "progress.>", "quarantine.>"}, Storage: jetstream.MemoryStorage}},
			{"its retention is WorkQueue, should be Limits", jetstream.StreamConfig{Subjects: []string{"events.>", "progress.>", "quarantine.>"}, Retention: jetstream.WorkQueuePolicy}},
		} {
			url := external(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
			js := ordinary(t, url)
			c.have.Name = bus.Events
			if _, err := js.CreateStream(t.Context(), c.have); err != nil {
				t.Fatal(err)
			}
			wantRefused(t, bus.Config{URL: url}, "stream EVENTS is not Watchword's", c.field)
		}
	})
	t.Run("limits brought up to date in place", func(t *testing.T) {
		url := external(t, &server.Options{JetStream: true, StoreDir: t.TempDir()})
		js := ordinary(t, url)
		_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: bus.Events, Subjects: []string{"quarantine.>", "events.>", "progress.>"}, MaxBytes: 5 << 20, AllowDirect: true, Metadata: map[string]string{"team": "security"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.Publish(t.Context(), "events.a.b.c.d", []byte("before")); err != nil {
			t.Fatal(err)
		}
		b, err := bus.Open(t.Context(), bus.Config{URL: url, Logger: bustest.Logger(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if _, err := b.Commit(t.Context(), bus.Events, bus.Fence{Subject: marker}, page(5, "x")); err != nil {
			t.Fatal(err)
		}
		if m, err := b.Get(t.Context(), bus.Events, 1); err != nil || string(m.Data) != "before" {
			t.Fatalf("what was there before: %q (%v)", m.Data, err)
		}
		s, err := js.Stream(t.Context(), bus.Events)
		if err != nil {
			t.Fatal(err)
		}
		c := s.CachedInfo().Config
		if c.MaxBytes != 5<<20 || c.MaxAge != 180*24*time.Hour || c.AllowDirect || c.Discard != jetstream.DiscardNew || c.Metadata["team"] != "security" {
			t.Fatalf("the stream is now %+v", c)
		}
	})
}

// ordinary is JetStream as an ordinary client of the server has it.
func ordinary(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// An ordinary client sees what is committed when the bus listens.
func TestListen(t *testing.T) {
	b := bustest.NewStore(t).OpenOn()
	if !strings.HasPrefix(b.Addr(), "nats://127.0.0.1:") {
		t.Fatalf("listening at %q, want this machine alone", b.Addr())
	}
	nc, err := nats.Connect(b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("events.onepassword.signin.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(t.Context(), bus.Events, bus.Fence{Subject: marker}, page(1, "live")); err != nil {
		t.Fatal(err)
	}
	m, err := sub.NextMsg(5 * time.Second)
	if err != nil || string(m.Data) != "live event 0" {
		t.Fatalf("%v (%v), want the event", m, err)
	}
}

func TestListenWarnsBeyondLoopback(t *testing.T) {
	for listen, warned := range map[string]bool{"0.0.0.0:0": true, "127.0.0.1:0": false, ":0": false, "0": false, "[::1]:0": false, "localhost:0": false} {
		var said strings.Builder
		b, err := bus.Open(t.Context(), bus.Config{Store: t.TempDir(), Listen: listen, Logger: slog.New(slog.NewTextHandler(&said, nil))})
		if err != nil {
			if strings.Contains(err.Error(), "::1") {
				continue // a machine without IPv6
			}
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if have := strings.Contains(said.String(), "listening beyond this machine"); have != warned {
			t.Errorf("listen %s: warned %v, want %v", listen, have, warned)
		}
	}
}

// A reader and a writer on another connection go through restarts of the
// server: nothing is missing, nothing comes twice.
func TestServerRestarts(t *testing.T) {
	s := bustest.NewStore(t)
	client := bustest.Connect(t, s.OpenOn())
	r := read(t, client, bus.Events, bus.ReadOptions{Filters: []string{bus.AllEvents}})
	const pages, size = 60, 30
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	halfway := make(chan int, pages)
	var writer sync.WaitGroup
	writer.Go(func() {
		defer close(halfway)
		fence := bus.Fence{Subject: marker}
		for i := 0; i < pages; {
			msgs := page(size, fmt.Sprint("page ", i))
			seq, err := client.Commit(ctx, bus.Events, fence, msgs)
			switch {
			case err == nil:
				fence.Last = seq
				halfway <- i
				i++
			case errors.Is(err, bus.ErrUnavailable):
				m, err := client.Last(ctx, bus.Events, marker)
				if err != nil {
					continue
				}
				fence.Last = m.Seq
				if string(m.Data) == fmt.Sprint("page ", i) {
					i++
				}
			default:
				t.Errorf("page %d: %v", i, err)
				return
			}
		}
	})
	var restarter sync.WaitGroup
	restarter.Go(func() {
		for i := range halfway {
			if i%20 == 10 {
				s.OpenOn()
			}
		}
	})
	want := 0
	for want < pages*size {
		got, err := r.Next(ctx, 100)
		if err != nil {
			t.Fatalf("after %d events: %v", want, err)
		}
		for _, m := range got {
			if text := fmt.Sprintf("page %d event %d", want/size, want%size); string(m.Data) != text {
				t.Fatalf("event %d is %q, want %q", want, m.Data, text)
			}
			want++
		}
	}
	writer.Wait()
	restarter.Wait()
}

// A stream that is replaced under a reader by another of its name is not read on.
func TestStreamReplaced(t *testing.T) {
	b := bustest.NewStore(t).OpenOn()
	bustest.Fill(t, b, 20, 1, 10)
	r := read(t, b, bus.Events, bus.ReadOptions{})
	for n := 0; n < 21; {
		got, err := r.Next(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		n += len(got)
	}
	js := ordinary(t, b.Addr())
	s, err := js.Stream(t.Context(), bus.Events)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), bus.Events); err != nil {
		t.Fatal(err)
	}
	b.Look(t.Context())
	if len(b.Health()) == 0 {
		t.Error("a deleted stream is no trouble")
	}
	if _, err := js.CreateStream(t.Context(), s.CachedInfo().Config); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if got, err := r.Next(ctx, 100); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Fatalf("%v (%v), want an error that says replaced", seqs(got), err)
	}
}
