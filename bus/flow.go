package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	window      = 2048          // messages asked for and not yet here, at most
	windowBytes = 16 * int(mib) // of one request; the server ends a request that is full
	ackPrefix   = "$JS.ACK."    // of the reply subject of a message that comes from a stream
)

// errBroken: this flow has to be made again.
var errBroken = errors.New("broken")

// A flow is one consumer of the server and what it has sent.
type flow struct {
	nc         *nats.Conn
	stream     string
	name       string // of the consumer
	ask        string // subject of its requests
	sub        *nats.Subscription
	msgs       chan *nats.Msg
	held       *nats.Msg // received while waiting, before msgs
	asked      int       // messages asked for and not yet come
	seq        uint64    // the consumer's own number of the newest message: 1, 2, 3 …
	pending    uint64    // messages that match after that one
	filters    []string  // to be applied here, none: the server does
	start      uint64    // first stream sequence it looks at
	heard      time.Time // when anything last came
	reconnects uint64    // of the connection, when the flow was made
}

// newFlow makes a consumer, which sends nothing before begin.
func newFlow(ctx context.Context, b *Bus, stream string, cfg jetstream.ConsumerConfig) (*flow, error) {
	f := &flow{nc: b.nc, stream: stream, reconnects: b.nc.Stats().Reconnects}
	cfg.AckPolicy = jetstream.AckNonePolicy
	cfg.MaxDeliver = 1
	cfg.MemoryStorage = true
	cfg.Replicas = 1
	cfg.InactiveThreshold = idleLimit
	// A request that the server took with it when it went is never answered.
	on, cancel := b.onLink(ctx)
	defer cancel()
	con, err := b.js.CreateConsumer(on, stream, cfg)
	switch {
	case err == nil:
	case on.Err() != nil:
		return nil, unanswered(ctx, err)
	default:
		return nil, err
	}
	info := con.CachedInfo()
	f.name, f.pending, f.start = info.Name, info.NumPending, info.Delivered.Stream+1
	f.ask = "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + f.name
	return f, nil
}

// begin asks for the first messages.
func (f *flow) begin() error {
	// Room for all that may be under way and the server's own lines between.
	f.msgs = make(chan *nats.Msg, 2*window)
	var err error
	if f.sub, err = f.nc.ChanSubscribe(f.nc.NewInbox(), f.msgs); err != nil {
		return err
	}
	return f.pull()
}

// stop forgets the consumer, here and on the server.
func (f *flow) stop() {
	if f == nil {
		return
	}
	if f.sub != nil {
		f.sub.Unsubscribe()
	}
	// No answer is waited for: the server forgets it anyway after idleLimit.
	f.nc.Publish("$JS.API.CONSUMER.DELETE."+f.stream+"."+f.name, nil)
}

// pull asks for more once half of what was asked for has come.
func (f *flow) pull() error {
	if f.asked > window/2 {
		return nil
	}
	n := window - f.asked
	req := fmt.Appendf(nil, `{"batch":%d,"max_bytes":%d,"expires":%d,"idle_heartbeat":%d}`, n, windowBytes, pullExpiry, heartbeat)
	if err := f.nc.PublishRequest(f.ask, f.sub.Subject, req); err != nil {
		return fmt.Errorf("%w: ask for messages: %w", errBroken, err)
	}
	f.asked += n
	return nil
}

// poll returns the next message that has arrived; false when none has.
func (f *flow) poll() (Stored, bool, error) {
	for {
		m := f.held
		f.held = nil
		if m == nil {
			select {
			case m = <-f.msgs:
			default:
				return Stored{}, false, f.pull()
			}
		}
		if !strings.HasPrefix(m.Reply, ackPrefix) {
			if err := f.status(m); err != nil {
				return Stored{}, false, err
			}
			continue
		}
		at, err := parsePlace(m.Reply)
		if err != nil {
			return Stored{}, false, fmt.Errorf("%w: %w", errBroken, err)
		}
		if at.number != f.seq+1 {
			return Stored{}, false, fmt.Errorf("%w: message %d after %d", errBroken, at.number, f.seq)
		}
		f.seq, f.pending = at.number, at.pending
		f.asked--
		if err := f.pull(); err != nil {
			return Stored{}, false, err
		}
		return Stored{Subject: m.Subject, Data: m.Data, Seq: at.seq, Time: time.Unix(0, at.nanos).UTC()}, true, nil
	}
}

// status reads a line of the server's own: a heartbeat, or the end of a
// request with what it had left.
func (f *flow) status(m *nats.Msg) error {
	f.heard = time.Now()
	code := m.Header.Get("Status")
	if code == "100" {
		return nil
	}
	left, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
	if err != nil {
		return fmt.Errorf("%w: the server says %s %s", errBroken, code, m.Header.Get("Description"))
	}
	f.asked = max(0, f.asked-left)
	return nil
}

// lets tells whether a message on this subject is asked for.
func (f *flow) lets(subject string) bool {
	for _, filter := range f.filters {
		if matches(filter, subject) {
			return true
		}
	}
	return len(f.filters) == 0
}

// idle tells whether nothing has arrived that is not handed out.
func (f *flow) idle() bool { return f.held == nil && len(f.msgs) == 0 }

// drained tells whether the server has nothing more either.
func (f *flow) drained() bool { return f.pending == 0 && f.idle() }

// alive returns errBroken when the consumer cannot be relied on any more.
func (f *flow) alive(now time.Time) error {
	switch {
	case f.nc.Stats().Reconnects != f.reconnects:
		return fmt.Errorf("%w: connected anew", errBroken)
	case now.Sub(f.heard) > silence:
		return fmt.Errorf("%w: no heartbeat for %v", errBroken, now.Sub(f.heard).Round(time.Millisecond))
	}
	return nil
}

// A place is what the reply subject of a delivered message says of it.
type place struct {
	number  uint64 // by the consumer
	seq     uint64 // in the stream
	nanos   int64  // time stored
	pending uint64
}

// parsePlace reads $JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<number>.<nanos>.<pending>,
// or the longer form with <domain>.<account> after $JS.ACK and, at will, more at the end (ADR-15).
func parsePlace(reply string) (place, error) {
	rest := reply[len(ackPrefix):]
	skip := 3
	if n := strings.Count(rest, "."); n > 6 {
		skip = 5
	}
	for range skip {
		_, rest, _ = strings.Cut(rest, ".")
	}
	var v [4]uint64
	for i := range v {
		var tok string
		tok, rest, _ = strings.Cut(rest, ".")
		n, err := strconv.ParseUint(tok, 10, 63)
		if err != nil {
			return place{}, fmt.Errorf("message with reply subject %q: not one of a stream", reply)
		}
		v[i] = n
	}
	return place{seq: v[0], number: v[1], nanos: int64(v[2]), pending: v[3]}, nil
}
