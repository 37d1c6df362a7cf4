//go:build linux

package bus_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"watchword/bus"
	"watchword/bus/bustest"
)

// On a real, small disk intake stops before the disk is full, and goes on by
// itself when there is room. A server that met a really full disk would stay
// frozen until it is restarted.
func TestSmallDisk(t *testing.T) {
	if os.Getenv("WATCHWORD_LONG") == "" {
		t.Skip("mounts a disk and fills it; set WATCHWORD_LONG=1")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256m"); err != nil {
		t.Skip("cannot mount a tmpfs: ", err)
	}
	s := bustest.NewStore(t)
	t.Cleanup(func() {
		s.Close()
		syscall.Unmount(disk, 0)
	})
	s.Config.Store = filepath.Join(disk, "store")
	s.Config.Limits.EventsBytes = 10 << 30 // far more than there is
	b := s.Open()
	other := filepath.Join(disk, "someone else's")
	if err := os.WriteFile(other, make([]byte, 100<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	fence := bus.Fence{Subject: marker}
	intake := func(most int) (n int, err error) {
		for ; n < most; n++ {
			msgs := page(4, fmt.Sprint("page ", n))
			for i := range msgs[:4] {
				msgs[i].Data = make([]byte, 500<<10)
				rand.Read(msgs[i].Data)
			}
			seq, err := b.Commit(t.Context(), bus.Events, fence, msgs)
			if err != nil {
				return n, err
			}
			fence.Last = seq
		}
		return n, nil
	}
	n, err := intake(1000)
	if !errors.Is(err, bus.ErrFull) || n == 0 {
		t.Fatalf("after %d pages: %v, want %v", n, err, bus.ErrFull)
	}
	if b.Look(t.Context()); len(b.Health()) != 1 || b.Health()[0].What != "disk" {
		t.Fatalf("trouble %+v, want the disk and nothing else", b.Health())
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if m, err := intake(10); err != nil {
		t.Fatalf("with room again, page %d: %v", m, err)
	}
	if have, want := count(t, b, bus.Events), uint64((n+10)*4+1); have != want {
		t.Fatalf("%d messages are stored, want %d", have, want)
	}
	if b.Look(t.Context()); len(b.Health()) > 0 {
		t.Fatalf("trouble %+v, want none", b.Health())
	}
}
