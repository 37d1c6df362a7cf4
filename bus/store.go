package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A store is the directory of an embedded server, locked by this process.
type store struct {
	dir    string // absolute
	lock   *os.File
	mu     sync.Mutex // of mark
	mark   storeMark
	sizes  map[string]int64 // bytes each stream may have
	floor  int64            // bytes of the disk to keep free
	reader bool             // this process only reads
	stale  string           // socket of the process that held the store before
	ino    os.FileInfo      // of the directory, to notice that it was replaced
}

// openStore locks the store in dir, making it one when dir is missing or empty.
func openStore(ctx context.Context, dir string, l Limits) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store directory: %w", plain(err))
	}
	if err := adoptable(dir); err != nil {
		return nil, fmt.Errorf("store %s: %w", dir, plain(err))
	}
	until := time.Now().Add(readerWait)
	for {
		st, err := lockStore(dir, false)
		if err == nil {
			err = st.prepare(l)
		}
		var held errHeld
		switch {
		case err == nil:
			return st, nil
		case errors.As(err, &held) && held.holder.Reader && time.Now().Before(until):
			// A command that only reads is about to finish.
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				return nil, err
			}
		case errors.As(err, &held):
			return nil, fmt.Errorf("store %s is in use by process %d: stop that process first, or choose another directory", dir, held.holder.PID)
		default:
			if st != nil {
				st.release()
			}
			return nil, fmt.Errorf("store %s: %w", dir, plain(err))
		}
	}
}

// readStore locks the store in dir for a reader. When another process holds it,
// the store is nil and the holder is returned.
func readStore(dir string) (*store, holder, error) {
	if _, err := os.Stat(filepath.Join(dir, markName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, holder{}, fmt.Errorf("%s is not a Watchword store: start watchword run first, or name the store's directory", dir)
		}
		return nil, holder{}, fmt.Errorf("store %s: %w", dir, plain(err))
	}
	st, err := lockStore(dir, true)
	var held errHeld
	if errors.As(err, &held) {
		return nil, held.holder, nil
	}
	if err == nil {
		err = st.load()
	}
	if err != nil {
		if st != nil {
			st.release()
		}
		return nil, holder{}, fmt.Errorf("store %s: %w", dir, plain(err))
	}
	return st, holder{}, nil
}

func lockStore(dir string, reader bool) (*store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f, err := lock(abs)
	if err != nil {
		return nil, err
	}
	st := &store{dir: abs, lock: f, reader: reader, stale: readHolder(f).Socket}
	if err = writeHolder(f, holder{PID: os.Getpid(), Reader: reader}); err == nil {
		st.ino, err = os.Stat(abs)
	}
	return st, err
}

// release frees the store for others.
func (s *store) release() error { return s.lock.Close() }

// prepare reads the mark of the store, or makes one in an empty directory, and
// settles the sizes of the streams.
func (s *store) prepare(l Limits) error {
	err := s.load()
	if errors.Is(err, errNoMark) {
		if err = adoptable(s.dir); err != nil {
			return err
		}
		s.mark = storeMark{Version: markVersion, Created: time.Now().UTC(), Streams: map[string]*streamMark{}}
		err = s.save()
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(s.dir, 0o700); err != nil {
		return err
	}
	d, err := diskOf(s.dir)
	if err != nil {
		return err
	}
	s.floor = l.FreeDisk
	if s.floor <= 0 {
		s.floor = max(64*mib, min(gib, d.size/20))
	}
	s.sizes = sizes(l, s.mark.Streams, d.free-s.floor)
	for _, sp := range specs {
		if s.mark.Streams[sp.name] == nil && s.sizes[sp.name] < smallest {
			return fmt.Errorf("its disk has %s free, of which %s are kept free: too little for stream %s (at least %s)",
				bytesText(d.free), bytesText(s.floor), sp.name, bytesText(smallest))
		}
	}
	return nil
}

// adoptable checks that a directory without a mark holds nothing of anyone
// else's. It is asked before the lock file is made there.
func adoptable(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	other := ""
	for _, e := range entries {
		switch e.Name() {
		case markName:
			return nil
		case lockName, socketName, markName + ".new", "lost+found":
		default:
			other = e.Name()
		}
	}
	if other != "" {
		return fmt.Errorf("it holds %q and is not a Watchword store (%s is missing): choose an empty directory, or restore that file", other, markName)
	}
	return nil
}

// errNoMark: the directory is not a store yet.
var errNoMark = errors.New(markName + " is missing")

// load reads the mark and checks that the streams it names are there.
func (s *store) load() error {
	b, err := os.ReadFile(filepath.Join(s.dir, markName))
	if errors.Is(err, fs.ErrNotExist) {
		return errNoMark
	}
	if err != nil {
		return err
	}
	var m storeMark
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("%s is damaged: %w; restore it from a backup", markName, err)
	}
	if m.Version != markVersion {
		return fmt.Errorf("%s says version %d, this program knows version %d", markName, m.Version, markVersion)
	}
	if m.Streams == nil {
		m.Streams = map[string]*streamMark{}
	}
	s.mark = m
	for name, sm := range m.Streams {
		if _, err := os.Stat(filepath.Join(s.streamDir(name), "meta.inf")); err != nil {
			return fmt.Errorf("stream %s, created %s, is missing or damaged (%w); restore the directory from a backup, or move it away to begin anew",
				name, sm.Created.Format(time.RFC3339), err)
		}
	}
	s.sizes = sizes(Limits{}, m.Streams, 0)
	return nil
}

// streamDir is where the server keeps a stream of its only account.
func (s *store) streamDir(stream string) string {
	return filepath.Join(s.dir, "jetstream", "$G", "streams", stream)
}
