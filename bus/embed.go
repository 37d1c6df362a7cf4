package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// otherStore is room in the server for what is neither stream.
const otherStore = 256 * mib

// An embed is the server in this process.
type embed struct {
	*server.Server
	log *serverLog
}

// startServer starts a server on the store and waits until it has read it.
// The store needs about two seconds for each million messages.
func startServer(ctx context.Context, st *store, c Config, log *slog.Logger) (*embed, error) {
	host, port, err := listenAddr(c.Listen)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); c.Listen != "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		log.Warn("listening beyond this machine: anyone who reaches this port can read and write everything", "listen", c.Listen)
	}
	var most int64
	for name, bytes := range st.sizes {
		if m := st.mark.Streams[name]; m != nil {
			bytes = max(bytes, m.Bytes)
		}
		most += bytes
	}
	opts := &server.Options{
		ServerName:             "watchword",
		Host:                   host,
		Port:                   port,
		DontListen:             c.Listen == "",
		NoSigs:                 true,
		JetStream:              true,
		StoreDir:               st.dir,
		SyncAlways:             true, // without it a power cut takes up to two minutes, and young streams whole
		JetStreamMaxStore:      most + otherStore,
		JetStreamMaxMemory:     256 * mib,
		DisableJetStreamBanner: true,
		MaxPayload:             maxMessage,
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", st.dir, err)
	}
	e := &embed{Server: srv, log: &serverLog{log: log.With("part", "nats")}}
	srv.SetLoggerV2(e.log, log.Enabled(ctx, slog.LevelDebug), false, false)
	go srv.Start()
	for !srv.ReadyForConnections(50 * time.Millisecond) {
		err := ctx.Err()
		if f := e.log.fatal.Load(); f != nil {
			err = errors.New(*f)
		}
		if err != nil {
			e.stop()
			return nil, fmt.Errorf("store %s: start the server: %w", st.dir, err)
		}
	}
	if !srv.JetStreamEnabled() {
		e.stop()
		why := "JetStream did not start"
		if f := e.log.fatal.Load(); f != nil {
			why = *f
		}
		return nil, fmt.Errorf("store %s: start the server: %s", st.dir, why)
	}
	return e, nil
}

// stop ends the server once what it was writing is written.
func (e *embed) stop() {
	e.Shutdown()
	e.WaitForShutdown()
}

func (e *embed) addr() string {
	a := e.Addr()
	if a == nil {
		return ""
	}
	return "nats://" + a.String()
}

// listenAddr splits host:port, :port or port. Without a host it is this machine
// alone; port 0 lets the system choose.
func listenAddr(s string) (string, int, error) {
	if s == "" {
		return "", 0, nil
	}
	host, port := "", s
	if strings.Contains(s, ":") {
		var err error
		if host, port, err = net.SplitHostPort(s); err != nil {
			return "", 0, fmt.Errorf("listen %q: should be host:port, such as 127.0.0.1:4222", s)
		}
	}
	if host == "" {
		host = "127.0.0.1"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("listen %q: port %q should be a number up to 65535", s, port)
	}
	if n == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(n), nil
}

// A serverLog gives the server's own lines to ours. Its notices are debug
// lines: they matter to those who run NATS, which our operators do not know.
type serverLog struct {
	log   *slog.Logger
	fatal atomic.Pointer[string] // why the server did not start
}

func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Debugf(format string, v ...any)  { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Tracef(string, ...any)           {}
func (l *serverLog) Warnf(format string, v ...any)   { l.log.Warn(fmt.Sprintf(format, v...)) }
func (l *serverLog) Errorf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }
func (l *serverLog) Fatalf(format string, v ...any) {
	s := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &s)
	l.log.Error(s)
}
