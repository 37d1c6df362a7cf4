package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	lookEvery  = 10 * time.Second // between two looks at disk and streams
	tellEvery  = 5 * time.Minute  // a trouble that lasts is logged again
	fullWarned = 80               // percent of a stream's bytes
)

// A Trouble is something wrong with what the bus stands on, in plain words.
type Trouble struct {
	What  string    // stable name, such as "disk" or "EVENTS full"
	Text  string    // what is wrong and what to do
	Since time.Time // when it was first seen
	Stops bool      // nothing can be stored while it lasts
}

// health is what Serve found when it last looked.
type health struct {
	mu       sync.Mutex
	troubles []Trouble
	told     map[string]time.Time // when a trouble was last logged
	need     atomic.Int64         // bytes of disk the last commit asked for, when it was refused
	full     map[string]bool      // streams that refused the last commit for want of room
}

// refused notes whether a stream had no room for a commit.
func (h *health) refused(stream string, full bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.full == nil {
		h.full = map[string]bool{}
	}
	h.full[stream] = full
}

func (h *health) refuses(stream string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.full[stream]
}

// Health returns what is wrong at present, oldest first; nothing when all is
// well. It is as fresh as the last look of Serve.
func (b *Bus) Health() []Trouble {
	b.health.mu.Lock()
	defer b.health.mu.Unlock()
	return slices.Clone(b.health.troubles)
}

// Serve looks at the disk, the store and the streams every ten seconds until
// ctx ends, keeps Health, and logs what is wrong: when it begins, every five
// minutes, and when it is over. It never fails; what it finds is for people.
func (b *Bus) Serve(ctx context.Context) error {
	for {
		b.Look(ctx)
		if b.store != nil && !b.cfg.ReadOnly {
			if err := b.rememberEnds(ctx); err != nil && ctx.Err() == nil {
				b.log.Warn("where the streams end could not be written down", "err", err)
			}
		}
		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// Look looks once, as Serve does.
func (b *Bus) Look(ctx context.Context) {
	found := b.look(ctx)
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	h := &b.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told == nil {
		h.told = map[string]time.Time{}
	}
	for i := range found {
		t := &found[i]
		t.Since = now
		if j := slices.IndexFunc(h.troubles, func(o Trouble) bool { return o.What == t.What }); j >= 0 {
			t.Since = h.troubles[j].Since
		}
		if now.Sub(h.told[t.What]) < tellEvery {
			continue
		}
		h.told[t.What] = now
		if t.Stops {
			b.log.Error("nothing can be stored", "why", t.Text, "since", t.Since)
		} else {
			b.log.Warn("trouble", "what", t.Text, "since", t.Since)
		}
	}
	for _, o := range h.troubles {
		if !slices.ContainsFunc(found, func(t Trouble) bool { return t.What == o.What }) {
			delete(h.told, o.What)
			b.log.Info("trouble is over", "what", o.What, "since", o.Since)
		}
	}
	slices.SortStableFunc(found, func(a, b Trouble) int { return a.Since.Compare(b.Since) })
	h.troubles = found
}

// look finds everything that is wrong now.
func (b *Bus) look(ctx context.Context) []Trouble {
	var out []Trouble
	add := func(stops bool, what, format string, args ...any) {
		out = append(out, Trouble{What: what, Text: fmt.Sprintf(format, args...), Stops: stops})
	}
	if b.store != nil {
		if err := b.store.check(b.health.need.Load()); errors.Is(err, ErrFull) {
			add(true, "disk", "%v; make room, and intake goes on by itself", err)
		} else if err != nil {
			add(true, "store", "%v", err)
		}
		for _, s := range specs {
			if _, err := os.Stat(filepath.Join(b.store.streamDir(s.name), "msgs")); err != nil {
				add(true, s.name+" files", "the files of stream %s have vanished (%v): restore the store from a backup and restart", s.name, err)
			}
		}
	}
	if b.server != nil {
		if !b.server.JetStreamEnabled() {
			add(true, "server", "the server stopped storing, as after a full or failing disk: see to the disk and restart")
		} else if st := b.server.Healthz(&server.HealthzOptions{}); st.Status != "ok" {
			add(true, "server", "the server reports %q: see to the disk and restart", st.Error)
		}
	}
	if !b.nc.IsConnected() {
		add(true, "connection", "no connection to the server")
		return out
	}
	for _, s := range specs {
		info, err := b.Info(ctx, s.name)
		if err != nil {
			add(true, s.name, "%v", err)
			continue
		}
		if info.Lost > 0 {
			add(false, s.name+" lost", "stream %s has lost %d messages to damage on disk: restore it from a backup, or accept the loss", s.name, info.Lost)
		}
		if m := b.known(s.name); m != nil && info.LastSeq < m.LastSeq {
			add(false, s.name+" short", "stream %s ends at %d and once ended at %d: its newest messages are lost", s.name, info.LastSeq, m.LastSeq)
		}
		if info.MaxBytes == 0 {
			continue
		}
		switch used := info.Bytes * 100 / info.MaxBytes; {
		case used >= 100 || b.health.refuses(s.name):
			add(true, s.name+" full", "stream %s is full (%s of %s): raise its limit, or wait until old messages age out", s.name, bytesText(int64(info.Bytes)), bytesText(int64(info.MaxBytes)))
		case used >= fullWarned:
			add(false, s.name+" full", "stream %s is %d %% full (%s of %s): raise its limit before intake stops", s.name, used, bytesText(int64(info.Bytes)), bytesText(int64(info.MaxBytes)))
		}
	}
	return out
}
