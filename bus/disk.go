package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// check tells whether the store is still there and its disk has room for n
// bytes more.
func (s *store) check(n int64) error {
	now, err := os.Stat(s.dir)
	if err != nil || !os.SameFile(now, s.ino) {
		return fmt.Errorf("store %s has vanished: what was in it is lost to this process; put it back and restart", s.dir)
	}
	d, err := diskOf(s.dir)
	if err != nil {
		return fmt.Errorf("store %s: %w", s.dir, err)
	}
	if d.free-n < s.floor {
		return fmt.Errorf("%w on the disk of store %s: %s are free, %s are kept free", ErrFull, s.dir, bytesText(d.free), bytesText(s.floor))
	}
	return nil
}

type disk struct{ size, free int64 } // bytes; free to an ordinary user

func diskOf(dir string) (disk, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return disk{}, fmt.Errorf("free space of %s: %w", dir, err)
	}
	block := int64(st.Bsize)
	return disk{size: int64(st.Blocks) * block, free: int64(st.Bavail) * block}, nil
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n >= gib:
		return fmt.Sprintf("%.1f GiB", float64(n)/float64(gib))
	case n >= mib:
		return fmt.Sprintf("%.1f MiB", float64(n)/float64(mib))
	}
	return fmt.Sprintf("%d bytes", n)
}

// plain says the common file errors in words that tell what to do.
func plain(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: this user may not read and write there", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: choose a directory on a writable disk", err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: make room first", err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: a directory is needed", err)
	}
	return err
}
