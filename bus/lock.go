package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockName is the file in a store that its process holds a flock on. The lock
// goes with the process however it ends; the file stays.
const lockName = "lock"

// A holder is what the process that holds a store says of itself in the lock
// file.
type holder struct {
	PID    int    `json:"pid"`
	Reader bool   `json:"reader"` // a short-lived command that only reads
	Socket string `json:"socket"` // where it lets others in
}

// errHeld: another process holds the lock.
type errHeld struct{ holder holder }

func (e errHeld) Error() string { return fmt.Sprintf("held by process %d", e.holder.PID) }

// lock takes the lock of the store in dir for this process, or returns errHeld.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		defer f.Close()
		h := readHolder(f)
		for try := 0; h.PID == 0 && try < 10; try++ {
			time.Sleep(5 * time.Millisecond)
			h = readHolder(f)
		}
		return nil, errHeld{h}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return f, nil
}

// readHolder reads what the lock file says: nothing while its holder is just
// writing it.
func readHolder(f *os.File) holder {
	var h holder
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<16))
	if err != nil || json.Unmarshal(b, &h) != nil {
		return holder{}
	}
	return h
}

// writeHolder says in the lock file who holds it.
func writeHolder(f *os.File, h holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return err
}
