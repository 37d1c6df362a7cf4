package bus_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
)

// wantRefused checks that the store cannot be opened and the error says why.
func wantRefused(t *testing.T, c bus.Config, want ...string) {
	t.Helper()
	c.Logger = bustest.Logger(t)
	b, err := bus.Open(t.Context(), c)
	if err == nil {
		b.Close()
		t.Fatalf("the store opened, want an error with %q", want)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q, want one with %q", err, w)
		}
	}
}

// used is a store that was used and closed: 3 pages in EVENTS.
func used(t *testing.T) *bustest.Store {
	t.Helper()
	s := bustest.NewStore(t)
	b := s.Open()
	fence := bus.Fence{Subject: marker}
	for i := range 3 {
		var err error
		if fence.Last, err = b.Commit(t.Context(), bus.Events, fence, page(20, fmt.Sprint("page ", i))); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	return s
}

func TestReopen(t *testing.T) {
	s := used(t)
	for range 2 {
		b := s.Open()
		if n := count(t, b, bus.Events); n != 61 {
			t.Fatalf("the stream has %d messages, want 61", n)
		}
		if b.Look(t.Context()); len(b.Health()) > 0 {
			t.Fatalf("trouble %+v, want none", b.Health())
		}
	}
	if fi, err := os.Stat(s.Config.Store); err != nil || fi.Mode().Perm() != 0o700 {
		t.Fatalf("the store's mode is %v (%v), want 0700", fi.Mode(), err)
	}
}

func TestCloseTwice(t *testing.T) {
	s := bustest.NewStore(t)
	b := s.Open()
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Last(t.Context(), bus.Events, marker); err == nil {
		t.Fatal("a closed bus answers")
	}
}

func TestStoreRefused(t *testing.T) {
	dir := func(t *testing.T, files ...string) string {
		d := t.TempDir()
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(d, f), []byte("theirs"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return d
	}
	t.Run("no place given", func(t *testing.T) {
		wantRefused(t, bus.Config{}, "neither a store directory nor a server URL")
	})
	t.Run("a file in the way", func(t *testing.T) {
		wantRefused(t, bus.Config{Store: filepath.Join(dir(t, "file"), "file", "store")}, "a directory is needed")
	})
	t.Run("someone else's directory", func(t *testing.T) {
		d := dir(t, "photo.jpg")
		wantRefused(t, bus.Config{Store: d}, d, `"photo.jpg"`, "choose an empty directory")
		if left, _ := os.ReadDir(d); len(left) != 1 {
			t.Fatalf("the refusal left %v behind, want nothing new", left)
		}
	})
	t.Run("no permission", func(t *testing.T) {
		if os.Getuid() == 0 {
			t.Skip("root may do everything")
		}
		d := dir(t)
		if err := os.Chmod(d, 0o500); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, bus.Config{Store: d}, "may not read and write")
	})
	t.Run("a damaged mark", func(t *testing.T) {
		s := used(t)
		if err := os.WriteFile(filepath.Join(s.Config.Store, "watchword.json"), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, s.Config, "watchword.json is damaged")
	})
	t.Run("a mark of another version", func(t *testing.T) {
		s := used(t)
		if err := os.WriteFile(filepath.Join(s.Config.Store, "watchword.json"), []byte(`{"version":2}`), 0o600); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, s.Config, "version 2")
	})
	t.Run("to read what is not there", func(t *testing.T) {
		d := filepath.Join(t.TempDir(), "absent")
		wantRefused(t, bus.Config{Store: d, ReadOnly: true}, d, "not a Watchword store")
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("reading made %s (%v)", d, err)
		}
	})
	t.Run("a bad place to listen", func(t *testing.T) {
		wantRefused(t, bus.Config{Store: t.TempDir(), Listen: "here:99999"}, `"99999" should be a number`)
	})
	t.Run("a port in use", func(t *testing.T) {
		s := bustest.NewStore(t)
		s.OpenOn()
		wantRefused(t, bus.Config{Store: t.TempDir(), Listen: s.Config.Listen}, "address already in use")
	})
}

