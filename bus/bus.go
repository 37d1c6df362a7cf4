// Package bus is the only way between the actors: two streams on NATS
// JetStream, EVENTS and ALERTS, and nothing else that lasts.
//
//	poller ──Commit──► EVENTS ──Read──► detector ──Commit──► ALERTS ──Read──► emitters, CLI
//
// It promises:
//   - Commit stores all its messages or none, and none when the newest message
//     of the fence's subject is not the one the writer knows. What it reports
//     as stored is on disk.
//   - Read hands out the messages of a stream in the stream's order, each once,
//     across reconnects and restarts of the server.
//   - Nothing is ever started afresh in silence: a store that is missing,
//     damaged, foreign or in use is an error in plain words, and so is a full
//     disk, before the disk is really full.
//
// The server is embedded unless Config.URL names another. An embedded one has
// no port at all unless Config.Listen asks for it; other processes of the same
// user reach it through a unix socket in the store directory.
//
// The package leaves the meaning of the messages to event and alert, and what
// a refused writer does next to the writer. It is the only importer of NATS.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrFenced: another writer is ahead; nothing of this commit counts. Read the
	// fence's subject again and go on from there.
	ErrFenced = errors.New("another writer was here first")
	// ErrFull: the stream or the disk has no room. Nothing was stored; the same
	// commit works again once there is room.
	ErrFull = errors.New("no room")
	// ErrUnavailable: the server does not answer. Whether the messages are stored
	// may not be known: read before going on.
	ErrUnavailable = errors.New("server does not answer")
	// ErrNotFound: no such message.
	ErrNotFound = errors.New("no such message")
	// ErrReadOnly: the bus was opened to read.
	ErrReadOnly = errors.New("opened read-only")
	// ErrClosed: the bus or the reader was closed.
	ErrClosed = errors.New("closed")
)

// Config says where the streams are.
type Config struct {
	Store    string       // directory of the embedded server; needed when URL is empty
	Listen   string       // host:port on which the embedded server listens for ordinary clients, an empty host is 127.0.0.1; empty: nowhere
	URL      string       // external server or servers, separated by commas; then nothing is embedded
	Creds    string       // credentials file for URL, optional
	Name     string       // connection name, shown by the server; empty: watchword
	Limits   Limits       // of the streams and the disk; what is zero is DefaultLimits
	Logger   *slog.Logger // nil: slog.Default
	ReadOnly bool         // never creates or changes anything, and reaches a store that another process serves; Commit is refused
}

// Bus is an open pair of streams. All methods may be called at the same time.
type Bus struct {
	cfg      Config
	log      *slog.Logger
	nc       *nats.Conn
	js       jetstream.JetStream
	store    *store               // nil unless this process holds the store
	server   *embed               // nil unless this process runs the server
	door     *door                // nil unless this process serves the store's socket
	slots    chan struct{}        // one for each commit under way
	link     atomic.Pointer[link] // the connection at present
	patience time.Duration        // to wait for one answer of the server
	health   health
	opened   bool // the streams are known to be ours
	closing  sync.Once
}

// Open embeds a server or connects to one, checks it, and creates or
// reconciles the streams. With ReadOnly it does neither of the last two.
// The bus it returns checks its disk and its streams only while Serve runs.
func Open(ctx context.Context, c Config) (*Bus, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Name == "" {
		c.Name = "watchword"
	}
	c.Limits = c.Limits.orDefault()
	b := &Bus{cfg: c, log: c.Logger, slots: make(chan struct{}, commitsAtOnce), patience: answerWait}
	var err error
	switch {
	case c.URL != "":
		err = b.openURL(ctx)
	case c.Store == "":
		err = errors.New("bus: neither a store directory nor a server URL is given")
	case c.ReadOnly:
		err = b.openReader(ctx)
	default:
		err = b.openWriter(ctx)
	}
	if err == nil {
		err = b.checkStreams(ctx)
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	b.opened = true
	return b, nil
}

// openWriter takes the store for this process and serves it.
func (b *Bus) openWriter(ctx context.Context) error {
	st, err := openStore(ctx, b.cfg.Store, b.cfg.Limits)
	if err != nil {
		return err
	}
	b.store = st
	return b.serveStore(ctx)
}

// openReader reaches the process that holds the store, or serves the store for
// as long as this reader lives when no one does.
func (b *Bus) openReader(ctx context.Context) error {
	until := time.Now().Add(attachWait)
	for {
		st, holder, err := readStore(b.cfg.Store)
		if err != nil {
			return err
		}
		if st != nil {
			b.store = st
			return b.serveStore(ctx)
		}
		err = b.attach(holder)
		if err == nil {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("store %s is held by process %d, which does not answer on its socket: %w", b.cfg.Store, holder.PID, err)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// serveStore starts the server on the store this process holds.
func (b *Bus) serveStore(ctx context.Context) error {
	var err error
	if b.server, err = startServer(ctx, b.store, b.cfg, b.log); err != nil {
		return err
	}
	if err = b.connect(nats.InProcessServer(b.server)); err != nil {
		return fmt.Errorf("store %s: %w", b.store.dir, err)
	}
	b.door, err = openDoor(b.store, b.server, b.log)
	return err
}

// Close leaves the server, stops it when it is ours, and frees the store.
// It may be called twice, and on a bus that is half open.
func (b *Bus) Close() error {
	var err error
	b.closing.Do(func() {
		if b.opened && b.store != nil && !b.cfg.ReadOnly {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			err = b.rememberEnds(ctx)
		}
		if b.nc != nil {
			b.nc.Close()
		}
		if b.door != nil {
			b.door.close()
		}
		if b.server != nil {
			b.server.stop()
		}
		if b.store != nil {
			err = errors.Join(err, b.store.release())
		}
	})
	return err
}

// Addr is where ordinary clients can connect, such as nats://127.0.0.1:4222;
// empty when nowhere.
func (b *Bus) Addr() string {
	switch {
	case b.server != nil:
		return b.server.addr()
	case b.cfg.URL != "":
		return withoutSecrets(b.nc.ConnectedUrl())
	}
	return ""
}

// pause waits for d, or for the end of ctx and returns its error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
