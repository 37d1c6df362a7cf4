package bustest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"watchword/bus"
)

// RawBatch is the size of the batches of PublishAtomic.
const RawBatch = 500

// Raw is JetStream itself, without the bus: what the machine can do, to
// compare with. Its server and stream are configured as the bus's are: file
// store, synced on every write, in-process.
type Raw struct {
	srv *server.Server
	nc  *nats.Conn
	js  jetstream.JetStream
}

// NewRaw starts a server with one empty stream.
func NewRaw(b testing.TB) *Raw {
	srv, err := server.NewServer(&server.Options{StoreDir: b.TempDir(), JetStream: true, SyncAlways: true, DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		b.Fatal(err)
	}
	go srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		b.Fatal("server does not start")
	}
	nc, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		b.Fatal(err)
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(4000))
	if err != nil {
		b.Fatal(err)
	}
	_, err = js.CreateStream(context.Background(), jetstream.StreamConfig{Name: "RAW", Subjects: []string{"events.>"}, Storage: jetstream.FileStorage, AllowAtomicPublish: true})
	if err != nil {
		b.Fatal(err)
	}
	return &Raw{srv, nc, js}
}

// Stop ends the server.
func (r *Raw) Stop() {
	r.nc.Close()
	r.srv.Shutdown()
	r.srv.WaitForShutdown()
}

// PublishAsync publishes with one acknowledgement for each message, 4000 under way.
func (r *Raw) PublishAsync(b testing.TB, msgs []bus.Message) time.Duration {
	start := time.Now()
	for i := range msgs {
		if _, err := r.js.PublishAsync(msgs[i].Subject, msgs[i].Data, jetstream.WithStallWait(10*time.Second)); err != nil {
			b.Fatal(err)
		}
	}
	select {
	case <-r.js.PublishAsyncComplete():
	case <-time.After(time.Minute):
		b.Fatal("async publish does not end")
	}
	return time.Since(start)
}

// PublishAtomic publishes in atomic batches of RawBatch.
func (r *Raw) PublishAtomic(b testing.TB, msgs []bus.Message) time.Duration {
	start := time.Now()
	for i := 0; i < len(msgs); i += RawBatch {
		part := msgs[i:min(len(msgs), i+RawBatch)]
		id := fmt.Sprint("b", i)
		for j := range part {
			m := &nats.Msg{Subject: part[j].Subject, Data: part[j].Data, Header: nats.Header{"Nats-Batch-Id": {id}, "Nats-Batch-Sequence": {fmt.Sprint(j + 1)}}}
			if j < len(part)-1 {
				if err := r.nc.PublishMsg(m); err != nil {
					b.Fatal(err)
				}
				continue
			}
			m.Header.Set("Nats-Batch-Commit", "1")
			if _, err := r.js.PublishMsg(context.Background(), m); err != nil {
				b.Fatal(err)
			}
		}
	}
	return time.Since(start)
}

// Consume reads so many messages the fastest way the client library has: an ordered consumer with a
// callback.
func (r *Raw) Consume(b testing.TB, want int) time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	start := time.Now()
	con, err := r.js.OrderedConsumer(ctx, "RAW", jetstream.OrderedConsumerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	n, done := 0, make(chan struct{})
	cc, err := con.Consume(func(jetstream.Msg) {
		if n++; n == want {
			close(done)
		}
	}, jetstream.PullMaxMessages(2048), jetstream.PullExpiry(5*time.Second), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		b.Fatal(err)
	}
	defer cc.Stop()
	select {
	case <-done:
	case <-ctx.Done():
		b.Fatalf("%d of %d messages came", n, want)
	}
	return time.Since(start)
}