// What was there once and is missing is never begun anew.
func TestStoreDamaged(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   string
	}{
		{"a stream deleted", func(t *testing.T, dir string) {
			remove(t, filepath.Join(dir, "jetstream", "$G", "streams", "EVENTS"))
		}, "stream EVENTS"},
		{"all streams deleted", func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "jetstream")) }, "is missing or damaged"},
		{"the mark deleted", func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "watchword.json")) }, "watchword.json is missing"},
		{"a stream's description deleted", func(t *testing.T, dir string) {
			remove(t, filepath.Join(dir, "jetstream", "$G", "streams", "ALERTS", "meta.inf"))
		}, "stream ALERTS"},
		{"a stream's description cut short", func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, "jetstream", "$G", "streams", "EVENTS", "meta.inf"), 10); err != nil {
				t.Fatal(err)
			}
		}, "stream EVENTS"},
		{"another store's streams", func(t *testing.T, dir string) {
			other := used(t).Config.Store
			remove(t, filepath.Join(dir, "jetstream"))
			if err := os.Rename(filepath.Join(other, "jetstream"), filepath.Join(dir, "jetstream")); err != nil {
				t.Fatal(err)
			}
		}, "another store's data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := used(t)
			c.damage(t, s.Config.Store)
			for _, readOnly := range []bool{true, false, false} {
				if c.want == "watchword.json is missing" && readOnly {
					continue // not a store at all, to a reader
				}
				cfg := s.Config
				cfg.ReadOnly = readOnly
				cfg.Logger = nil
				wantRefused(t, cfg, c.want)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// A log whose newest messages are gone is told of.
func TestStreamCutShort(t *testing.T) {
	s := used(t)
	msgs := filepath.Join(s.Config.Store, "jetstream", "$G", "streams", "EVENTS", "msgs")
	remove(t, filepath.Join(msgs, "index.db"))
	fi, err := os.Stat(filepath.Join(msgs, "1.blk"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(msgs, "1.blk"), fi.Size()/2); err != nil {
		t.Fatal(err)
	}
	b := s.Open()
	if n := count(t, b, bus.Events); n >= 61 {
		t.Fatalf("the cut stream has %d messages, want fewer", n)
	}
	b.Look(t.Context())
	var found bool
	for _, h := range b.Health() {
		found = found || h.What == "EVENTS short"
	}
	if !found {
		t.Fatalf("trouble %+v, want one of %q", b.Health(), "EVENTS short")
	}
}

func TestVanishedStore(t *testing.T) {
	s := bustest.NewStore(t)
	s.Config.Store = filepath.Join(s.Config.Store, "store")
	b := s.Open()
	fence := bus.Fence{Subject: marker}
	var err error
	if fence.Last, err = b.Commit(t.Context(), bus.Events, fence, page(3, "one")); err != nil {
		t.Fatal(err)
	}
	remove(t, s.Config.Store)
	if _, err := b.Commit(t.Context(), bus.Events, fence, page(3, "two")); err == nil || !strings.Contains(err.Error(), "vanished") {
		t.Fatalf("commit to a store that is gone: %v, want an error that says so", err)
	}
	b.Look(t.Context())
	if h := b.Health(); len(h) == 0 || h[0].What != "store" || !h[0].Stops {
		t.Fatalf("trouble %+v, want the store first", h)
	}
	if _, err := os.Stat(s.Config.Store); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the store came back by itself (%v)", err)
	}
}

func TestLimits(t *testing.T) {
	s := bustest.NewStore(t)
	info := func(b *bus.Bus) bus.StreamInfo {
		i, err := b.Info(t.Context(), bus.Events)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	first := info(s.Open())
	if first.MaxBytes == 0 || first.MaxBytes > 10<<30 || first.MaxAge != 180*24*time.Hour {
		t.Fatalf("EVENTS has %d bytes and %v by default, want at most 10 GiB and 180 days", first.MaxBytes, first.MaxAge)
	}
	if again := info(s.Open()); again != first {
		t.Fatalf("a restart changed\n%+v to\n%+v", first, again)
	}
	s.Config.Limits.EventsBytes = 64 << 20
	s.Config.Limits.EventsAge = 24 * time.Hour
	if i := info(s.Open()); i.MaxBytes != 64<<20 || i.MaxAge != 24*time.Hour || !i.Created.Equal(first.Created) {
		t.Fatalf("after the limits were changed: %+v, want 64 MiB and a day on the same stream", i)
	}
	// What is not said stays as it was chosen last.
	s.Config.Limits = bus.Limits{}
	if i := info(s.Open()); i.MaxBytes != 64<<20 {
		t.Fatalf("with nothing said about bytes the stream has %d, want what it had, %d", i.MaxBytes, 64<<20)
	}
	// More than a server of the former size would take.
	s.Config.Limits.EventsBytes = 30 << 30
	if i := info(s.Open()); i.MaxBytes != 30<<30 {
		t.Fatalf("the stream has %d bytes, want %d", i.MaxBytes, 30<<30)
	}
	s.Config.Limits.EventsBytes = 32 << 20
	if i := info(s.Open()); i.MaxBytes != 32<<20 {
		t.Fatalf("the stream has %d bytes, want %d", i.MaxBytes, 32<<20)
	}
}
