package bus

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// markName is the file that makes a directory a store: it remembers which
// streams were created in it, so that one that is missing later is an error and
// not a reason to begin anew.
const markName = "watchword.json"

// markVersion is the layout of the store this program reads and writes.
const markVersion = 1

type storeMark struct {
	Version int                    `json:"version"`
	Created time.Time              `json:"created"`
	Streams map[string]*streamMark `json:"streams"`
}

type streamMark struct {
	Created time.Time `json:"created"`
	Bytes   int64     `json:"max_bytes"`
	LastSeq uint64    `json:"last_seq"` // when last looked at; the stream never ends before it
}

// known is what the store remembers of a stream, nil for nothing.
func (s *store) known(stream string) *streamMark {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mark.Streams[stream]
	if m == nil {
		return nil
	}
	c := *m
	return &c
}

func (b *Bus) known(stream string) *streamMark {
	if b.store == nil {
		return nil
	}
	return b.store.known(stream)
}

// remember writes down that a stream exists.
func (s *store) remember(name string, info *jetstream.StreamInfo) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &streamMark{Created: info.Created.UTC(), Bytes: info.Config.MaxBytes}
	if have := s.mark.Streams[name]; have != nil {
		if m.LastSeq = have.LastSeq; m.Bytes == have.Bytes {
			return nil
		}
	}
	s.mark.Streams[name] = m
	return s.save()
}

// rememberEnds writes down where the streams end. A stream found shorter stays
// told of until it is as long again.
func (b *Bus) rememberEnds(ctx context.Context) error {
	ends := map[string]uint64{}
	for _, sp := range specs {
		info, err := b.Info(ctx, sp.name)
		if err != nil {
			return err
		}
		ends[sp.name] = info.LastSeq
	}
	s := b.store
	if s.check(0) != nil {
		return nil // told by other ways
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for name, m := range s.mark.Streams {
		changed = changed || ends[name] > m.LastSeq
		m.LastSeq = max(m.LastSeq, ends[name])
	}
	if !changed {
		return nil
	}
	return s.save()
}

// save writes the mark so that after a power cut there is the old one or the
// new one.
func (s *store) save() error {
	b, err := json.MarshalIndent(s.mark, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, markName)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(s.dir)
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
