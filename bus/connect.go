package bus

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	oldestServer = "2.14.0" // atomic batches, strict requests
	soundServer  = "2.15.2" // before it, batches mis-check fences of equal length (nats-server issue 8376)

	connectWait = 5 * time.Second
	attachWait  = 10 * time.Second // for the process that holds a store to open its socket
	readerWait  = 5 * time.Second  // for a reading command to leave the store
)

// connect opens the connection all calls share.
func (b *Bus) connect(how ...nats.Option) error {
	opts := append([]nats.Option{
		nats.Name(b.cfg.Name),
		nats.Timeout(connectWait),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // credentials may be renewed while we try
		nats.ReconnectWait(250 * time.Millisecond),
		// What is published while there is no connection fails at once. Kept for
		// later it could arrive after its writer has given it up.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			b.link.Swap(newLink()).end()
			if err != nil {
				b.log.Warn("connection to the server lost", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			b.log.Info("connected to the server again", "server", withoutSecrets(nc.ConnectedUrl()))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			b.log.Warn("connection", "err", err)
		}),
	}, how...)
	b.link.Store(newLink())
	to := b.cfg.URL
	if to == "" {
		to = "nats://127.0.0.1" // not dialled: the options say how to connect
	}
	nc, err := nats.Connect(to, opts...)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	b.nc = nc
	b.js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(10*time.Second))
	return err
}

// A link is one connection to the server, from connect to disconnect. An answer
// never comes over another than the one its request went over, so there is no
// waiting for it longer.
type link struct {
	ctx context.Context
	end context.CancelFunc
}

func newLink() *link {
	ctx, end := context.WithCancel(context.Background())
	return &link{ctx, end}
}

// onLink is ctx, ended too when the connection is lost or the server is silent
// for too long.
func (b *Bus) onLink(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	stop := context.AfterFunc(b.link.Load().ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// unanswered is the error of a request: that of its caller's ctx, or else one
// that cannot be taken for it.
func unanswered(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: the connection was lost", ErrUnavailable)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w in time", ErrUnavailable)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// openURL connects to an external server and refuses one that cannot do what
// Commit needs.
func (b *Bus) openURL(ctx context.Context) error {
	var opts []nats.Option
	if b.cfg.Creds != "" {
		opts = append(opts, nats.UserCredentials(b.cfg.Creds))
	}
	for _, s := range strings.Split(b.cfg.URL, ",") {
		// Not said with the error of url.Parse, which repeats all of it.
		if u, err := url.Parse(strings.TrimSpace(s)); err != nil || u.Host == "" {
			return errors.New("server URL: should be like nats://host:4222")
		}
	}
	if err := b.connect(opts...); err != nil {
		return fmt.Errorf("server %s: %w", withoutSecrets(b.cfg.URL), err)
	}
	where, have := withoutSecrets(b.nc.ConnectedUrl()), b.nc.ConnectedServerVersion()
	if older(have, oldestServer) {
		return fmt.Errorf("server %s is nats-server %s, which cannot store atomic batches: %s or newer is needed", where, have, soundServer)
	}
	if older(have, soundServer) {
		b.log.Warn("the server is old: before "+soundServer+" it could let a stale writer's batch in", "server", where, "version", have)
	}
	on, cancel := b.onLink(ctx)
	defer cancel()
	if _, err := b.js.AccountInfo(on); err != nil {
		if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
			return fmt.Errorf("server %s has no JetStream for this account: start it with jetstream enabled (nats-server -js)", where)
		}
		return fmt.Errorf("server %s: ask for JetStream: %w", where, err)
	}
	return nil
}

// withoutSecrets is a list of server URLs without what may be a password or a
// token: everything before the host.
func withoutSecrets(urls string) string {
	list := strings.Split(urls, ",")
	for i, s := range list {
		u, err := url.Parse(strings.TrimSpace(s))
		if err != nil {
			list[i] = "(unreadable)"
			continue
		}
		u.User = nil
		list[i] = u.String()
	}
	return strings.Join(list, ",")
}

// older compares two versions by their numbers; what cannot be read is old.
func older(have, want string) bool {
	h, w := numbers(have), numbers(want)
	for i := range w {
		if h[i] != w[i] {
			return h[i] < w[i]
		}
	}
	return false
}

func numbers(version string) [3]int {
	var out [3]int
	version, _, _ = strings.Cut(version, "-")
	for i, p := range strings.SplitN(version, ".", 3) {
		n, err := strconv.Atoi(p)
		if err != nil {
			return [3]int{}
		}
		out[i] = n
	}
	return out
}
